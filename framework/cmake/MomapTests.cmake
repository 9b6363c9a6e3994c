# SPDX-License-Identifier: Apache-2.0
# momap_register_test(<target> <name> <label>): a GoogleTest program as one test of CTest. Not one test per TEST(): each
# process would load LibTorch anew (0.6 s), which was half the time of a full run.
function(momap_register_test target name label)
  add_test(NAME "${name}" COMMAND ${target})
  set_tests_properties("${name}" PROPERTIES LABELS ${label} TIMEOUT 900)
endfunction()
