// SPDX-License-Identifier: Apache-2.0
#include "shard_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/data/mapped_file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <system_error>

namespace momap {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kMetadata = "__metadata__";
constexpr const char* kSampleHeader = "header";  // a sample's own safetensors header

// The header of a packed sample: its length and parsed JSON.
struct SampleHeader {  // NOLINT(bugprone-exception-escape): of nlohmann::json
  uint64_t bytes = 0;  // with the length before it
  json entries;
};

[[noreturn]] void refuse_sample(const std::string& what) {
  throw ConfigError(fmt::format(
      "a sample is no safetensors file: {}; `momap db verify` the database it comes from", what));
}

SampleHeader header_of(std::span<const std::byte> sample) {
  SampleHeader header;
  uint64_t length = 0;
  if (sample.size() < sizeof length) refuse_sample("it is shorter than 8 bytes");
  std::memcpy(&length, sample.data(), sizeof length);
  if (length > sample.size() - sizeof length) refuse_sample("its header is longer than itself");
  header.bytes = sizeof length + length;
  const auto text = sample.subspan(sizeof length, length);
  const auto* begin = reinterpret_cast<const char*>(text.data());
  header.entries = json::parse(begin, begin + text.size(), nullptr, /*allow_exceptions=*/false);
  if (!header.entries.is_object()) refuse_sample("its header is not JSON");
  return header;
}

// Adds a sample's tensors to the shard's header; `begin` is where its bytes start in the data part.
void add_sample(const std::string& id, const SampleHeader& header, uint64_t begin,
                ordered_json& out) {
  out[id + "/" + kSampleHeader] = {
      {"dtype", "U8"}, {"shape", {header.bytes}}, {"data_offsets", {begin, begin + header.bytes}}};
  for (const auto& [name, entry] : header.entries.items()) {
    if (name == kMetadata) continue;
    ordered_json moved = entry;
    if (!entry.is_object() || !entry.contains("data_offsets")) {
      refuse_sample("a tensor has no data_offsets");
    }
    for (auto& offset : moved["data_offsets"]) {
      if (!offset.is_number_unsigned()) refuse_sample("data_offsets are not whole numbers");
      offset = offset.get<uint64_t>() + begin + header.bytes;
    }
    out[fmt::format("{}/{}", id, name)] = std::move(moved);
  }
}

void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

fs::path sealed_path(const fs::path& folder, const std::string& name) {
  return folder / (name + ".safetensors");
}

fs::path open_path(const fs::path& folder, const std::string& name) {
  return folder / (name + ".open");
}

uint64_t head_bytes_of(const std::string& id, std::span<const std::byte> sample) {
  ordered_json out;
  // The widest offsets, so that the real ones take no more.
  add_sample(id, header_of(sample), uint64_t{1} << 50, out);
  return out.dump().size();
}

OpenShard::OpenShard(const fs::path& folder, std::string name, uint64_t end)
    : folder_(folder), name_(std::move(name)), path_(open_path(folder, name_)), end_(end) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) fail("cannot be opened for writing");
  const off_t size = ::lseek(fd_, 0, SEEK_END);
  if (end_ > kShardHead && size < static_cast<off_t>(end_)) {
    throw ConfigError(
        fmt::format("{}: has {} bytes, but the catalogue has samples up to byte {}; samples are "
                    "missing: restore the file, or run `momap db verify`",
                    shown(path_), size, end_));
  }
  if (::ftruncate(fd_, static_cast<off_t>(end_)) != 0) fail("cannot be resized");
}

OpenShard::~OpenShard() {
  if (fd_ >= 0) ::close(fd_);
}

void OpenShard::fail(const char* what) const {
  const int error = errno;
  const char* remedy = error == ENOSPC || error == EDQUOT
                           ? "free some space and start again: the samples stored so far are kept"
                       : error == EROFS ? "choose a folder on a disk that can be written"
                                        : "check the folder and its permissions";
  throw ConfigError(fmt::format("{}: {}: {}; {}", shown(path_), what,
                                std::generic_category().message(error), remedy));
}

void OpenShard::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      const int error = errno;
      take_back(end_);
      errno = error;
      fail("cannot be written");
    }
    offset += static_cast<uint64_t>(done);
    bytes = bytes.subspan(static_cast<size_t>(done));
  }
}

uint64_t OpenShard::append(std::span<const std::byte> sample) {
  const uint64_t offset = end_;
  write_at(offset, sample);
  // Only a hint: what cannot be written is found by `sync`.
  ::sync_file_range(fd_, static_cast<off_t>(offset), static_cast<off_t>(sample.size()),
                    SYNC_FILE_RANGE_WRITE);
  end_ += sample.size();
  return offset;
}

void OpenShard::sync() {
  if (::fdatasync(fd_) != 0) fail("cannot be synced");
}

void OpenShard::take_back(uint64_t offset) {
  end_ = offset;
  [[maybe_unused]] const int result = ::ftruncate(fd_, static_cast<off_t>(offset));
}

SealedShard OpenShard::seal(const Catalogue& catalogue) {
  ordered_json header = ordered_json::object();
  header[kMetadata] = {{"momap.format", "1"}, {"momap.kind", "shard"}};
  {
    const MappedFile file(path_);
    catalogue.for_each(name_, [&](const Entry& entry, bool) {
      add_sample(entry.id, header_of(file.bytes().subspan(entry.offset, entry.size)),
                 entry.offset - kShardHead, header);
    });
  }
  std::string text = header.dump();
  const uint64_t length = kShardHead - sizeof length;
  if (text.size() > length) {
    throw std::logic_error(fmt::format("{}: its header takes {} bytes; {} are free", shown(path_),
                                       text.size(), length));
  }
  text.append(length - text.size(), ' ');
  write_at(0, std::as_bytes(std::span(&length, 1)));
  write_at(sizeof length, std::as_bytes(std::span(text)));
  if (::fsync(fd_) != 0) fail("cannot be synced");
  const fs::path sealed = sealed_path(folder_, name_);
  if (::rename(path_.c_str(), sealed.c_str()) != 0) fail("cannot be renamed");
  sync_folder(folder_);
  return describe_shard(folder_, name_);
}

SealedShard describe_shard(const fs::path& folder, const std::string& name) {
  const MappedFile file(sealed_path(folder, name));
  const uint64_t head = std::min<uint64_t>(kShardHead, file.bytes().size());
  return {.name = name,
          .size = file.bytes().size(),
          .head = content_hash(file.bytes().first(head)),
          .head_bytes = head};
}

}  // namespace momap
