# SPDX-License-Identifier: Apache-2.0
# momap_precompile(<target> plugin|test): compiles the target with the headers of others that are slow to read and that
# most sources want, read once for all targets of a kind (LibTorch's alone take 5 s a source). Headers of our own are not
# among them: a change to one of those must not rebuild everything.
set(MOMAP_PRECOMPILED_plugin <ATen/ATen.h> <algorithm> <cmath> <filesystem> <map> <string> <vector>)
set(MOMAP_PRECOMPILED_test <gtest/gtest.h> ${MOMAP_PRECOMPILED_plugin})

function(momap_precompile target kind)
  if(NOT MOMAP_PCH)
    return()
  endif()
  set(owner momap_precompiled_${kind})
  if(NOT TARGET ${owner})
    # A target of the same type that links the same, for the same flags.
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${owner}.cpp CONTENT "int main() { return 0; }\n")
    if(kind STREQUAL plugin)
      add_library(${owner} MODULE EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/${owner}.cpp)
    else()
      add_executable(${owner} EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/${owner}.cpp)
      target_link_libraries(${owner} PRIVATE GTest::gtest)
    endif()
    target_link_libraries(${owner} PRIVATE momap::momap)
    target_precompile_headers(${owner} PRIVATE ${MOMAP_PRECOMPILED_${kind}})
  endif()
  # Without <target>_EXPORTS, which would differ.
  set_target_properties(${target} ${owner} PROPERTIES DEFINE_SYMBOL "")
  target_precompile_headers(${target} REUSE_FROM ${owner})
endfunction()
