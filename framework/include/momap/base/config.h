// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/error.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace momap {

/// A parsed YAML value that remembers where it stood. Parser-free, so that plugins do not depend on
/// yaml-cpp.
class Config {
 public:
  enum class Kind { null, scalar, list, map };
  struct Entry;

  Config() = default;

  static Config null_at(Mark mark);
  static Config scalar(std::string text, Mark mark = {}, bool quoted = false);
  static Config list(std::vector<Config> items, Mark mark = {});
  static Config map(std::vector<Entry> entries, Mark mark = {});

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::null; }
  bool is_scalar() const { return kind_ == Kind::scalar; }
  bool is_list() const { return kind_ == Kind::list; }
  bool is_map() const { return kind_ == Kind::map; }

  const Mark& mark() const { return mark_; }
  const std::string& text() const { return text_; }  ///< scalars only
  bool quoted() const { return quoted_; }            ///< "3" is a string, 3 is a number
  const std::vector<Config>& items() const { return items_; }
  const std::vector<Entry>& entries() const { return entries_; }

  /// The value under `key`, or nullptr.
  const Config* find(std::string_view key) const;

  /// The value under `key`, made (as null, at `mark`) when absent; a null becomes an empty map.
  /// Throws ConfigError when this is a scalar or list.
  Config& at_or_insert(const std::string& key, const Mark& mark);

  /// Applies `edit` to every scalar below, in order.
  void edit_scalars(const std::function<void(Config&)>& edit);

  /// Gives a scalar other text; as if written without quotes, so that it may be read as a number.
  void set_text(std::string text);

  /// Says that this and all below stands at `mark`.
  void set_mark(const Mark& mark);

  /// For error messages: the scalar's text, or what kind of thing this is.
  std::string describe() const;

 private:
  Kind kind_ = Kind::null;
  bool quoted_ = false;
  std::string text_;
  std::vector<Config> items_;
  std::vector<Entry> entries_;
  Mark mark_;
};

struct Config::Entry {
  std::string key;
  Mark key_mark;
  Config value;
};

}  // namespace momap
