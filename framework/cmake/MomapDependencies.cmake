# SPDX-License-Identifier: Apache-2.0
# What a program that includes MoMap's headers or links libmomap needs. Used by the build and by the installed package.
include(CMakeFindDependencyMacro)
find_dependency(Torch)
find_dependency(TBB)
find_dependency(OpenCV COMPONENTS core)
find_dependency(fmt)

if(NOT TARGET momap::torch)
  # Torch's own target carries a C++14 flag list and its headers warn; take what is needed, as system headers.
  add_library(momap::torch INTERFACE IMPORTED)
  target_include_directories(momap::torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(momap::torch INTERFACE ${TORCH_LIBRARIES})
endif()
