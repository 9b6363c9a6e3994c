// SPDX-License-Identifier: Apache-2.0
#include "catalogue_file.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <sqlite3.h>

namespace momap {
namespace {

namespace fs = std::filesystem;

constexpr int kApplication = 0x4d6f4d70;  // "MoMp"
constexpr int kVersion = 1;
constexpr int kBusyMs = 10'000;
constexpr int kSettleMs = 500;  // a reader in the way of `settle` may stay there for long

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

}  // namespace

CatalogueFile::CatalogueFile(fs::path path, bool writable) : path_(std::move(path)) {
  std::error_code error;
  if (!writable && !fs::exists(path_, error)) {
    throw ConfigError(fmt::format(
        "{}: there is no such file; {} is not a MoMap database (see `momap db build --help`)",
        shown(path_), shown(path_.parent_path())));
  }
  use([&] {
    const int flags =
        writable ? SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE : SQLite::OPEN_READONLY;
    database_ = std::make_unique<SQLite::Database>(path_.string(), flags, kBusyMs);
    if (writable && database_->execAndGet("SELECT COUNT(*) FROM sqlite_master").getInt() == 0) {
      make_tables();
    }
    check_format();
    if (!writable) return;
    // Readers go on while a sample is added, and an added sample survives a kill. Samples are
    // synced before they are added, so after a power cut no row is without its data.
    database_->exec("PRAGMA journal_mode = WAL");
    database_->exec("PRAGMA synchronous = NORMAL");
  });
}

void CatalogueFile::make_tables() {
  SQLite::Transaction transaction(*database_);
  database_->exec(kSchema);
  database_->exec(
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplication, kVersion));
  transaction.commit();
}

void CatalogueFile::check_format() {
  const int application = database_->execAndGet("PRAGMA application_id");
  const int version = database_->execAndGet("PRAGMA user_version");
  if (application != kApplication) {
    throw ConfigError(fmt::format(
        "{}: application id = {}, expected {}: this SQLite file is not a momap catalogue",
        shown(path_), application, kApplication));
  }
  if (version != kVersion) {
    throw ConfigError(
        fmt::format("{}: catalogue format {}; this momap reads format {}; use the momap that wrote "
                    "it, or export and build again",
                    shown(path_), version, kVersion));
  }
}

CatalogueFile::Query CatalogueFile::prepared(const std::string& sql) {
  auto& statement = statements_[sql];
  if (!statement) statement = std::make_unique<SQLite::Statement>(*database_, sql);
  statement->clearBindings();
  return Query(statement.get());
}

void CatalogueFile::fail(const SQLite::Exception& error) const {
  const int code = error.getErrorCode();
  const char* remedy =
      code == SQLITE_FULL       ? "free some space; nothing that was stored is lost"
      : code == SQLITE_READONLY ? "choose a folder that can be written"
      : code == SQLITE_CANTOPEN ? "check the folder and its permissions"
      : code == SQLITE_BUSY     ? "another program holds it; try again when that is done"
      : code == SQLITE_NOTADB   ? "this is no catalogue; restore the file from a copy"
      : code == SQLITE_CORRUPT  ? "the file is damaged; restore it from a copy"
                                : "check the disk";
  throw ConfigError(fmt::format("{}: {}; {}", shown(path_), printable(error.what()), remedy));
}

bool CatalogueFile::settle() {
  return use([&] {
    statements_.clear();
    database_->setBusyTimeout(kSettleMs);
    try {
      database_->exec("PRAGMA wal_checkpoint(TRUNCATE)");
      return database_->execAndGet("PRAGMA journal_mode = DELETE").getString() == "delete";
    } catch (const SQLite::Exception& error) {
      if (error.getErrorCode() == SQLITE_BUSY) return false;
      throw;
    }
  });
}

std::vector<std::string> CatalogueFile::damage() {
  return use([&] {
    std::vector<std::string> found;
    SQLite::Statement query(*database_, "PRAGMA integrity_check");
    while (query.executeStep()) {
      const std::string line = query.getColumn(0).getString();
      if (line != "ok") found.push_back(line);
    }
    return found;
  });
}

}  // namespace momap
