// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/folder_lock.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/data/datum.h>
#include <momap/store/writer.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <system_error>

#include "catalogue.h"
#include "seal.h"
#include "shard_file.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kHeadReserve = 4096;  // of a shard's header, for what is not samples

std::string shard_name(size_t number) { return fmt::format("shard-{:05}", number); }

}  // namespace

struct DatabaseWriter::Impl {
  Impl(const fs::path& f, const StorageOptions& o, uint64_t bytes)
      : folder(f),
        options(o),
        shard_bytes(bytes),
        lock(
            f, "writer.lock",
            "wait for it, or let each writer have a folder of its own (--shard) and join them with "
            "`momap db merge`"),
        unsealed(remove_seal(f)),
        catalogue(f, Catalogue::Mode::write) {
    take_up();
  }

  fs::path folder;
  StorageOptions options;
  uint64_t shard_bytes;
  FolderLock lock;
  bool unsealed;
  Catalogue catalogue;
  size_t next_shard = 0;
  std::unique_ptr<OpenShard> shard;
  uint64_t head_used = 0;  // of the open shard's header

  // After an earlier writer, whether it ended well or not.
  void take_up() {
    for (const auto& sealed : catalogue.sealed_shards()) {
      if (sealed.name == shard_name(next_shard)) ++next_shard;
    }
    const std::string name = shard_name(next_shard);
    std::error_code error;
    if (fs::exists(sealed_path(folder, name), error)) {
      // Killed between sealing the shard and entering it.
      catalogue.add(describe_shard(folder, name));
      ++next_shard;
      return;
    }
    if (!fs::exists(open_path(folder, name), error)) return;
    uint64_t end = kShardHead;
    catalogue.for_each(
        name, [&](const Entry& entry, bool) { end = std::max(end, entry.offset + entry.size); });
    open(end);
    const MappedFile file(open_path(folder, name));
    catalogue.for_each(name, [&](const Entry& entry, bool) {
      head_used += head_bytes_of(entry.id, file.bytes().subspan(entry.offset, entry.size));
    });
  }

  void open(uint64_t end) {
    shard = std::make_unique<OpenShard>(folder, shard_name(next_shard), end);
    head_used = kHeadReserve;
  }

  void seal() {
    if (!shard) return;
    catalogue.add(shard->seal(catalogue));
    shard.reset();
    ++next_shard;
  }

  Entry append(std::span<const std::byte> sample, Entry entry, const std::string& provenance) {
    if (entry.id.empty() || printable(entry.id) != entry.id) {
      throw DataError(
          fmt::format("sample id '{}' is empty or not printable UTF-8", printable(entry.id)));
    }
    const uint64_t head = head_bytes_of(entry.id, sample);
    const bool full =
        shard && shard->end() > kShardHead &&
        (shard->end() + sample.size() > kShardHead + shard_bytes || head_used + head > kShardHead);
    if (full) seal();
    if (!shard) open(kShardHead);
    if (head_used + head > kShardHead) {
      throw DataError(fmt::format(
          "sample '{}' needs {} bytes in the header of its shard; {} are there; give the sample "
          "fewer tensors",
          printable(entry.id), head, kShardHead - kHeadReserve));
    }
    std::erase_if(entry.quality, [](const auto& figure) { return !std::isfinite(figure.second); });
    if (!std::isfinite(entry.fps)) entry.fps = 0;
    entry.shard = shard->name();
    entry.size = sample.size();
    entry.offset = shard->append(sample);
    try {
      entry.checksum = content_hash(sample);  // while the disk writes
      shard->sync();
      catalogue.add(entry, provenance);
    } catch (...) {
      shard->take_back(entry.offset);
      throw;
    }
    head_used += head;
    return entry;
  }
};

DatabaseWriter::DatabaseWriter(const fs::path& folder, const StorageOptions& options,
                               uint64_t shard_bytes)
    : impl_(std::make_unique<Impl>(folder, options, shard_bytes)) {}

DatabaseWriter::~DatabaseWriter() = default;

bool DatabaseWriter::knows(const std::string& id) const {
  return impl_->catalogue.by_id(id) || impl_->catalogue.has_drop(id);
}

Entry DatabaseWriter::append(const Clip& clip, Entry entry, const std::string& provenance) {
  check(clip, fmt::format("sample '{}'", printable(entry.id)));
  const PackedSample packed = pack_sample(clip, impl_->options);
  entry.frames = clip.truth.empty() ? clip.length() : clip.truth[0].motion.frames();
  entry.height = clip.height();
  entry.width = clip.width();
  entry.fps = clip.fps;
  entry.caption = clip.caption;
  entry.camera = clip.camera;
  entry.codec = packed.codec;
  entry.rmse_bound_m = packed.rmse_bound_m;
  entry.rmse_m = packed.error.rmse_m;
  entry.max_error_m = packed.error.max_m;
  return impl_->append(packed.bytes, std::move(entry), provenance);
}

Entry DatabaseWriter::append_packed(std::span<const std::byte> sample, Entry entry,
                                    const std::string& provenance) {
  return impl_->append(sample, std::move(entry), provenance);
}

void DatabaseWriter::add(const Drop& drop) { impl_->catalogue.add(drop); }

std::string DatabaseWriter::setting(const std::string& key) const {
  return impl_->catalogue.setting(key);
}

void DatabaseWriter::set(const std::string& key, const std::string& value) {
  impl_->catalogue.set(key, value);
}

void DatabaseWriter::finish() {
  impl_->seal();
  if (impl_->catalogue.settle()) write_seal(impl_->folder);
}

}  // namespace momap
