// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

// NumPy files for tests, made byte by byte.

namespace momap::testing {

/// A whole .npy file: this header's text (padded as numpy does) and the data.
std::string npy_file(const std::string& header, const std::string& data, int major = 1);

/// The same from type, shape and data.
std::string npy_file(const std::string& descr, const std::vector<int64_t>& shape,
                     const std::string& data);

/// The values' bytes as they lie in memory.
template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

struct ZipOptions {
  bool deflate = true;
  std::string password;  // "" = not encrypted
};

/// Writes a zip file of these members (name to content).
void write_zip(const std::filesystem::path& path, const std::map<std::string, std::string>& members,
               const ZipOptions& options = {});

}  // namespace momap::testing
