// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>
#include <vector>

namespace momap {
namespace {

namespace fs = std::filesystem;

std::string reason(int error) { return std::generic_category().message(error); }

constexpr const char* kAside = ".tmp-";  // begins the name of a file written aside

fs::path aside_name(const fs::path& path) {
  static std::atomic<int> counter{0};
  auto name = fmt::format("{}{}-{}-", kAside, ::getpid(), counter++) + path.filename().string();
  return path.parent_path() / name;
}

void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

fs::path home_folder() {
  const char* home = std::getenv("HOME");
  return home && *home ? fs::path(home) : fs::temp_directory_path();
}

fs::path folder_from_environment(const char* variable, const char* below_home) {
  const char* base = std::getenv(variable);
  return (base && *base ? fs::path(base) : home_folder() / below_home) / "momap";
}

}  // namespace

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)), temporary_(aside_name(path_)) {
  std::error_code error;
  if (path_.has_parent_path()) fs::create_directories(path_.parent_path(), error);
  if (!error) fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (error) errno = error.value();
  if (fd_ < 0) fail("cannot be created");
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* what) const {
  const int error = errno;
  const char* remedy = error == ENOSPC  ? "free some space or write to another disk"
                       : error == EROFS ? "choose a folder on a disk that can be written"
                                        : "check the folder and its permissions";
  throw ConfigError(fmt::format("{}: {}: {}; {}", shown(path_), what, reason(error), remedy));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd_, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail("cannot be written");
    bytes = bytes.subspan(static_cast<size_t>(done));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  // Another program may have written through `temporary()`, so sync the file, not only our handle.
  const int fd = ::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (!synced) fail("cannot be synced");
  ::close(fd);
  if (::close(fd_) != 0) {
    fd_ = -1;
    fail("cannot be closed");
  }
  fd_ = -1;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot be renamed into place");
  temporary_.clear();
  sync_folder(path_.parent_path());
}

void write_file(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

void remove_leftovers(const fs::path& folder) {
  std::vector<fs::path> leftovers;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; entry != end;
       entry.increment(error)) {
    if (entry->path().filename().native().starts_with(kAside)) leftovers.push_back(entry->path());
  }
  for (const auto& path : leftovers) fs::remove(path, error);
}

std::string read_file(const fs::path& path, uint64_t limit_bytes) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    throw ConfigError(fmt::format("{}: is a folder; expected a file", shown(path)));
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw ConfigError(fmt::format("{}: cannot be opened: {}", shown(path), reason(errno)));
  }
  std::string text;
  char buffer[1 << 16];
  while (in.read(buffer, sizeof buffer), in.gcount() > 0) {
    text.append(buffer, static_cast<size_t>(in.gcount()));
    if (text.size() > limit_bytes) {
      throw ConfigError(fmt::format("{}: is larger than the {} allowed for such a file",
                                    shown(path), human_bytes(static_cast<double>(limit_bytes))));
    }
  }
  return text;
}

void check_exists(const std::filesystem::path& path, const std::string& subject) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status)) return;
  if (status.type() == std::filesystem::file_type::not_found) {
    throw ConfigError(fmt::format(
        "{}: there is no such file or folder; check the spelling (a path is relative to the folder "
        "momap runs in)",
        subject));
  }
  throw ConfigError(fmt::format("{}: cannot be looked at: {}", subject, error.message()));
}

std::string shown(const fs::path& path) { return printable(path.native()); }

TemporaryFolder::TemporaryFolder(const std::string& prefix) {
  std::string name = (fs::temp_directory_path() / (prefix + "-XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw ConfigError(
        fmt::format("{}: temporary folder cannot be made: {}; set TMPDIR", name, reason(errno)));
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path user_cache_folder() {
  const char* own = std::getenv("MOMAP_CACHE_DIR");
  return own && *own ? fs::path(own) : folder_from_environment("XDG_CACHE_HOME", ".cache");
}

fs::path user_data_folder() { return folder_from_environment("XDG_DATA_HOME", ".local/share"); }

}  // namespace momap
