// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/version.h>

#include <filesystem>
#include <optional>
#include <string>

// The build stamp of a plugin library: "abi=1 torch=1.13 cxx=1017.1". Two libraries with the same stamp fit together.

#define MOMAP_STRINGIFY_(x) #x
#define MOMAP_STRINGIFY(x) MOMAP_STRINGIFY_(x)

/// C++ ABI version of the compiler (GCC 12: 1017) and of libstdc++'s string.
#define MOMAP_CXX_ABI MOMAP_STRINGIFY(__GXX_ABI_VERSION) "." MOMAP_STRINGIFY(_GLIBCXX_USE_CXX11_ABI)
#define MOMAP_TORCH_ABI MOMAP_STRINGIFY(TORCH_VERSION_MAJOR) "." MOMAP_STRINGIFY(TORCH_VERSION_MINOR)
#define MOMAP_STAMP(abi) "abi=" abi " torch=" MOMAP_TORCH_ABI " cxx=" MOMAP_CXX_ABI

namespace momap {

/// Why a library cannot be used, and what to do about it.
struct LibraryProblem {
  std::filesystem::path path;
  std::string reason;
  std::string remedy;

  std::string text() const;  ///< "path: reason; remedy"
};

/// The stamp this program was built with.
const std::string& own_stamp();

/// Reads the stamp from the file alone (nothing is loaded or run) and compares it with ours.
std::optional<LibraryProblem> check_stamp(const std::filesystem::path& library);

}  // namespace momap
