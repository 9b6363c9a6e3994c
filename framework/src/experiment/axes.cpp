// SPDX-License-Identifier: Apache-2.0
#include "axes.h"

#include <fmt/format.h>
#include <momap/base/random.h>
#include <momap/base/text.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace momap {
namespace {

std::optional<double> number_in(const Config& value) {
  if (!value.is_scalar()) return std::nullopt;
  double out = 0;
  const std::string& text = value.text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(out)) {
    return std::nullopt;
  }
  return out;
}

// All of `points` with all of `factors`; refuses products that are too large before making them.
std::vector<Settings> product(const std::vector<Settings>& points,
                              const std::vector<Settings>& factors, const Mark& mark,
                              Problems& problems) {
  if (points.size() > kMostPoints / std::max<size_t>(1, factors.size())) {
    problems.add(mark,
                 fmt::format("{} x {} points are more than the {} that a sweep may have",
                             points.size(), factors.size(), kMostPoints),
                 "take fewer values, or draw some with `random`");
    return {};
  }
  std::vector<Settings> out;
  for (const auto& point : points) {
    for (const auto& factor : factors) out.push_back(merged(point, factor));
  }
  return out;
}

// The list of values under each key of a map.
bool is_map_of_lists(const Config& map, const char* what, Problems& problems) {
  if (!map.is_map()) {
    problems.add(map.mark(),
                 fmt::format("{} is {}; expected a map of keys to lists", what, map.describe()),
                 fmt::format("for example  {}: {{warp.with.radius: [1, 2]}}", what));
    return false;
  }
  bool sound = true;
  for (const auto& [key, mark, values] : map.entries()) {
    if (!values.is_list() || values.items().empty()) {
      problems.add(values.mark(),
                   fmt::format("{}: '{}' = {}; expected a list of one value or more", what, key,
                               values.is_list() ? "[]" : values.describe()));
      sound = false;
    }
  }
  return sound;
}

std::vector<Settings> grid(std::vector<Settings> points, const Config& axes, Problems& problems) {
  if (!is_map_of_lists(axes, "grid", problems)) return points;
  for (const auto& [key, mark, values] : axes.entries()) {
    std::vector<Settings> factors;
    for (const auto& value : values.items()) factors.push_back({{key, flow_text(value)}});
    points = product(points, factors, mark, problems);
  }
  return points;
}

std::vector<Settings> zip(const std::vector<Settings>& points, const Config& axes,
                          Problems& problems) {
  if (!is_map_of_lists(axes, "zip", problems) || axes.entries().empty()) return points;
  const size_t length = axes.entries()[0].value.items().size();
  std::vector<Settings> factors(length);
  for (const auto& [key, mark, values] : axes.entries()) {
    if (values.items().size() != length) {
      problems.add(
          values.mark(),
          fmt::format("zip: '{}' has {} values, '{}' has {}; the lists are walked together", key,
                      values.items().size(), axes.entries()[0].key, length));
      return points;
    }
    for (size_t i = 0; i < length; ++i) factors[i].emplace_back(key, flow_text(values.items()[i]));
  }
  return product(points, factors, axes.mark(), problems);
}

std::vector<Settings> list(const std::vector<Settings>& points, const Config& axes,
                           Problems& problems) {
  if (!axes.is_list()) {
    problems.add(axes.mark(), fmt::format("list is {}; expected a list of maps", axes.describe()),
                 "for example  list: [{warp.use: warping/mesh}, {warp.use: warping/point_splat}]");
    return points;
  }
  std::vector<Settings> factors;
  for (const auto& item : axes.items()) factors.push_back(settings_of(item, problems));
  return product(points, factors, axes.mark(), problems);
}

// One drawn value of an axis such as {uniform: [0, 1]}.
std::optional<std::string> drawn(const Config& axis, Random& random) {
  if (!axis.is_map() || axis.entries().size() != 1) return std::nullopt;
  const auto& [kind, mark, range] = axis.entries()[0];
  if (!range.is_list() || range.items().empty()) return std::nullopt;
  const auto& items = range.items();
  if (kind == "choice") {
    return flow_text(items[static_cast<size_t>(random.below(static_cast<int64_t>(items.size())))]);
  }
  if (items.size() != 2) return std::nullopt;
  const auto low = number_in(items[0]), high = number_in(items[1]);
  if (!low || !high || *low > *high) return std::nullopt;
  if (kind == "uniform") return fmt::format("{:.6g}", *low + (*high - *low) * random.uniform());
  if (kind == "integer") {
    const auto count = static_cast<int64_t>(*high) - static_cast<int64_t>(*low) + 1;
    return std::to_string(static_cast<int64_t>(*low) + random.below(count));
  }
  if (kind == "log_uniform" && *low > 0) {
    return fmt::format("{:.6g}", *low * std::pow(*high / *low, random.uniform()));
  }
  return std::nullopt;
}

std::vector<Settings> random_points(const std::vector<Settings>& points, const Config& section,
                                    Problems& problems) {
  const Config* count = section.find("points");
  const Config* seed = section.find("seed");
  const Config* axes = section.find("axes");
  const auto wanted = count ? number_in(*count) : std::nullopt;
  const auto chosen = seed ? number_in(*seed) : std::optional(0.0);
  if (!wanted || *wanted < 1 || *wanted > static_cast<double>(kMostPoints) || !chosen || !axes ||
      !axes->is_map()) {
    problems.add(
        section.mark(), "random needs `points` (1 to 100000) and `axes`, and may have a `seed`",
        "for example  random: {points: 20, axes: {warp.with.radius: {uniform: [0.5, 3]}}}");
    return points;
  }
  Random random(static_cast<uint64_t>(*chosen));
  std::vector<Settings> factors;
  for (int i = 0; i < static_cast<int>(*wanted); ++i) {
    Settings point;
    for (const auto& [key, mark, axis] : axes->entries()) {
      const auto value = drawn(axis, random);
      if (!value) {
        problems.add(
            axis.mark(),
            fmt::format("random: '{}' is not uniform, log_uniform or integer with [lowest, "
                        "highest], or choice with a list",
                        key));
        return points;
      }
      point.emplace_back(key, *value);
    }
    factors.push_back(std::move(point));
  }
  return product(points, factors, section.mark(), problems);
}

}  // namespace

std::vector<Settings> expand_axes(const Config& axes, const Settings& start, Problems& problems) {
  std::vector<Settings> points{start};
  if (const Config* section = axes.find("grid")) points = grid(points, *section, problems);
  if (const Config* section = axes.find("zip")) points = zip(points, *section, problems);
  if (const Config* section = axes.find("list")) points = list(points, *section, problems);
  if (const Config* section = axes.find("random"))
    points = random_points(points, *section, problems);
  return points;
}

}  // namespace momap
