// SPDX-License-Identifier: Apache-2.0
#include "catalogue.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>

#include "catalogue_file.h"
#include "sample_row.h"

namespace momap {

namespace fs = std::filesystem;

constexpr int64_t kPage = 1000;  // rows read at a time

fs::path Catalogue::file_in(const fs::path& folder) { return folder / "catalogue.sqlite"; }

Catalogue::Catalogue(const fs::path& folder, Mode mode)
    : file_(std::make_unique<CatalogueFile>(file_in(folder), mode == Mode::write)) {}

Catalogue::~Catalogue() = default;

bool Catalogue::settle() { return file_->settle(); }

std::vector<std::string> Catalogue::damage() const { return file_->damage(); }

int64_t Catalogue::size() const {
  return file_->use([&] {
    const auto query = file_->prepared("SELECT IFNULL(MAX(number) + 1, 0) FROM sample");
    query->executeStep();
    return query->getColumn(0).getInt64();
  });
}

int64_t Catalogue::size(const std::string& split) const {
  return file_->use([&] {
    const auto query =
        file_->prepared("SELECT IFNULL(MAX(place) + 1, 0) FROM sample WHERE split = ?");
    query->bind(1, split);
    query->executeStep();
    return query->getColumn(0).getInt64();
  });
}

namespace {

std::optional<Entry> one(SQLite::Statement& query, const fs::path& file) {
  if (!query.executeStep()) return std::nullopt;
  Entry entry;
  if (!read_row(query, entry)) {
    throw ConfigError(fmt::format(
        "{}: row {} (sample '{}') does not match its checksum; the file is damaged: `momap db "
        "verify` lists what is wrong",
        shown(file), entry.number, printable(entry.id)));
  }
  return entry;
}

}  // namespace

std::optional<Entry> Catalogue::by_number(int64_t number) const {
  return file_->use([&] {
    static const auto sql = fmt::format("SELECT {} FROM sample WHERE number = ?", kSampleColumns);
    const auto query = file_->prepared(sql);
    query->bind(1, number);
    return one(*query, file_->path());
  });
}

std::optional<Entry> Catalogue::by_id(const std::string& id) const {
  return file_->use([&] {
    static const auto sql = fmt::format("SELECT {} FROM sample WHERE id = ?", kSampleColumns);
    const auto query = file_->prepared(sql);
    query->bind(1, id);
    return one(*query, file_->path());
  });
}

std::optional<Entry> Catalogue::by_place(const std::string& split, int64_t place) const {
  return file_->use([&] {
    static const auto sql =
        fmt::format("SELECT {} FROM sample WHERE split = ? AND place = ?", kSampleColumns);
    const auto query = file_->prepared(sql);
    query->bind(1, split);
    query->bind(2, place);
    return one(*query, file_->path());
  });
}

void Catalogue::for_each(const std::string& shard,
                         const std::function<void(const Entry&, bool)>& visit) const {
  const auto sql = fmt::format("SELECT {} FROM sample WHERE {}number > ? ORDER BY number LIMIT {}",
                               kSampleColumns, shard.empty() ? "" : "shard = ? AND ", kPage);
  int64_t last = -1;
  for (bool more = true; more;) {
    std::vector<std::pair<Entry, bool>> page;
    file_->use([&] {
      const auto query = file_->prepared(sql);
      if (!shard.empty()) query->bind(1, shard);
      query->bind(shard.empty() ? 1 : 2, last);
      while (query->executeStep()) {
        auto& [entry, sound] = page.emplace_back();
        sound = read_row(*query, entry);
      }
    });
    more = static_cast<int64_t>(page.size()) == kPage;
    if (!page.empty()) last = page.back().first.number;
    for (const auto& [entry, sound] : page) visit(entry, sound);
  }
}

void Catalogue::add(Entry& entry, const std::string& provenance) {
  file_->use([&] {
    SQLite::Transaction transaction(file_->database());
    {
      // Ended before the commit: a statement that still reads keeps SQLite from emptying the log.
      const auto count = file_->prepared("SELECT IFNULL(MAX(number) + 1, 0) FROM sample");
      count->executeStep();
      entry.number = count->getColumn(0).getInt64();
    }
    entry.provenance = content_hash(provenance);
    const auto origin = file_->prepared("INSERT OR IGNORE INTO provenance VALUES(?, ?)");
    origin->bind(1, entry.provenance);
    origin->bind(2, provenance);
    origin->exec();
    static const auto sql = fmt::format(
        "INSERT INTO sample({}, place) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
        "(SELECT IFNULL(MAX(place) + 1, 0) FROM sample WHERE split = ?15))",
        kSampleColumns);
    const auto insert = file_->prepared(sql);
    bind_row(*insert, entry);
    insert->exec();
    transaction.commit();
  });
}

void Catalogue::add(const Drop& drop) {
  file_->use([&] {
    const auto insert = file_->prepared("INSERT OR REPLACE INTO dropped VALUES(?, ?, ?, ?, ?, ?)");
    insert->bind(1, drop.id);
    insert->bind(2, drop.source);
    insert->bind(3, drop.reason);
    insert->bind(4, drop.value);
    insert->bind(5, drop.threshold);
    insert->bind(6, drop.text);
    insert->exec();
  });
}

bool Catalogue::has_drop(const std::string& id) const {
  return file_->use([&] {
    const auto query = file_->prepared("SELECT 1 FROM dropped WHERE id = ?");
    query->bind(1, id);
    return query->executeStep();
  });
}

std::map<std::string, int64_t> Catalogue::drops_by_reason() const {
  return file_->use([&] {
    std::map<std::string, int64_t> counts;
    const auto query = file_->prepared("SELECT reason, COUNT(*) FROM dropped GROUP BY reason");
    while (query->executeStep())
      counts[query->getColumn(0).getString()] = query->getColumn(1).getInt64();
    return counts;
  });
}

void Catalogue::for_each_drop(const std::function<void(const Drop&)>& visit) const {
  file_->use([&] {
    const auto query = file_->prepared(
        "SELECT id, source, reason, value, threshold, text FROM dropped ORDER BY id");
    while (query->executeStep()) {
      visit({.id = query->getColumn(0).getString(),
             .source = query->getColumn(1).getString(),
             .reason = query->getColumn(2).getString(),
             .value = query->getColumn(3).getDouble(),
             .threshold = query->getColumn(4).getDouble(),
             .text = query->getColumn(5).getString()});
    }
  });
}

std::string Catalogue::provenance(const std::string& hash) const {
  return file_->use([&] {
    const auto query = file_->prepared("SELECT text FROM provenance WHERE hash = ?");
    query->bind(1, hash);
    return query->executeStep() ? query->getColumn(0).getString() : std::string();
  });
}

std::vector<std::pair<std::string, std::string>> Catalogue::provenances() const {
  return file_->use([&] {
    std::vector<std::pair<std::string, std::string>> all;
    const auto query = file_->prepared("SELECT hash, text FROM provenance ORDER BY hash");
    while (query->executeStep()) {
      all.emplace_back(query->getColumn(0).getString(), query->getColumn(1).getString());
    }
    return all;
  });
}

std::vector<SealedShard> Catalogue::sealed_shards() const {
  return file_->use([&] {
    std::vector<SealedShard> all;
    const auto query =
        file_->prepared("SELECT name, size, head, head_bytes FROM shard ORDER BY name");
    while (query->executeStep()) {
      all.push_back({.name = query->getColumn(0).getString(),
                     .size = static_cast<uint64_t>(query->getColumn(1).getInt64()),
                     .head = query->getColumn(2).getString(),
                     .head_bytes = static_cast<uint64_t>(query->getColumn(3).getInt64())});
    }
    return all;
  });
}

void Catalogue::add(const SealedShard& shard) {
  file_->use([&] {
    const auto insert = file_->prepared("INSERT OR REPLACE INTO shard VALUES(?, ?, ?, ?)");
    insert->bind(1, shard.name);
    insert->bind(2, static_cast<int64_t>(shard.size));
    insert->bind(3, shard.head);
    insert->bind(4, static_cast<int64_t>(shard.head_bytes));
    insert->exec();
  });
}

std::string Catalogue::setting(const std::string& key) const {
  return file_->use([&] {
    const auto query = file_->prepared("SELECT value FROM setting WHERE key = ?");
    query->bind(1, key);
    return query->executeStep() ? query->getColumn(0).getString() : std::string();
  });
}

void Catalogue::set(const std::string& key, const std::string& value) {
  file_->use([&] {
    const auto insert = file_->prepared("INSERT OR REPLACE INTO setting VALUES(?, ?)");
    insert->bind(1, key);
    insert->bind(2, value);
    insert->exec();
  });
}

}  // namespace momap
