// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/data/mapped_file.h>
#include <momap/store/database.h>
#include <momap/store/sample.h>

#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "catalogue.h"
#include "shard_file.h"

namespace momap {

namespace fs = std::filesystem;

struct Database::Impl {
  explicit Impl(const fs::path& f) : folder(f), catalogue(f, Catalogue::Mode::read) {}

  fs::path folder;
  Catalogue catalogue;
  std::mutex mutex;
  struct Shard {
    std::shared_ptr<MappedFile> file;
    std::unordered_set<uint64_t> sound;  // offsets of samples that were read and found whole
  };
  std::unordered_map<std::string, Shard> shards;

  bool known_sound(const Entry& entry) {
    const std::scoped_lock lock(mutex);
    return shards[entry.shard].sound.contains(entry.offset);
  }
  void remember_sound(const Entry& entry) {
    const std::scoped_lock lock(mutex);
    shards[entry.shard].sound.insert(entry.offset);
  }

  // The shard, mapped far enough to hold the sample: one that still grows is mapped again.
  std::shared_ptr<MappedFile> shard(const Entry& entry) {
    const std::scoped_lock lock(mutex);
    auto& file = shards[entry.shard].file;
    const auto holds = [&] {
      const uint64_t held = file->bytes().size();
      return entry.offset <= held && entry.size <= held - entry.offset;
    };
    if (!file || !holds()) file = map(entry.shard);
    if (!holds()) {
      throw ConfigError(fmt::format(
          "{}: bytes {} to {} are asked for, and the shard has {}; it is cut off: restore it from "
          "a copy",
          owner(entry), entry.offset, entry.offset + entry.size, file->bytes().size()));
    }
    return file;
  }

  // For messages.
  std::string owner(const Entry& entry) const {
    return fmt::format("{}: sample '{}'", shown(folder / entry.shard), printable(entry.id));
  }

  std::shared_ptr<MappedFile> map(const std::string& name) const {
    if (name.find('/') != std::string::npos) {
      throw ConfigError(fmt::format("{}: shard '{}' is not the name of a file",
                                    shown(Catalogue::file_in(folder)), printable(name)));
    }
    std::error_code error;
    const fs::path growing = open_path(folder, name);
    if (fs::exists(growing, error)) {
      try {
        return std::make_shared<MappedFile>(growing);
      } catch (const ConfigError&) {
        // It was sealed, and so renamed, between the two looks.
      }
    }
    return std::make_shared<MappedFile>(sealed_path(folder, name));
  }
};

Database::Database(const fs::path& folder) : impl_(std::make_unique<Impl>(folder)) {}
Database::~Database() = default;

const fs::path& Database::folder() const { return impl_->folder; }
int64_t Database::size() const { return impl_->catalogue.size(); }
int64_t Database::size(const std::string& split) const { return impl_->catalogue.size(split); }

Entry Database::entry(int64_t number) const {
  if (auto found = impl_->catalogue.by_number(number)) return *found;
  throw DataError(
      fmt::format("{}: there is no sample {}; it has {}", shown(impl_->folder), number, size()));
}

Entry Database::entry(const std::string& split, int64_t place) const {
  if (auto found = impl_->catalogue.by_place(split, place)) return *found;
  throw DataError(fmt::format("{}: split '{}' has no sample {}; it has {}", shown(impl_->folder),
                              printable(split), place, size(split)));
}

std::optional<Entry> Database::find(const std::string& id) const {
  return impl_->catalogue.by_id(id);
}

void Database::for_each(const std::function<void(const Entry&)>& visit) const {
  impl_->catalogue.for_each("", [&](const Entry& entry, bool) { visit(entry); });
}

Clip Database::read(const Entry& entry) const {
  const bool known = impl_->known_sound(entry);
  const auto file = known ? impl_->shard(entry) : packed(entry).keeps_alive;
  Clip clip = unpack_sample(file, entry.offset, entry.size, impl_->owner(entry),
                            known ? ValueCheck::none : ValueCheck::all);
  if (!known) impl_->remember_sound(entry);
  return clip;
}

Database::Packed Database::packed(const Entry& entry) const {
  auto file = impl_->shard(entry);
  const auto bytes = file->bytes().subspan(entry.offset, entry.size);
  const std::string found = content_hash(bytes);
  if (found != entry.checksum) {
    throw ConfigError(fmt::format(
        "{}: bytes {} to {} have checksum {}, expected {}; the shard is damaged: restore it from a "
        "copy",
        impl_->owner(entry), entry.offset, entry.offset + entry.size, found, entry.checksum));
  }
  return {bytes, std::move(file)};
}

std::string Database::provenance(const std::string& hash) const {
  return impl_->catalogue.provenance(hash);
}

std::map<std::string, int64_t> Database::drops_by_reason() const {
  return impl_->catalogue.drops_by_reason();
}

void Database::for_each_drop(const std::function<void(const Drop&)>& visit) const {
  impl_->catalogue.for_each_drop(visit);
}

}  // namespace momap
