// SPDX-License-Identifier: Apache-2.0
#include "tokenizer.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>

#include <algorithm>
#include <array>
#include <functional>
#include <queue>
#include <set>
#include <tuple>

#include "config.h"
#include "unicode.h"

namespace diffusers {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kWordEnd = "</w>";
constexpr int64_t kLongest = 1 << 16;  // tokens
constexpr size_t kMostListed = 20;

// A printable character for every byte, as byte-level vocabularies write them: visible Latin-1
// stands for itself, the rest follows from U+0100 on.
std::array<std::string, 256> byte_letters() {
  std::array<std::string, 256> out;
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const bool visible =
        (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    const int code = visible ? byte : next++;
    if (code < 0x80) {
      out[static_cast<size_t>(byte)] = static_cast<char>(code);
    } else {
      out[static_cast<size_t>(byte)] = {static_cast<char>(0xC0 | (code >> 6)),
                                        static_cast<char>(0x80 | (code & 0x3F))};
    }
  }
  return out;
}

const std::array<std::string, 256>& letters() {
  static const std::array<std::string, 256> kLetters = byte_letters();
  return kLetters;
}

// A token is a text, or a mapping with its text as 'content'.
std::string token_text(const json& token) {
  if (token.is_string()) return token.get<std::string>();
  if (token.is_object() && token.contains("content") && token["content"].is_string()) {
    return token["content"].get<std::string>();
  }
  return "";
}

// Length of an apostrophe with one of the endings that are words of their own, from `at`; or 0.
size_t contraction(const std::vector<Character>& text, size_t at) {
  if (text[at].bytes != "'") return 0;
  for (const std::string_view ending : {"s", "t", "re", "ve", "m", "ll", "d"}) {
    bool same = at + ending.size() < text.size();
    for (size_t i = 0; same && i < ending.size(); ++i) {
      same = text[at + 1 + i].bytes == ending.substr(i, 1);
    }
    if (same) return 1 + ending.size();
  }
  return 0;
}

// Where the word that begins at `at` ends: letters, a single digit, or a run of other signs.
size_t word_end(const std::vector<Character>& text, size_t at) {
  if (const size_t length = contraction(text, at); length > 0) return at + length;
  const Letter kind = text[at].kind;
  size_t end = at + 1;
  if (kind == Letter::number) return end;
  while (end < text.size() && text[end].kind == kind) ++end;
  return end;
}

}  // namespace

Tokenizer::Tokenizer(const fs::path& folder) {
  std::vector<std::string> wrong;
  read_vocabulary(folder / "vocab.json", wrong);
  read_merges(folder / "merges.txt", wrong);
  read_special(folder, wrong);
  if (wrong.empty()) return;
  if (wrong.size() > kMostListed) {
    const size_t more = wrong.size() - kMostListed;
    wrong.resize(kMostListed);
    wrong.push_back(fmt::format("and {} more", more));
  }
  throw momap::ConfigError(fmt::format("{}: is not a CLIP tokenizer:\n  {}", momap::shown(folder),
                                       momap::join(wrong, "\n  ")));
}

void Tokenizer::read_vocabulary(const fs::path& path, std::vector<std::string>& wrong) {
  const json content = read_json(path);
  if (!content.is_object()) {
    wrong.emplace_back("vocab.json is not a mapping of pieces to ids");
    return;
  }
  const auto count = static_cast<int64_t>(content.size());
  std::vector<bool> used(content.size(), false);
  for (const auto& [piece, id] : content.items()) {
    if (!id.is_number_integer() || id < 0 || id >= count) {
      wrong.push_back(fmt::format("vocab.json: '{}' has id {}; expected a whole number in [0, {}]",
                                  momap::printable(piece), momap::printable(id.dump()), count - 1));
      continue;
    }
    const auto number = id.get<int64_t>();
    if (used[static_cast<size_t>(number)]) {
      wrong.push_back(
          fmt::format("vocab.json: id {} is used twice ('{}')", number, momap::printable(piece)));
    }
    used[static_cast<size_t>(number)] = true;
    ids_.emplace(piece, number);
  }
  for (const std::string& letter : letters()) {
    for (const std::string& piece : {letter, letter + kWordEnd}) {
      if (!ids_.contains(piece)) {
        wrong.push_back(fmt::format("vocab.json: the single byte '{}' is missing", piece));
      }
    }
  }
}

void Tokenizer::read_merges(const fs::path& path, std::vector<std::string>& wrong) {
  int64_t number = 0;
  for (const std::string& line : momap::split(momap::read_file(path), '\n')) {
    ++number;
    if (number == 1 && line.starts_with("#version")) continue;
    const std::vector<std::string> parts = momap::split(line, ' ');
    if (parts.size() != 2) {
      wrong.push_back(fmt::format("merges.txt:{}: '{}' is not two pieces with a space between them",
                                  number, momap::printable(line)));
      continue;
    }
    if (!ids_.contains(parts[0] + parts[1])) {
      wrong.push_back(fmt::format("merges.txt:{}: '{}{}' is not in vocab.json", number,
                                  momap::printable(parts[0]), momap::printable(parts[1])));
    }
    ranks_.emplace(std::pair(parts[0], parts[1]), number);
  }
}

void Tokenizer::read_special(const fs::path& folder, std::vector<std::string>& wrong) {
  const std::pair<const char*, std::string*> tokens[] = {{"bos_token", &start_},
                                                         {"eos_token", &end_},
                                                         {"unk_token", &unknown_},
                                                         {"pad_token", &padding_}};
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"}) {
    if (!fs::exists(folder / name)) continue;
    const json content = read_json(folder / name);
    if (!content.is_object()) {
      wrong.push_back(fmt::format("{} is not a mapping", name));
      continue;
    }
    for (const auto& [key, target] : tokens) {
      if (content.contains(key) && !content[key].is_null()) *target = token_text(content[key]);
    }
    const auto length = content.find("model_max_length");
    if (length == content.end()) continue;
    if (length->is_number_integer() && *length >= 2 && *length <= kLongest) {
      length_ = length->get<int64_t>();
    } else {
      wrong.push_back(fmt::format("{}: 'model_max_length' = {} is not a whole number in [2, {}]",
                                  name, momap::printable(length->dump()), kLongest));
    }
  }
  std::set<std::string> names;
  for (const auto& [key, token] : tokens) {
    if (!ids_.contains(*token)) {
      wrong.push_back(
          fmt::format("'{}' = '{}' is not in vocab.json", key, momap::printable(*token)));
    }
    if (!token->empty()) names.insert(*token);
  }
  special_.assign(names.begin(), names.end());
  std::ranges::stable_sort(special_, std::greater{}, [](const auto& s) { return s.size(); });
}

// One word, as bytes: joins the pair of neighbours that was learned first until none is known.
void Tokenizer::add_pieces(std::string_view word, std::vector<std::string>& out) const {
  struct Part {
    std::string text;
    int64_t before, after;  // neighbours, -1 = none
    int64_t changes = 0;    // entries of the queue made before a change are out of date
  };
  std::vector<Part> parts;
  for (const char c : word) {
    const auto i = static_cast<int64_t>(parts.size());
    parts.push_back({letters()[static_cast<unsigned char>(c)], i - 1, i + 1});
  }
  parts.back().after = -1;
  parts.back().text += kWordEnd;

  using Entry = std::tuple<int64_t, int64_t, int64_t, int64_t>;  // rank, place, changes of both
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
  const auto offer = [&](int64_t left) {
    if (left < 0 || parts[left].after < 0) return;
    const Part& right = parts[parts[left].after];
    const auto known = ranks_.find({parts[left].text, right.text});
    if (known == ranks_.end()) return;
    queue.emplace(known->second, left, parts[left].changes, right.changes);
  };
  for (size_t i = 0; i < parts.size(); ++i) offer(static_cast<int64_t>(i));
  while (!queue.empty()) {
    const auto [rank, left, left_changes, right_changes] = queue.top();
    queue.pop();
    Part& part = parts[left];
    if (part.changes != left_changes || part.after < 0 ||
        parts[part.after].changes != right_changes) {
      continue;
    }
    Part& joined = parts[part.after];
    part.text += joined.text;
    part.after = joined.after;
    if (joined.after >= 0) parts[joined.after].before = left;
    ++part.changes;
    joined.changes = -1;
    joined.after = -1;
    offer(part.before);
    offer(left);
  }
  for (int64_t i = 0; i >= 0; i = parts[i].after) out.push_back(std::move(parts[i].text));
}

void Tokenizer::add_words(const std::string& text, std::vector<std::string>& out) const {
  const std::vector<Character> all = characters(text);
  for (size_t i = 0; i < all.size();) {
    if (all[i].kind == Letter::space) {
      ++i;
      continue;
    }
    const size_t end = word_end(all, i);
    std::string word;
    for (; i < end; ++i) word += all[i].bytes;
    add_pieces(word, out);
  }
}

std::vector<std::string> Tokenizer::pieces(const std::string& text) const {
  std::vector<std::string> out;
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    const auto found = std::ranges::find_if(special_, [&](const std::string& token) {
      return text.compare(i, token.size(), token) == 0;
    });
    if (found == special_.end()) {
      ++i;
      continue;
    }
    add_words(text.substr(begin, i - begin), out);
    out.push_back(*found);
    i += found->size();
    begin = i;
  }
  add_words(text.substr(begin), out);
  return out;
}

std::vector<int64_t> Tokenizer::encode(const std::string& text) const {
  std::vector<int64_t> out{ids_.at(start_)};
  for (const std::string& piece : pieces(text)) {
    if (static_cast<int64_t>(out.size()) + 1 >= length_) break;
    const auto id = ids_.find(piece);
    out.push_back(id != ids_.end() ? id->second : ids_.at(unknown_));
  }
  out.push_back(ids_.at(end_));
  out.resize(static_cast<size_t>(length_), ids_.at(padding_));
  return out;
}

}  // namespace diffusers
