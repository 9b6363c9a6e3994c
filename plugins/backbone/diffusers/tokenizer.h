// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace diffusers {

/// CLIP's byte-pair tokenizer (Radford et al. 2021, Sennrich et al. 2016).
///
/// Text is brought to Unicode form NFC, runs of white space become one space, letters become small.
/// Bytes that are not UTF-8 become U+FFFD. The special tokens in a text count as themselves.
class Tokenizer {
 public:
  /// Reads vocab.json, merges.txt and, where present, special_tokens_map.json and
  /// tokenizer_config.json of a "tokenizer" folder. Throws ConfigError with everything in them that
  /// is wrong.
  explicit Tokenizer(const std::filesystem::path& folder);

  /// The pieces of a text, words ending with "</w>".
  std::vector<std::string> pieces(const std::string& text) const;

  /// Start token, the first pieces, end token and padding: always `length` ids.
  std::vector<int64_t> encode(const std::string& text) const;

  int64_t length() const { return length_; }
  int64_t vocabulary() const { return static_cast<int64_t>(ids_.size()); }

 private:
  void read_vocabulary(const std::filesystem::path& path, std::vector<std::string>& wrong);
  void read_merges(const std::filesystem::path& path, std::vector<std::string>& wrong);
  void read_special(const std::filesystem::path& folder, std::vector<std::string>& wrong);
  void add_words(const std::string& text, std::vector<std::string>& out) const;
  void add_pieces(std::string_view word, std::vector<std::string>& out) const;

  std::unordered_map<std::string, int64_t> ids_;
  std::map<std::pair<std::string, std::string>, int64_t> ranks_;  // of merges; lower comes first
  std::vector<std::string> special_;                              // longest first
  std::string start_ = "<|startoftext|>";
  std::string end_ = "<|endoftext|>";
  std::string unknown_ = "<|endoftext|>";
  std::string padding_ = "<|endoftext|>";
  int64_t length_ = 77;
};

}  // namespace diffusers
