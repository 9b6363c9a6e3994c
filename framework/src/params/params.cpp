// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/text.h>
#include <momap/params/params.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace momap {
namespace {

template <class T>
struct Item {
  using type = T;
  static constexpr bool is_list = false;
};
template <class T>
struct Item<std::vector<T>> {
  using type = T;
  static constexpr bool is_list = true;
};

const char* scalar_type_name(bool) { return "bool"; }
const char* scalar_type_name(int64_t) { return "int"; }
const char* scalar_type_name(double) { return "real"; }
const char* scalar_type_name(const std::string&) { return "string"; }

template <class T>
std::optional<T> parse_scalar(const Config& config) {
  const std::string& text = config.text();
  if (!config.is_scalar()) return std::nullopt;
  if constexpr (std::is_same_v<T, std::string>) {
    return text;
  } else if (config.quoted()) {
    return std::nullopt;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
  } else {
    T value{};
    const char* const end = text.data() + text.size();
    const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
    const auto [stop, error] = std::from_chars(begin, end, value);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return value;
  }
}

template <class T>
std::string yaml_scalar(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, double>) {
    return fmt::format("{}", value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    const bool plain = !value.empty() &&
                       value.find_first_of(":#{}[],&*!|>'\"%@`\\\n\t ") == std::string::npos &&
                       value != "true" && value != "false" && value != "null" && value != "~" &&
                       !std::isdigit(static_cast<unsigned char>(value[0])) && value[0] != '-';
    if (plain) return value;
    std::string out = "\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') out += '\\';
      if (c == '\n') {
        out += "\\n";
      } else {
        out += c;
      }
    }
    return out + "\"";
  } else {
    return fmt::format("{}", value);
  }
}

// Reads one parameter and reports what is wrong with it.
class Reader {
 public:
  Reader(const ParamInfo& info, const std::string& owner, const std::string& see,
         Problems& problems)
      : info_(info), owner_(owner), see_(see), problems_(problems) {}

  ParamValue read(const Config& config);

 private:
  template <class T>
  T read_scalar(const Config& config, const T& fallback) {
    const auto value = parse_scalar<T>(config);
    if (!value) {
      const char* article = std::is_same_v<T, int64_t> ? "an" : "a";
      complain(config, fmt::format("is not {} {}", article, scalar_type_name(T{})));
      return fallback;
    }
    check_rule(*value, config);
    return *value;
  }

  template <class T>
  T read_list(const Config& config, const T& fallback) {
    using Element = typename Item<T>::type;
    if (!config.is_list()) {
      complain(config, fmt::format("is not a {}; write [a, b]", type_name(info_)));
      return fallback;
    }
    T out;
    for (const auto& item : config.items()) out.push_back(read_scalar<Element>(item, Element{}));
    return out;
  }

  template <class T>
  void check_rule(const T& value, const Config& config) {
    bool allowed = true;
    if constexpr (std::is_same_v<T, std::string>) {
      allowed = info_.choices.empty() || std::ranges::count(info_.choices, value) > 0;
      if (!allowed) {
        const auto near = nearest_name(value, info_.choices);
        complain(config, fmt::format("is not allowed; expected {}{}", rule_text(info_),
                                     near ? fmt::format("; did you mean '{}'?", *near) : ""));
        return;
      }
    } else if constexpr (!std::is_same_v<T, bool>) {
      const auto number = static_cast<double>(value);
      allowed = std::isfinite(number) &&
                (info_.exclusive_minimum ? number > info_.minimum : number >= info_.minimum) &&
                (info_.exclusive_maximum ? number < info_.maximum : number <= info_.maximum);
    }
    if (!allowed) {
      const std::string rule = rule_text(info_);
      complain(config,
               fmt::format("is not allowed; expected {}", rule.empty() ? "a finite number" : rule));
    }
  }

  void complain(const Config& config, const std::string& what) {
    problems_.add(config.mark(),
                  fmt::format("{}: parameter '{}' = {} {}", owner_, info_.name,
                              printable(config.describe()), what),
                  see_);
  }

  const ParamInfo& info_;
  const std::string& owner_;
  const std::string& see_;
  Problems& problems_;
};

ParamValue Reader::read(const Config& config) {
  return std::visit(
      [&]<class T>(const T& fallback) -> ParamValue {
        if constexpr (Item<T>::is_list) {
          return read_list<T>(config, fallback);
        } else {
          return read_scalar<T>(config, fallback);
        }
      },
      info_.default_value);
}

}  // namespace

ParamValues default_values(const ParamSchema& schema) {
  ParamValues values;
  for (const auto& info : schema) values.emplace_back(info.name, info.default_value);
  return values;
}

ParamValues check_params(const ParamSchema& schema, const Config& with, const std::string& owner,
                         const std::string& see, Problems& problems) {
  if (!with.is_null() && !with.is_map()) {
    problems.add(with.mark(),
                 fmt::format("{}: 'with' = {} is not a mapping of parameters", owner,
                             printable(with.describe())),
                 see);
    return default_values(schema);
  }
  std::vector<std::string> names;
  for (const auto& info : schema) names.push_back(info.name);
  for (const auto& entry : with.entries()) {
    if (std::ranges::count(names, entry.key) == 0) {
      problems.add(entry.key_mark,
                   fmt::format("{}: no parameter '{}'{}", owner, printable(entry.key),
                               names.empty() ? "; it takes none" : suggestion(entry.key, names)),
                   see);
    }
  }
  ParamValues values;
  for (const auto& info : schema) {
    const Config* given = with.find(info.name);
    const bool empty = given && (given->is_null() || (given->is_scalar() && given->text().empty()));
    if (given && !given->is_null() && !(info.required && empty)) {
      values.emplace_back(info.name, Reader(info, owner, see, problems).read(*given));
      continue;
    }
    if (info.required) {
      problems.add(given ? given->mark() : with.mark(),
                   fmt::format("{}: parameter '{}' is missing ({})", owner, info.name, info.help),
                   see);
    }
    values.emplace_back(info.name, info.default_value);
  }
  return values;
}

std::string type_name(const ParamInfo& info) {
  return std::visit(
      []<class T>(const T&) -> std::string {
        const std::string item = scalar_type_name(typename Item<T>::type{});
        return Item<T>::is_list ? "list of " + item : item;
      },
      info.default_value);
}

std::string rule_text(const ParamInfo& info) {
  if (!info.choices.empty()) return "one of " + join(info.choices, " ");
  const bool low = std::isfinite(info.minimum);
  const bool high = std::isfinite(info.maximum);
  if (low && high) {
    return fmt::format("{}{}, {}{}", info.exclusive_minimum ? "(" : "[", info.minimum, info.maximum,
                       info.exclusive_maximum ? ")" : "]");
  }
  if (low) return fmt::format("{} {}", info.exclusive_minimum ? ">" : ">=", info.minimum);
  if (high) return fmt::format("{} {}", info.exclusive_maximum ? "<" : "<=", info.maximum);
  return {};
}

std::string yaml_text(const ParamValue& value) {
  return std::visit(
      []<class T>(const T& v) -> std::string {
        if constexpr (Item<T>::is_list) {
          std::vector<std::string> items;
          for (const auto& item : v) items.push_back(yaml_scalar<typename Item<T>::type>(item));
          return "[" + join(items, ", ") + "]";
        } else {
          return yaml_scalar(v);
        }
      },
      value);
}

}  // namespace momap
