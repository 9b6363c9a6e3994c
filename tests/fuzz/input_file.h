// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace momap::fuzz {

/// The fuzzer's bytes as a file in memory, for readers that take a path.
class InputFile {
 public:
  InputFile(const uint8_t* data, size_t size) : fd_(::memfd_create("input", MFD_CLOEXEC)) {
    if (fd_ < 0 || ::write(fd_, data, size) != static_cast<ssize_t>(size)) std::abort();
  }
  ~InputFile() { ::close(fd_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

/// Reads with each reader; to refuse is right, anything else that is thrown is a finding.
template <class Refusal, class... Read>
int read(const uint8_t* data, size_t size, Read... readers) {
  const InputFile file(data, size);
  const auto one = [&](auto reader) {
    try {
      reader(file.path());
    } catch (const Refusal&) {
    }
  };
  (one(readers), ...);
  return 0;
}

}  // namespace momap::fuzz
