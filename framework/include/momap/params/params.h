// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/config.h>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

// Parameters are declared once: a struct with defaults, and a list that gives each member a name, a
// help line and a rule. YAML checks, `describe`, JSON Schema, documentation and the cache key all
// come from that one place.

namespace momap {

using ParamValue = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>,
                                std::vector<double>, std::vector<std::string>>;

/// A complete set of checked values, in declaration order.
using ParamValues = std::vector<std::pair<std::string, ParamValue>>;

/// What is known of one parameter; the alternative held by `default_value` is its type.
struct ParamInfo {
  std::string name;
  std::string help;
  std::string unit;
  ParamValue default_value;
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  bool exclusive_minimum = false;
  bool exclusive_maximum = false;
  std::vector<std::string> choices;
  bool required = false;      ///< has no sensible default; an empty value is refused
  bool runtime_only = false;  ///< does not change the output, so it stays out of the cache key
  bool is_file = false;       ///< names a file; the file's content enters the cache key
};

using ParamSchema = std::vector<ParamInfo>;

/// The alternative of ParamValue that holds a member of type T: any integer as int64_t, any float
/// as double.
template <class T>
using StoredAs = std::conditional_t<
    std::is_same_v<T, bool>, bool,
    std::conditional_t<std::is_integral_v<T>, int64_t,
                       std::conditional_t<std::is_floating_point_v<T>, double,
                                          std::conditional_t<std::is_same_v<T, std::vector<int>>,
                                                             std::vector<int64_t>, T>>>>;

/// One line of a schema; see `param()`.
template <class Struct, class Member>
class Param {
 public:
  Param(std::string name, Member Struct::*member, std::string help) : member_(member) {
    info_.name = std::move(name);
    info_.help = std::move(help);
  }

  Param between(double lowest, double highest) && {
    info_.minimum = lowest;
    info_.maximum = highest;
    return std::move(*this);
  }
  Param at_least(double lowest) && {
    info_.minimum = lowest;
    return std::move(*this);
  }
  Param above(double bound) && {
    info_.minimum = bound;
    info_.exclusive_minimum = true;
    return std::move(*this);
  }
  Param below(double bound) && {
    info_.maximum = bound;
    info_.exclusive_maximum = true;
    return std::move(*this);
  }
  Param one_of(std::initializer_list<const char*> choices) && {
    info_.choices.assign(choices.begin(), choices.end());
    return std::move(*this);
  }
  Param unit(std::string unit) && {
    info_.unit = std::move(unit);
    return std::move(*this);
  }
  Param required() && {
    info_.required = true;
    return std::move(*this);
  }
  Param file() && {
    info_.is_file = true;
    return std::move(*this);
  }
  Param runtime_only() && {
    info_.runtime_only = true;
    return std::move(*this);
  }

  ParamInfo info(const Struct& defaults) const {
    ParamInfo info = info_;
    info.default_value = convert<StoredAs<Member>>(defaults.*member_);
    return info;
  }

  void assign(Struct& target, const ParamValue& value) const {
    target.*member_ = convert<Member>(std::get<StoredAs<Member>>(value));
  }

 private:
  // Throws ConfigError for a number that the member cannot hold; it must not wrap around.
  template <class To, class From>
  To convert(const From& value) const {
    if constexpr (std::is_same_v<To, From>) {
      return value;
    } else if constexpr (std::is_arithmetic_v<To>) {
      using Limits = std::numeric_limits<To>;
      bool fits = true;
      if constexpr (std::is_integral_v<To>) {
        fits = std::in_range<To>(value);
      } else {
        fits = !(value < Limits::lowest() || value > Limits::max());
      }
      if (!fits) {
        throw ConfigError("parameter '" + info_.name + "' = " + std::to_string(value) +
                          " is not allowed; expected " + std::to_string(Limits::lowest()) + " to " +
                          std::to_string(Limits::max()));
      }
      return static_cast<To>(value);
    } else {
      To out;
      for (const auto& item : value) out.push_back(convert<typename To::value_type>(item));
      return out;
    }
  }

  ParamInfo info_;
  Member Struct::*member_;
};

/// Declares one parameter: `param("levels", &Params::levels, "Pyramid levels.").between(1, 8)`.
template <class Struct, class Member>
Param<Struct, Member> param(std::string name, Member Struct::*member, std::string help) {
  return {std::move(name), member, std::move(help)};
}

template <class Struct>
ParamSchema schema_of() {
  const Struct defaults{};
  return std::apply([&](const auto&... line) { return ParamSchema{line.info(defaults)...}; },
                    Struct::schema());
}

/// Fills a parameter struct from checked values (see `check_params`).
template <class Struct>
Struct from_values(const ParamValues& values) {
  Struct out{};
  size_t i = 0;
  std::apply([&](const auto&... line) { (line.assign(out, values.at(i++).second), ...); },
             Struct::schema());
  return out;
}

/// Default values of a schema, in its order.
ParamValues default_values(const ParamSchema& schema);

/// Checks `with` (a map or null) against `schema` and fills in defaults; every problem goes to
/// `problems`. `owner` names the thing in messages ("step 'warp' (warping/point_splat)"), `see` is
/// the closing hint.
ParamValues check_params(const ParamSchema& schema, const Config& with, const std::string& owner,
                         const std::string& see, Problems& problems);

/// "int", "real", "string", "list of int" ...
std::string type_name(const ParamInfo& info);

/// "[1, 8]", "> 0", "one of forward backward", or "".
std::string rule_text(const ParamInfo& info);

/// The value as YAML (flow style).
std::string yaml_text(const ParamValue& value);

}  // namespace momap
