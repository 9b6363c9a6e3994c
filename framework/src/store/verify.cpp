// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/data/mapped_file.h>
#include <momap/store/verify.h>
#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "catalogue.h"
#include "seal.h"
#include "shard_file.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

class Verification {
 public:
  Verification(const fs::path& folder, const VerifyOptions& options)
      : folder_(folder), options_(options) {}

  VerifyResult run() {
    check_seal();
    try {
      const Catalogue catalogue(folder_, Catalogue::Mode::read);
      check_catalogue(catalogue);
      check_shards(catalogue);
    } catch (const ConfigError& error) {
      found(Catalogue::file_in(folder_), error.what());
    }
    result_.samples = samples_;
    result_.bytes = bytes_;
    std::ranges::sort(result_.damage, {},
                      [](const Damage& damage) { return std::pair(damage.file, damage.what); });
    return std::move(result_);
  }

 private:
  void found(const fs::path& file, std::string what) {
    const std::scoped_lock lock(mutex_);
    result_.damage.push_back({shown(file), std::move(what)});
  }

  void check_seal() {
    const fs::path file = Catalogue::file_in(folder_);
    std::error_code error;
    if (!fs::exists(file, error)) {
      throw ConfigError(fmt::format("{}: there is no such file; {} is not a MoMap database",
                                    shown(file), shown(folder_)));
    }
    const auto seal = read_seal(folder_);
    if (!seal) return;
    result_.sealed = true;
    const std::string hash = file_hash(file);
    if (*seal != hash + "\n") {
      found(file, fmt::format("checksum of the file is {}, expected {} ({})", hash,
                              printable(seal->substr(0, 40)), shown(seal_file(folder_))));
    }
  }

  void check_catalogue(const Catalogue& catalogue) {
    const fs::path file = Catalogue::file_in(folder_);
    for (const auto& line : catalogue.damage()) found(file, "SQLite: " + printable(line));
    for (const auto& [hash, text] : catalogue.provenances()) {
      const std::string own = content_hash(text);
      if (own != hash) {
        found(file, fmt::format("table provenance, key '{}': its text has checksum {}",
                                printable(hash), own));
      }
    }
    total_ = catalogue.size();
    int64_t expected = 0;
    catalogue.for_each("", [&](const Entry& entry, bool sound) {
      if (!sound) {
        found(file, fmt::format("table sample, number {} (id '{}') does not match its row checksum",
                                entry.number, printable(entry.id)));
      }
      if (entry.number != expected) {
        found(file, fmt::format("table sample, number {} follows {}; expected {}", entry.number,
                                expected - 1, expected));
      }
      expected = entry.number + 1;
      ++in_shard_[entry.shard];
    });
  }

  void check_shards(const Catalogue& catalogue) {
    const auto sealed = catalogue.sealed_shards();
    std::map<std::string, const SealedShard*> known;
    for (const auto& shard : sealed) known[shard.name] = &shard;
    for (const auto& [name, count] : in_shard_) known.try_emplace(name, nullptr);
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder_, error)) {
      const auto extension = entry.path().extension();
      if (extension == ".safetensors" && !known.contains(entry.path().stem().string())) {
        found(entry.path(), "is no shard of this catalogue; move it elsewhere");
      }
    }
    const std::vector<std::pair<std::string, const SealedShard*>> list(known.begin(), known.end());
    tbb::parallel_for(size_t{0}, list.size(),
                      [&](size_t i) { check_shard(catalogue, list[i].first, list[i].second); });
  }

  void check_shard(const Catalogue& catalogue, const std::string& name, const SealedShard* sealed) {
    const fs::path path = sealed ? sealed_path(folder_, name) : open_path(folder_, name);
    try {
      if (name.find('/') != std::string::npos) throw ConfigError("is not the name of a file");
      const MappedFile file(path);
      const auto bytes = file.bytes();
      if (sealed) check_head(path, bytes, *sealed);
      uint64_t end = sealed ? sealed->head_bytes : kShardHead;
      catalogue.for_each(name, [&](const Entry& entry, bool) {
        check_sample(path, bytes, entry, end);
        end = entry.offset + entry.size;
      });
      if (sealed && end != bytes.size()) {
        found(path,
              fmt::format("its samples end at byte {} and the file at {}", end, bytes.size()));
      }
      bytes_ += bytes.size();
    } catch (const ConfigError& error) {
      found(path, error.what());
    }
  }

  void check_head(const fs::path& path, std::span<const std::byte> bytes,
                  const SealedShard& sealed) {
    if (bytes.size() != sealed.size) {
      found(path, fmt::format("has {} bytes; expected {}", bytes.size(), sealed.size));
    }
    if (sealed.head_bytes > bytes.size()) return;
    const std::string hash = content_hash(bytes.first(sealed.head_bytes));
    if (hash != sealed.head) {
      found(path, fmt::format("header, bytes 0 to {}: checksum {}, expected {}", sealed.head_bytes,
                              hash, sealed.head));
    }
  }

  void check_sample(const fs::path& path, std::span<const std::byte> bytes, const Entry& entry,
                    uint64_t expected_offset) {
    if (options_.cancelled && options_.cancelled()) throw Cancelled();
    const auto say = [&](const std::string& what) {
      found(path, fmt::format("sample '{}', bytes {} to {}: {}", printable(entry.id), entry.offset,
                              entry.offset + entry.size, what));
    };
    if (entry.offset != expected_offset) {
      say(fmt::format("starts at byte {}; expected {}, where the one before it ends", entry.offset,
                      expected_offset));
    }
    if (entry.offset > bytes.size() || entry.size > bytes.size() - entry.offset) {
      say(fmt::format("the file ends at byte {}", bytes.size()));
    } else if (const auto hash = content_hash(bytes.subspan(entry.offset, entry.size));
               hash != entry.checksum) {
      say(fmt::format("checksum {}, expected {}", hash, printable(entry.checksum)));
    }
    const int64_t done = ++samples_;
    if (options_.progress) options_.progress(done, total_);
  }

  fs::path folder_;
  const VerifyOptions& options_;
  std::mutex mutex_;
  VerifyResult result_;
  std::map<std::string, int64_t> in_shard_;
  int64_t total_ = 0;
  std::atomic<int64_t> samples_{0};
  std::atomic<uint64_t> bytes_{0};
};

}  // namespace

VerifyResult verify_database(const fs::path& folder, const VerifyOptions& options) {
  return Verification(folder, options).run();
}

}  // namespace momap
