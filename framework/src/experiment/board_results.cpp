// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/experiment/board.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

namespace momap {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr uint64_t kLargestFile = uint64_t{1} << 31;

ordered_json to_json(const std::optional<Interval>& interval) {
  if (!interval) return nullptr;
  return {{"value", interval->value}, {"low", interval->low}, {"high", interval->high}};
}

std::optional<Interval> interval_from(const ordered_json& json) {
  if (json.is_null()) return std::nullopt;
  return Interval{json.at("value"), json.at("low"), json.at("high")};
}

ordered_json to_json(const BoardRow& row) {
  ordered_json plugins = ordered_json::object();
  for (const auto& [id, version] : row.versions) {
    plugins[id] = {{"version", version}, {"hash", row.hashes.at(id)}};
  }
  ordered_json scores = ordered_json::array();
  for (const auto& score : row.result.scores) {
    const auto values = row.result.values.find(score.key);
    ordered_json one{{"key", score.key},
                     {"unit", score.unit},
                     {"better", score.higher_is_better ? "higher" : "lower"},
                     {"protocol", score.protocol}};
    if (values != row.result.values.end() && !values->second.empty()) {
      one["mean"] = to_json(std::optional(mean_of(values->second)));
      one["values"] = values->second;
    }
    const auto undefined = row.result.undefined.find(score.key);
    one["undefined"] = undefined == row.result.undefined.end() ? 0 : undefined->second;
    scores.push_back(std::move(one));
  }
  return {{"entry", row.entry},
          {"control", row.control},
          {"failure", row.failure},
          {"rank", row.rank},
          {"samples", row.result.samples},
          {"seconds", to_json(row.seconds)},
          {"speed_ratio", to_json(row.speed_ratio)},
          {"cpu_seconds", row.cpu_seconds},
          {"peak_gib", row.peak_gib},
          {"plugins", plugins},
          {"scores", scores},
          {"graph", row.graph}};
}

BoardRow row_from(const ordered_json& json) {
  BoardRow row;
  row.entry = json.at("entry");
  row.control = json.at("control");
  row.failure = json.at("failure");
  row.rank = json.at("rank");
  row.result.samples = json.at("samples");
  row.seconds = interval_from(json.at("seconds"));
  row.speed_ratio = interval_from(json.at("speed_ratio"));
  row.cpu_seconds = json.at("cpu_seconds");
  row.peak_gib = json.at("peak_gib");
  for (const auto& [id, plugin] : json.at("plugins").items()) {
    row.versions[id] = plugin.at("version");
    row.hashes[id] = plugin.at("hash");
  }
  for (const auto& score : json.at("scores")) {
    const std::string key = score.at("key");
    row.result.scores.push_back({.key = key,
                                 .unit = score.at("unit"),
                                 .higher_is_better = score.at("better") == "higher",
                                 .protocol = score.at("protocol")});
    if (score.contains("values")) {
      row.result.values[key] = score.at("values").get<SampleValues>();
    }
    const int64_t undefined = score.at("undefined");
    if (undefined > 0) row.result.undefined[key] = undefined;
  }
  row.graph = json.at("graph");
  return row;
}

// What keeps two results from standing in one table; "" when nothing does.
std::string difference(const BoardResults& a, const BoardResults& b) {
  if (a.title != b.title) return fmt::format("board '{}' and '{}'", a.title, b.title);
  if (a.version != b.version)
    return fmt::format("protocol version {} and {}", a.version, b.version);
  if (a.data != b.data) return fmt::format("data '{}' and '{}'", a.data, b.data);
  if (a.samples != b.samples) return fmt::format("{} and {} samples", a.samples, b.samples);
  for (const auto& row : a.rows) {
    for (const auto& score : row.result.scores) {
      for (const auto& other : b.rows) {
        const auto same = std::ranges::find(other.result.scores, score.key, &ScoreInfo::key);
        if (same != other.result.scores.end() && same->protocol != score.protocol) {
          return fmt::format("score {} by protocol {} ({}) and {} ({})", score.key, score.protocol,
                             row.entry, same->protocol, other.entry);
        }
      }
    }
  }
  return "";
}

}  // namespace

void write_results(const fs::path& file, const BoardResults& results) {
  ordered_json rows = ordered_json::array();
  for (const auto& row : results.rows) rows.push_back(to_json(row));
  const ordered_json json{
      {"format", kFormat},          {"kind", "leaderboard"}, {"title", results.title},
      {"version", results.version}, {"data", results.data},  {"samples", results.samples},
      {"rank_by", results.rank_by}, {"show", results.show},  {"baseline", results.baseline},
      {"build", results.build},     {"host", results.host},  {"rows", rows}};
  write_file(file, json.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

BoardResults read_results(const fs::path& file) {
  try {
    const auto json = ordered_json::parse(read_file(file, kLargestFile));
    if (json.at("format") != kFormat || json.at("kind") != "leaderboard") {
      throw DataError(
          fmt::format("{}: is format {} of kind {}; expected format {} of a leaderboard",
                      shown(file), json.at("format").dump(), json.at("kind").dump(), kFormat));
    }
    BoardResults results;
    results.title = json.at("title");
    results.version = json.at("version");
    results.data = json.at("data");
    results.samples = json.at("samples");
    results.rank_by = json.at("rank_by");
    results.show = json.at("show").get<std::vector<std::string>>();
    results.baseline = json.at("baseline");
    results.build = json.at("build");
    results.host = json.at("host");
    for (const auto& row : json.at("rows")) results.rows.push_back(row_from(row));
    return results;
  } catch (const nlohmann::json::exception& e) {
    throw DataError(fmt::format("{}: is no leaderboard's results: {}", shown(file), e.what()));
  }
}

void rank_rows(BoardResults& results) {
  std::vector<SampleValues> values;
  bool higher_is_better = true;
  for (const auto& row : results.rows) {
    const auto found = row.result.values.find(results.rank_by);
    values.push_back(found == row.result.values.end() ? SampleValues{} : found->second);
    const auto info = std::ranges::find(row.result.scores, results.rank_by, &ScoreInfo::key);
    if (info != row.result.scores.end()) higher_is_better = info->higher_is_better;
  }
  const auto ranks = tied_ranks(values, higher_is_better);
  for (size_t i = 0; i < results.rows.size(); ++i) results.rows[i].rank = ranks[i];
}

std::vector<const BoardRow*> rows_by_rank(const BoardResults& results) {
  std::vector<const BoardRow*> order;
  for (const auto& row : results.rows) order.push_back(&row);
  std::ranges::stable_sort(order, {}, [](const BoardRow* row) {
    return row->rank > 0 ? row->rank : std::numeric_limits<int>::max();
  });
  return order;
}

BoardResults joined(const std::vector<BoardResults>& parts) {
  BoardResults all = parts.at(0);
  for (size_t p = 1; p < parts.size(); ++p) {
    if (const auto differs = difference(all, parts[p]); !differs.empty()) {
      throw DataError(fmt::format("rows of different boards are never compared: {}", differs));
    }
    for (const auto& row : parts[p].rows) {
      if (std::ranges::count(all.rows, row.entry, &BoardRow::entry) > 0) {
        throw DataError(
            fmt::format("entry '{}' stands in two files; rename one", printable(row.entry)));
      }
      all.rows.push_back(row);
      // Speeds of another machine or another hour are no ratios to this baseline.
      all.rows.back().speed_ratio.reset();
      all.rows.back().seconds.reset();
      all.rows.back().result.values.erase(kSpeedScore);
    }
  }
  rank_rows(all);
  return all;
}

}  // namespace momap
