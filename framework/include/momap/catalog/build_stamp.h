// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/record.h>
#include <torch/version.h>

// The build stamp of a plugin library: "abi=2 torch=1.13 cxx=1017.1". Two libraries with the same
// stamp fit together.

#define MOMAP_STRINGIFY_(x) #x
#define MOMAP_STRINGIFY(x) MOMAP_STRINGIFY_(x)

/// C++ ABI version of the compiler (GCC 12: 1017) and of libstdc++'s string.
#define MOMAP_CXX_ABI MOMAP_STRINGIFY(__GXX_ABI_VERSION) "." MOMAP_STRINGIFY(_GLIBCXX_USE_CXX11_ABI)
#define MOMAP_TORCH_ABI \
  MOMAP_STRINGIFY(TORCH_VERSION_MAJOR) "." MOMAP_STRINGIFY(TORCH_VERSION_MINOR)
#define MOMAP_STAMP \
  "abi=" MOMAP_STRINGIFY(MOMAP_PLUGIN_ABI) " torch=" MOMAP_TORCH_ABI " cxx=" MOMAP_CXX_ABI
