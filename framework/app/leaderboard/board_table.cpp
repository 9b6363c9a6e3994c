// SPDX-License-Identifier: Apache-2.0
#include "board_table.h"

#include <fmt/format.h>
#include <momap/experiment/table.h>

#include <algorithm>

namespace momap {
namespace {

std::string interval_text(const Interval& interval, const char* format) {
  const double half = std::max(interval.high - interval.value, interval.value - interval.low);
  const std::string value = fmt::format(fmt::runtime(format), interval.value);
  return half > 0 ? fmt::format("{} ±{:.2g}", value, half) : value;
}

Table table_of(const BoardResults& results) {
  Table table;
  table.columns = {"rank", "entry"};
  for (const auto& key : results.show) {
    std::string unit, better;
    for (const auto& row : results.rows) {
      const auto info = std::ranges::find(row.result.scores, key, &ScoreInfo::key);
      if (info == row.result.scores.end()) continue;
      unit = info->unit.empty() ? "" : fmt::format(" [{}]", info->unit);
      better = info->higher_is_better ? " ↑" : " ↓";
    }
    table.columns.push_back(fmt::format("{}{}{}", key, unit, better));
  }
  const bool has_ratio = std::ranges::count(results.show, kSpeedScore) > 0;
  table.columns.emplace_back("s a sample");
  if (!has_ratio) table.columns.emplace_back("time ratio");
  table.columns.insert(table.columns.end(), {"GiB", "remarks"});
  for (const BoardRow* row : rows_by_rank(results)) {
    std::vector<Table::Cell> cells;
    cells.push_back(row->rank > 0
                        ? Table::Cell{std::to_string(row->rank), static_cast<double>(row->rank)}
                        : Table::Cell{"-", std::nullopt});
    cells.push_back({row->entry, std::nullopt});
    for (const auto& key : results.show) {
      const auto values = row->result.values.find(key);
      if (values == row->result.values.end() || values->second.empty()) {
        cells.push_back({row->result.undefined.contains(key) ? "undefined" : "-", std::nullopt});
      } else {
        const Interval mean = mean_of(values->second);
        cells.push_back({interval_text(mean, "{:.4g}"), mean.value});
      }
    }
    const auto timed = [&](const std::optional<Interval>& figure, const char* format) {
      return figure ? Table::Cell{interval_text(*figure, format), figure->value}
                    : Table::Cell{"-", std::nullopt};
    };
    cells.push_back(timed(row->seconds, "{:.3g}"));
    if (!has_ratio) cells.push_back(timed(row->speed_ratio, "{:.2f}"));
    cells.push_back({fmt::format("{:.2f}", row->peak_gib), row->peak_gib});
    std::string remarks = row->control ? "control" : "";
    if (row->entry == results.baseline) remarks += remarks.empty() ? "baseline" : ", baseline";
    if (!row->failure.empty()) remarks = "failed: " + row->failure;
    cells.push_back({remarks, std::nullopt});
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

std::string board_text(const BoardResults& results, const std::string& format) {
  std::string table = table_text(table_of(results), format);
  if (format == "csv" || format == "jsonl" || format == "latex") return table;
  return fmt::format(
      "{}{}, protocol {}{}\n{}; {} samples; ranked by {}, ties where the paired 95 % interval "
      "contains 0\n{}\n\n{}",
      format == "markdown" ? "**" : "", results.title, results.version,
      format == "markdown" ? "**\n" : "", results.data, results.samples, results.rank_by,
      results.host, table);
}

}  // namespace momap
