# SPDX-License-Identifier: Apache-2.0
# find_package(momap) gives momap::momap and momap_add_plugin().
include(${CMAKE_CURRENT_LIST_DIR}/MomapDependencies.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/momapTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/MomapPlugin.cmake)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()
