// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/folder_lock.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace momap {
namespace {

namespace fs = std::filesystem;

int open_lock(const fs::path& path) {
  return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
}

std::string reason(int error) { return std::generic_category().message(error); }

}  // namespace

FolderLock::FolderLock(const fs::path& folder, const std::string& file, const std::string& remedy) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw ConfigError(fmt::format("{}: cannot be made: {}; choose a folder that can be written",
                                  shown(folder), error.message()));
  }
  const fs::path path = folder / file;
  fd_ = open_lock(path);
  if (fd_ < 0) {
    throw ConfigError(fmt::format("{}: cannot be written: {}; choose a folder that can be written",
                                  shown(path), reason(errno)));
  }
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
  const int why = errno;
  ::close(fd_);
  if (why != EWOULDBLOCK) {
    throw ConfigError(fmt::format("{}: cannot be locked: {}", shown(path), reason(why)));
  }
  throw ConfigError(fmt::format("{}: another process is working on it; {}", shown(folder), remedy));
}

FolderLock::~FolderLock() { ::close(fd_); }

bool FolderLock::is_held(const fs::path& folder, const std::string& file) {
  const int fd = open_lock(folder / file);
  if (fd < 0) return false;
  const bool held = ::flock(fd, LOCK_EX | LOCK_NB) != 0;
  ::close(fd);
  return held;
}

}  // namespace momap
