// SPDX-License-Identifier: Apache-2.0
#include "catalogue.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <sqlite3.h>

#include <nlohmann/json.hpp>

namespace momap {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr int kApplication = 0x4d6f4d70;  // "MoMp"
constexpr int kVersion = 1;
constexpr int kBusyMs = 10'000;
constexpr int kSettleMs = 500;   // a reader in the way of `settle` may stay there for long
constexpr int64_t kPage = 1000;  // rows read at a time

// `place` counts the samples of a split, so that one is found by its position without counting.
constexpr const char* kSchema = R"(
CREATE TABLE sample(
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, shard TEXT NOT NULL,
  offset INTEGER NOT NULL, size INTEGER NOT NULL, checksum TEXT NOT NULL, source TEXT NOT NULL,
  frames INTEGER NOT NULL, height INTEGER NOT NULL, width INTEGER NOT NULL, fps REAL NOT NULL,
  caption TEXT NOT NULL, camera TEXT NOT NULL, quality TEXT NOT NULL, split TEXT NOT NULL,
  provenance TEXT NOT NULL, codec TEXT NOT NULL, rmse_bound_m REAL NOT NULL, rmse_m REAL NOT NULL,
  max_error_m REAL NOT NULL, row_checksum TEXT NOT NULL, place INTEGER NOT NULL);
CREATE UNIQUE INDEX sample_by_place ON sample(split, place);
CREATE INDEX sample_by_shard ON sample(shard, number);
CREATE TABLE dropped(id TEXT PRIMARY KEY, source TEXT NOT NULL, reason TEXT NOT NULL,
  value REAL NOT NULL, threshold REAL NOT NULL, text TEXT NOT NULL);
CREATE TABLE shard(name TEXT PRIMARY KEY, size INTEGER NOT NULL, head TEXT NOT NULL,
  head_bytes INTEGER NOT NULL);
CREATE TABLE provenance(hash TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE setting(key TEXT PRIMARY KEY, value TEXT NOT NULL);
)";

constexpr const char* kColumns =
    "number, id, shard, offset, size, checksum, source, frames, height, width, fps, caption, "
    "camera, quality, split, provenance, codec, rmse_bound_m, rmse_m, max_error_m, row_checksum";

// Numbers as text that is read back to the same bits.
std::string camera_text(const std::optional<Camera>& camera) {
  if (!camera) return "";
  return json{camera->fx, camera->fy, camera->cx, camera->cy, camera->width, camera->height}.dump();
}

std::string row_checksum(const Entry& e, const std::string& camera, const std::string& quality) {
  return content_hash(fmt::format(
      "{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}"
      "\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}",
      e.number, e.id, e.shard, e.offset, e.size, e.checksum, e.source, e.frames, e.height, e.width,
      e.fps, e.caption, camera, quality, e.split, e.provenance, e.codec, e.rmse_bound_m, e.rmse_m,
      e.max_error_m));
}

// Reads a row; true when it matches its checksum. Text that cannot be read counts as not sound.
bool read_row(SQLite::Statement& row, Entry& e) {
  const auto text = [&](int column) { return row.getColumn(column).getString(); };
  const auto whole = [&](int column) { return row.getColumn(column).getInt64(); };
  const auto real = [&](int column) { return row.getColumn(column).getDouble(); };
  e.number = whole(0);
  e.id = text(1);
  e.shard = text(2);
  e.offset = static_cast<uint64_t>(whole(3));
  e.size = static_cast<uint64_t>(whole(4));
  e.checksum = text(5);
  e.source = text(6);
  e.frames = whole(7);
  e.height = whole(8);
  e.width = whole(9);
  e.fps = real(10);
  e.caption = text(11);
  const std::string camera = text(12), quality = text(13);
  e.split = text(14);
  e.provenance = text(15);
  e.codec = text(16);
  e.rmse_bound_m = real(17);
  e.rmse_m = real(18);
  e.max_error_m = real(19);
  e.camera.reset();
  e.quality.clear();
  try {
    if (!camera.empty()) {
      const json c = json::parse(camera);
      e.camera = Camera{.fx = c.at(0),
                        .fy = c.at(1),
                        .cx = c.at(2),
                        .cy = c.at(3),
                        .width = c.at(4),
                        .height = c.at(5)};
    }
    if (!quality.empty()) e.quality = json::parse(quality).get<std::map<std::string, double>>();
  } catch (const json::exception&) {
    return false;
  }
  return text(20) == row_checksum(e, camera, quality);
}

}  // namespace

struct Catalogue::Impl {
  Impl(const fs::path& file, int flags) : database(file.string(), flags, kBusyMs) {}

  SQLite::Database database;
  std::map<std::string, std::unique_ptr<SQLite::Statement>> statements;

  // Ends a statement's use, and with it the snapshot it reads from.
  struct Reset {
    void operator()(SQLite::Statement* statement) const { statement->tryReset(); }
  };
  using Query = std::unique_ptr<SQLite::Statement, Reset>;

  // A prepared statement, ready to be bound.
  Query prepared(const std::string& sql) {
    auto& statement = statements[sql];
    if (!statement) statement = std::make_unique<SQLite::Statement>(database, sql);
    statement->clearBindings();
    return Query(statement.get());
  }
};

namespace {

[[noreturn]] void fail(const fs::path& file, const SQLite::Exception& error) {
  const int code = error.getErrorCode();
  const char* remedy =
      code == SQLITE_FULL       ? "free some space; nothing that was stored is lost"
      : code == SQLITE_READONLY ? "choose a folder that can be written"
      : code == SQLITE_CANTOPEN ? "check the folder and its permissions"
      : code == SQLITE_BUSY     ? "another program holds it; try again when that is done"
      : code == SQLITE_NOTADB   ? "this is no catalogue; restore the file from a copy"
      : code == SQLITE_CORRUPT  ? "the file is damaged; restore it from a copy"
                                : "check the disk";
  throw ConfigError(fmt::format("{}: {}; {}", shown(file), printable(error.what()), remedy));
}

// Runs `body`, turning what SQLite throws into a ConfigError about `file`.
template <class Body>
auto guarded(const fs::path& file, Body body) {
  try {
    return body();
  } catch (const SQLite::Exception& error) {
    fail(file, error);
  }
}

void check_format(SQLite::Database& database, const fs::path& file) {
  const int application = database.execAndGet("PRAGMA application_id");
  const int version = database.execAndGet("PRAGMA user_version");
  if (application != kApplication) {
    throw ConfigError(fmt::format(
        "{}: application id = {}, expected {}: this SQLite file is not a momap catalogue",
        shown(file), application, kApplication));
  }
  if (version != kVersion) {
    throw ConfigError(
        fmt::format("{}: catalogue format {}; this momap reads format {}; use the momap that wrote "
                    "it, or export and build again",
                    shown(file), version, kVersion));
  }
}

}  // namespace

fs::path Catalogue::file_in(const fs::path& folder) { return folder / "catalogue.sqlite"; }

Catalogue::Catalogue(const fs::path& folder, Mode mode) {
  const fs::path file = file_in(folder);
  std::error_code error;
  const bool exists = fs::exists(file, error);
  if (mode == Mode::read && !exists) {
    throw ConfigError(fmt::format(
        "{}: there is no such file; {} is not a MoMap database (see `momap db build --help`)",
        shown(file), shown(folder)));
  }
  guarded(file, [&] {
    const int flags =
        mode == Mode::read ? SQLite::OPEN_READONLY : SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE;
    impl_ = std::make_unique<Impl>(file, flags);
    auto& database = impl_->database;
    const bool empty = mode == Mode::write &&
                       database.execAndGet("SELECT COUNT(*) FROM sqlite_master").getInt() == 0;
    if (empty) {
      SQLite::Transaction transaction(database);
      database.exec(kSchema);
      database.exec(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                kApplication, kVersion));
      transaction.commit();
    }
    check_format(database, file);
    if (mode == Mode::write) {
      // Readers go on while a sample is added, and an added sample survives a kill. Samples are
      // synced before they are added, so after a power cut no row is without its data.
      database.exec("PRAGMA journal_mode = WAL");
      database.exec("PRAGMA synchronous = NORMAL");
    }
  });
}

Catalogue::~Catalogue() = default;

int64_t Catalogue::size() const {
  const std::scoped_lock lock(mutex_);
  return guarded(impl_->database.getFilename(), [&] {
    const auto query = impl_->prepared("SELECT IFNULL(MAX(number) + 1, 0) FROM sample");
    query->executeStep();
    return query->getColumn(0).getInt64();
  });
}

int64_t Catalogue::size(const std::string& split) const {
  const std::scoped_lock lock(mutex_);
  return guarded(impl_->database.getFilename(), [&] {
    const auto query =
        impl_->prepared("SELECT IFNULL(MAX(place) + 1, 0) FROM sample WHERE split = ?");
    query->bind(1, split);
    query->executeStep();
    return query->getColumn(0).getInt64();
  });
}

namespace {

std::optional<Entry> one(SQLite::Statement& query, const std::string& file) {
  if (!query.executeStep()) return std::nullopt;
  Entry entry;
  if (!read_row(query, entry)) {
    throw ConfigError(fmt::format(
        "{}: row {} (sample '{}') does not match its checksum; the file is damaged: `momap db "
        "verify` lists what is wrong",
        printable(file), entry.number, printable(entry.id)));
  }
  return entry;
}

}  // namespace

std::optional<Entry> Catalogue::by_number(int64_t number) const {
  const std::scoped_lock lock(mutex_);
  return guarded(impl_->database.getFilename(), [&] {
    static const auto sql = fmt::format("SELECT {} FROM sample WHERE number = ?", kColumns);
    const auto query = impl_->prepared(sql);
    query->bind(1, number);
    return one(*query, impl_->database.getFilename());
  });
}

std::optional<Entry> Catalogue::by_id(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  return guarded(impl_->database.getFilename(), [&] {
    static const auto sql = fmt::format("SELECT {} FROM sample WHERE id = ?", kColumns);
    const auto query = impl_->prepared(sql);
    query->bind(1, id);
    return one(*query, impl_->database.getFilename());
  });
}

std::optional<Entry> Catalogue::by_place(const std::string& split, int64_t place) const {
  const std::scoped_lock lock(mutex_);
  return guarded(impl_->database.getFilename(), [&] {
    static const auto sql =
        fmt::format("SELECT {} FROM sample WHERE split = ? AND place = ?", kColumns);
    const auto query = impl_->prepared(sql);
    query->bind(1, split);
    query->bind(2, place);
    return one(*query, impl_->database.getFilename());
  });
}

void Catalogue::for_each(const std::string& shard,
                         const std::function<void(const Entry&, bool)>& visit) const {
  const auto sql = fmt::format("SELECT {} FROM sample WHERE {}number > ? ORDER BY number LIMIT {}",
                               kColumns, shard.empty() ? "" : "shard = ? AND ", kPage);
  int64_t last = -1;
  for (bool more = true; more;) {
    std::vector<std::pair<Entry, bool>> page;
    {
      const std::scoped_lock lock(mutex_);
      guarded(impl_->database.getFilename(), [&] {
        const auto query = impl_->prepared(sql);
        if (!shard.empty()) query->bind(1, shard);
        query->bind(shard.empty() ? 1 : 2, last);
        while (query->executeStep()) {
          auto& [entry, sound] = page.emplace_back();
          sound = read_row(*query, entry);
        }
      });
    }
    more = static_cast<int64_t>(page.size()) == kPage;
    if (!page.empty()) last = page.back().first.number;
    for (const auto& [entry, sound] : page) visit(entry, sound);
  }
}

void Catalogue::add(Entry& entry, const std::string& provenance) {
  const std::scoped_lock lock(mutex_);
  guarded(impl_->database.getFilename(), [&] {
    auto& database = impl_->database;
    SQLite::Transaction transaction(database);
    const auto count = impl_->prepared("SELECT IFNULL(MAX(number) + 1, 0) FROM sample");
    count->executeStep();
    entry.number = count->getColumn(0).getInt64();
    entry.provenance = content_hash(provenance);
    const auto origin = impl_->prepared("INSERT OR IGNORE INTO provenance VALUES(?, ?)");
    origin->bind(1, entry.provenance);
    origin->bind(2, provenance);
    origin->exec();
    const std::string camera = camera_text(entry.camera);
    const std::string quality = json(entry.quality).dump();
    static const auto sql = fmt::format(
        "INSERT INTO sample({}, place) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
        "(SELECT IFNULL(MAX(place) + 1, 0) FROM sample WHERE split = ?15))",
        kColumns);
    const auto insert = impl_->prepared(sql);
    int column = 0;
    const auto bind = [&](const auto& value) { insert->bind(++column, value); };
    bind(entry.number);
    bind(entry.id);
    bind(entry.shard);
    bind(static_cast<int64_t>(entry.offset));
    bind(static_cast<int64_t>(entry.size));
    bind(entry.checksum);
    bind(entry.source);
    bind(entry.frames);
    bind(entry.height);
    bind(entry.width);
    bind(entry.fps);
    bind(entry.caption);
    bind(camera);
    bind(quality);
    bind(entry.split);
    bind(entry.provenance);
    bind(entry.codec);
    bind(entry.rmse_bound_m);
    bind(entry.rmse_m);
    bind(entry.max_error_m);
    bind(row_checksum(entry, camera, quality));
    insert->exec();
    transaction.commit();
  });
}

void Catalogue::add(const Drop& drop) {
  const std::scoped_lock lock(mutex_);
  guarded(impl_->database.getFilename(), [&] {
    const auto insert = impl_->prepared("INSERT OR REPLACE INTO dropped VALUES(?, ?, ?, ?, ?, ?)");
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
  const std::scoped_lock lock(mutex_);
  return guarded(impl_->database.getFilename(), [&] {
    const auto query = impl_->prepared("SELECT 1 FROM dropped WHERE id = ?");
    query->bind(1, id);
    return query->executeStep();
  });
}

std::map<std::string, int64_t> Catalogue::drops_by_reason() const {
  const std::scoped_lock lock(mutex_);
  return guarded(impl_->database.getFilename(), [&] {
    std::map<std::string, int64_t> counts;
    const auto query = impl_->prepared("SELECT reason, COUNT(*) FROM dropped GROUP BY reason");
    while (query->executeStep())
      counts[query->getColumn(0).getString()] = query->getColumn(1).getInt64();
    return counts;
  });
}

void Catalogue::for_each_drop(const std::function<void(const Drop&)>& visit) const {
  const std::scoped_lock lock(mutex_);
  guarded(impl_->database.getFilename(), [&] {
    const auto query = impl_->prepared(
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
  const std::scoped_lock lock(mutex_);
  return guarded(impl_->database.getFilename(), [&] {
    const auto query = impl_->prepared("SELECT text FROM provenance WHERE hash = ?");
    query->bind(1, hash);
    return query->executeStep() ? query->getColumn(0).getString() : std::string();
  });
}

std::vector<std::pair<std::string, std::string>> Catalogue::provenances() const {
  const std::scoped_lock lock(mutex_);
  return guarded(impl_->database.getFilename(), [&] {
    std::vector<std::pair<std::string, std::string>> all;
    const auto query = impl_->prepared("SELECT hash, text FROM provenance ORDER BY hash");
    while (query->executeStep()) {
      all.emplace_back(query->getColumn(0).getString(), query->getColumn(1).getString());
    }
    return all;
  });
}

std::vector<SealedShard> Catalogue::sealed_shards() const {
  const std::scoped_lock lock(mutex_);
  return guarded(impl_->database.getFilename(), [&] {
    std::vector<SealedShard> all;
    const auto query =
        impl_->prepared("SELECT name, size, head, head_bytes FROM shard ORDER BY name");
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
  const std::scoped_lock lock(mutex_);
  guarded(impl_->database.getFilename(), [&] {
    const auto insert = impl_->prepared("INSERT OR REPLACE INTO shard VALUES(?, ?, ?, ?)");
    insert->bind(1, shard.name);
    insert->bind(2, static_cast<int64_t>(shard.size));
    insert->bind(3, shard.head);
    insert->bind(4, static_cast<int64_t>(shard.head_bytes));
    insert->exec();
  });
}

std::string Catalogue::setting(const std::string& key) const {
  const std::scoped_lock lock(mutex_);
  return guarded(impl_->database.getFilename(), [&] {
    const auto query = impl_->prepared("SELECT value FROM setting WHERE key = ?");
    query->bind(1, key);
    return query->executeStep() ? query->getColumn(0).getString() : std::string();
  });
}

void Catalogue::set(const std::string& key, const std::string& value) {
  const std::scoped_lock lock(mutex_);
  guarded(impl_->database.getFilename(), [&] {
    const auto insert = impl_->prepared("INSERT OR REPLACE INTO setting VALUES(?, ?)");
    insert->bind(1, key);
    insert->bind(2, value);
    insert->exec();
  });
}

bool Catalogue::settle() {
  const std::scoped_lock lock(mutex_);
  return guarded(impl_->database.getFilename(), [&] {
    impl_->statements.clear();
    impl_->database.setBusyTimeout(kSettleMs);
    try {
      impl_->database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      return impl_->database.execAndGet("PRAGMA journal_mode = DELETE").getString() == "delete";
    } catch (const SQLite::Exception& error) {
      if (error.getErrorCode() == SQLITE_BUSY) return false;
      throw;
    }
  });
}

std::vector<std::string> Catalogue::damage() const {
  const std::scoped_lock lock(mutex_);
  return guarded(impl_->database.getFilename(), [&] {
    std::vector<std::string> found;
    SQLite::Statement query(impl_->database, "PRAGMA integrity_check");
    while (query.executeStep()) {
      const std::string line = query.getColumn(0).getString();
      if (line != "ok") found.push_back(line);
    }
    return found;
  });
}

}  // namespace momap
