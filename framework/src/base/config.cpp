// SPDX-License-Identifier: Apache-2.0
#include <momap/base/config.h>

namespace momap {

Config Config::null_at(Mark mark) {
  Config c;
  c.mark_ = std::move(mark);
  return c;
}

Config Config::scalar(std::string text, Mark mark, bool quoted) {
  Config c;
  c.kind_ = Kind::scalar;
  c.text_ = std::move(text);
  c.mark_ = std::move(mark);
  c.quoted_ = quoted;
  return c;
}

Config Config::list(std::vector<Config> items, Mark mark) {
  Config c;
  c.kind_ = Kind::list;
  c.items_ = std::move(items);
  c.mark_ = std::move(mark);
  return c;
}

Config Config::map(std::vector<Entry> entries, Mark mark) {
  Config c;
  c.kind_ = Kind::map;
  c.entries_ = std::move(entries);
  c.mark_ = std::move(mark);
  return c;
}

const Config* Config::find(std::string_view key) const {
  for (const auto& entry : entries_) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Config& Config::at_or_insert(const std::string& key, const Mark& mark) {
  if (kind_ == Kind::null) *this = map({}, mark);
  if (kind_ != Kind::map) {
    Problems problems;
    problems.add(mark,
                 "key '" + key + "' would stand inside " + describe() + ", which is no mapping");
    problems.throw_if_any();
  }
  for (auto& entry : entries_) {
    if (entry.key == key) return entry.value;
  }
  entries_.push_back({key, mark, null_at(mark)});
  return entries_.back().value;
}

void Config::edit_scalars(const std::function<void(Config&)>& edit) {
  if (kind_ == Kind::scalar) edit(*this);
  for (auto& item : items_) item.edit_scalars(edit);
  for (auto& entry : entries_) entry.value.edit_scalars(edit);
}

void Config::set_text(std::string text) {
  text_ = std::move(text);
  quoted_ = false;
}

void Config::set_mark(const Mark& mark) {
  mark_ = mark;
  for (auto& item : items_) item.set_mark(mark);
  for (auto& entry : entries_) {
    entry.key_mark = mark;
    entry.value.set_mark(mark);
  }
}

std::string Config::describe() const {
  switch (kind_) {
    case Kind::null:
      return "nothing";
    case Kind::scalar:
      return quoted_ ? "'" + text_ + "'" : text_;
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a mapping";
  }
  return {};
}

}  // namespace momap
