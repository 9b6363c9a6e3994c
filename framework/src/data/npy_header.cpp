// SPDX-License-Identifier: Apache-2.0
#include "npy_header.h"

#include <fmt/format.h>
#include <momap/base/text.h>

#include <charconv>
#include <set>

namespace momap {
namespace {

constexpr size_t kMostDimensions = 64;

// The few Python literals that a header is made of.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  NpyHeader header() {
    NpyHeader header;
    std::set<std::string> seen;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (!seen.insert(key).second) refuse(fmt::format("names '{}' twice", printable(key)));
      if (key == "descr") {
        header.descr = descr();
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
      } else if (key == "shape") {
        header.shape = shape();
      } else {
        refuse(fmt::format("has the key '{}'; expected descr, fortran_order and shape",
                           printable(key)));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (position_ != text_.size()) refuse("has text behind the closing brace");
    for (const char* key : {"descr", "fortran_order", "shape"}) {
      if (!seen.contains(key)) refuse(fmt::format("lacks '{}'", key));
    }
    return header;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw BadNpyHeader(fmt::format("header {} (at byte {} of it)", what, position_));
  }

  void skip_space() {
    while (position_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos) {
      ++position_;
    }
  }
  bool accept(char c) {
    skip_space();
    if (position_ >= text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse(fmt::format("does not go on with '{}'", c));
  }

  std::string quoted() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const size_t end = text_.find(quote, position_);
    if (end == std::string_view::npos) refuse("has a string without end");
    std::string value(text_.substr(position_, end - position_));
    if (value.find('\\') != std::string::npos) refuse("has a string with an escape");
    position_ = end + 1;
    return value;
  }

  std::string descr() {
    if (accept('[')) {
      refuse(
          "describes a structured array (a dtype with fields); save each field as an array of "
          "its own");
    }
    return quoted();
  }

  bool boolean() {
    skip_space();
    for (const auto& [word, value] :
         {std::pair{std::string_view("True"), true}, std::pair{std::string_view("False"), false}}) {
      if (text_.substr(position_).starts_with(word)) {
        position_ += word.size();
        return value;
      }
    }
    refuse("does not say True or False for fortran_order");
  }

  std::vector<int64_t> shape() {
    std::vector<int64_t> sizes;
    expect('(');
    while (!accept(')')) {
      skip_space();
      int64_t size = -1;
      const char* begin = text_.data() + position_;
      const auto parsed = std::from_chars(begin, text_.data() + text_.size(), size);
      if (parsed.ec != std::errc() || size < 0) refuse("has a shape that is not whole numbers");
      position_ += static_cast<size_t>(parsed.ptr - begin);
      sizes.push_back(size);
      if (sizes.size() > kMostDimensions) {
        refuse(fmt::format("has more than {} dimensions", kMostDimensions));
      }
      if (!accept(',')) {
        if (sizes.size() == 1) refuse("writes a shape of one number without comma");
        expect(')');
        break;
      }
    }
    return sizes;
  }

  std::string_view text_;
  size_t position_ = 0;
};

}  // namespace

NpyHeader parse_npy_header(std::string_view text) { return Parser(text).header(); }

}  // namespace momap
