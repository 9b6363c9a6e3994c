// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/npy.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "npy_stream.h"

namespace momap {

at::Tensor read_npy(const std::filesystem::path& path, uint64_t limit_bytes) {
  check_exists(path, shown(path));
  if (!std::filesystem::is_regular_file(path)) {
    throw ConfigError(fmt::format("{}: is not a file", shown(path)));
  }
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(path, error);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             std::fclose);
  if (error || !file) {
    throw ConfigError(fmt::format("{}: cannot be opened: {}", shown(path), std::strerror(errno)));
  }
  const auto read = [&](std::span<std::byte> out) {
    if (std::fread(out.data(), 1, out.size(), file.get()) != out.size()) {
      throw ConfigError(fmt::format("{}: cannot be read to its end", shown(path)));
    }
  };
  return NpyStream(read, size, shown(path), limit_bytes).read();
}

}  // namespace momap
