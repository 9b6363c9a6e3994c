# SPDX-License-Identifier: Apache-2.0
# momap_add_plugin(<stage>/<name> SOURCES ... [LINK ...] [TESTS ...] [BENCH ...])
#
# Builds one plugin library. In MoMap's own tree it goes to lib/momap/plugins/<stage>/<name>.so and is installed
# there; outside the tree it stays in the build folder. TESTS are GoogleTest sources run against the built library;
# every plugin also gets the contract suite of its stage (`momap plugins check`). BENCH sources end with BENCHMARK_MAIN().
function(momap_add_plugin id)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;TESTS;BENCH" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_SOURCES)
    message(FATAL_ERROR "momap_add_plugin(${id}): expected SOURCES, LINK, TESTS, BENCH; got '${ARG_UNPARSED_ARGUMENTS}'")
  endif()
  string(REPLACE "/" "." target ${id})
  string(REGEX REPLACE "/.*" "" stage ${id})
  string(REGEX REPLACE ".*/" "" name ${id})
  add_library(${target} MODULE ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE momap::momap ${ARG_LINK})
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${name} CXX_VISIBILITY_PRESET hidden
                                             VISIBILITY_INLINES_HIDDEN ON CXX_STANDARD 20)
  if(MOMAP_IN_TREE)
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/momap/plugins/${stage}
                                               INSTALL_RPATH "$ORIGIN/../../..")
    install(TARGETS ${target} LIBRARY DESTINATION lib/momap/plugins/${stage})
    set_property(GLOBAL APPEND PROPERTY MOMAP_PLUGIN_TARGETS ${target})
  endif()
  if(MOMAP_TESTS)
    if(ARG_TESTS)
      add_executable(${target}.test ${ARG_TESTS})
      target_link_libraries(${target}.test PRIVATE momap::testing ${ARG_LINK})
      add_dependencies(${target}.test ${target})
      target_compile_definitions(${target}.test PRIVATE MOMAP_PLUGIN_LIBRARY="$<TARGET_FILE:${target}>")
      gtest_discover_tests(${target}.test TEST_PREFIX "${id}: " DISCOVERY_MODE PRE_TEST
                           PROPERTIES LABELS ${stage} TIMEOUT 300)
    endif()
    add_test(NAME "contract: ${id}" COMMAND $<TARGET_FILE:momap::cli> plugins check $<TARGET_FILE:${target}>)
    set_tests_properties("contract: ${id}" PROPERTIES LABELS "contract;${stage}" TIMEOUT 300)
  endif()
  if(MOMAP_BENCH AND ARG_BENCH)
    add_executable(${target}.bench ${ARG_BENCH})
    target_link_libraries(${target}.bench PRIVATE momap::testing benchmark::benchmark ${ARG_LINK})
    add_dependencies(${target}.bench ${target})
    target_compile_definitions(${target}.bench PRIVATE MOMAP_PLUGIN_LIBRARY="$<TARGET_FILE:${target}>")
  endif()
endfunction()
