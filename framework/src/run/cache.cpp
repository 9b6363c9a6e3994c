// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/hash.h>
#include <momap/data/archive.h>
#include <momap/run/cache.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <vector>

namespace momap {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCountKey = "cache.count";
constexpr const char* kChecksumKey = "cache.checksum";

// Over names, metadata and tensor bytes; independent of how the file lays them out.
std::string checksum(const TensorFile& file) {
  std::string digests;
  for (const auto& [name, tensor] : file.tensors) {
    const auto contiguous = tensor.contiguous();
    digests += name + ":" +
               content_hash(std::span(static_cast<const std::byte*>(contiguous.data_ptr()),
                                      static_cast<size_t>(contiguous.nbytes()))) +
               "\n";
  }
  for (const auto& [key, value] : file.metadata) {
    if (key != kChecksumKey) digests += fmt::format("{}={}\n", key, value);
  }
  return content_hash(digests);
}

std::string prefix(size_t i) { return fmt::format("{}/", i); }

TensorFile pack(const Data& data) {
  TensorFile all;
  for (size_t i = 0; i < data.size(); ++i) {
    const TensorFile one = to_archive(data[i]);
    for (const auto& [name, tensor] : one.tensors) all.tensors[prefix(i) + name] = tensor;
    for (const auto& [key, value] : one.metadata) all.metadata[prefix(i) + key] = value;
  }
  all.metadata[kCountKey] = std::to_string(data.size());
  all.metadata[kChecksumKey] = checksum(all);
  return all;
}

Data unpack(const TensorFile& all) {
  if (all.metadata.at(kChecksumKey) != checksum(all)) throw DataError("checksum does not match");
  Data data;
  const size_t count = std::stoul(all.metadata.at(kCountKey));
  for (size_t i = 0; i < count; ++i) {
    const std::string start = prefix(i);
    TensorFile one;
    for (const auto& [name, tensor] : all.tensors) {
      if (name.starts_with(start)) one.tensors[name.substr(start.size())] = tensor;
    }
    for (const auto& [key, value] : all.metadata) {
      if (key.starts_with(start)) one.metadata[key.substr(start.size())] = value;
    }
    data.push_back(from_archive(one));
  }
  return data;
}

}  // namespace

Cache::Cache(fs::path folder, uint64_t limit_bytes)
    : folder_(std::move(folder)), limit_bytes_(limit_bytes) {}

fs::path Cache::entry(const std::string& key) const {
  return folder_ / "steps" / key.substr(0, 2) / (key + ".safetensors");
}

bool Cache::contains(const std::string& key) const {
  std::error_code error;
  return fs::exists(entry(key), error);
}

Cache::Claim Cache::claim(const std::string& key) const {
  std::error_code error;
  fs::create_directories(folder_, error);
  const int fd = ::open((folder_ / "claims").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return Claim(-1);
  // One byte of the file stands for the entry. The lock belongs to the open file: it goes with it,
  // however the process ends.
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(std::stoull(key.substr(0, 15), nullptr, 16));
  range.l_len = 1;
  while (::fcntl(fd, F_OFD_SETLKW, &range) != 0 && errno == EINTR) {
  }
  return Claim(fd);
}

Cache::Claim::~Claim() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<Data> Cache::load(const std::string& key) {
  const fs::path path = entry(key);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  try {
    auto data = unpack(read_safetensors(path));
    ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // most recently used
    return data;
  } catch (const std::exception&) {
    fs::remove(path, error);
    return std::nullopt;
  }
}

void Cache::store(const std::string& key, const Data& data) {
  uint64_t bytes = 0;
  for (const auto& datum : data) bytes += static_cast<uint64_t>(bytes_of(datum));
  if (bytes > limit_bytes_) return;
  try {
    make_room(bytes);
    write_safetensors(entry(key), pack(data));
  } catch (const ConfigError& e) {
    const std::lock_guard lock(mutex_);
    if (trouble_.empty()) trouble_ = e.what();
  }
}

std::string Cache::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void Cache::make_room(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (used_bytes_ && *used_bytes_ + bytes <= limit_bytes_) {
    *used_bytes_ += bytes;
    return;
  }
  struct Entry {
    fs::path path;
    uint64_t bytes;
    fs::file_time_type used;
  };
  std::vector<Entry> entries;
  std::error_code error;
  uint64_t total = bytes;
  for (fs::recursive_directory_iterator it(folder_ / "steps", error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    std::error_code gone;
    const auto size = it->file_size(gone);
    const auto used = it->last_write_time(gone);
    if (gone || !it->is_regular_file(gone)) continue;
    entries.push_back({it->path(), size, used});
    total += size;
  }
  if (total > limit_bytes_) {
    // Down to four fifths, so that the folder is not walked again for every new entry.
    std::ranges::sort(entries, {}, &Entry::used);
    for (const auto& old : entries) {
      if (total <= limit_bytes_ / 5 * 4) break;
      if (fs::remove(old.path, error)) total -= old.bytes;
    }
  }
  used_bytes_ = total;
}

}  // namespace momap
