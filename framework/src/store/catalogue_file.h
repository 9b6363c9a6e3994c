// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace momap {

/// The SQLite file of a catalogue: its format, its prepared statements, one user at a time.
class CatalogueFile {
 public:
  /// Opens it, `writable` makes it when absent. Throws ConfigError when it is no catalogue of this
  /// format.
  CatalogueFile(std::filesystem::path path, bool writable);

  // Ends a statement's use, and with it the snapshot it reads from.
  struct Reset {
    void operator()(SQLite::Statement* statement) const { statement->tryReset(); }
  };
  using Query = std::unique_ptr<SQLite::Statement, Reset>;

  /// A prepared statement, ready to be bound; inside `use` only.
  Query prepared(const std::string& sql);
  /// Inside `use` only.
  SQLite::Database& database() { return *database_; }

  /// Runs `body` while no other thread uses the file; what SQLite throws becomes a ConfigError with
  /// file, reason and remedy.
  template <class Body>
  auto use(Body body) {
    const std::scoped_lock lock(mutex_);
    try {
      return body();
    } catch (const SQLite::Exception& error) {
      fail(error);
    }
  }

  /// Ends writing: all is in the one file, which no longer changes. False when a reader was in the
  /// way.
  bool settle();
  /// What SQLite's own check of pages and indexes finds; empty = nothing.
  std::vector<std::string> damage();

  const std::filesystem::path& path() const { return path_; }

 private:
  [[noreturn]] void fail(const SQLite::Exception& error) const;
  void make_tables();
  void check_format();

  std::filesystem::path path_;
  std::mutex mutex_;
  std::unique_ptr<SQLite::Database> database_;
  std::map<std::string, std::unique_ptr<SQLite::Statement>> statements_;
};

}  // namespace momap
