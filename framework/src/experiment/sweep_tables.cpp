// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>
#include <momap/experiment/sweep_tables.h>

#include <algorithm>
#include <map>
#include <set>

namespace momap {
namespace {

constexpr double kGib = 1 << 30;

Table::Cell text_cell(std::string text) { return {std::move(text), std::nullopt}; }

Table::Cell number_cell(double value, const char* format = "{:.3g}") {
  return {fmt::format(fmt::runtime(format), value), value};
}

Table::Cell setting_cell(const PointResult& point, const std::string& key) {
  const auto found = std::ranges::find(point.settings, key, &Settings::value_type::first);
  return text_cell(found == point.settings.end() ? "-" : found->second);
}

const SampleValues* values_of(const PointResult& point, const std::string& key) {
  const auto found = point.result.values.find(key);
  return found == point.result.values.end() || found->second.empty() ? nullptr : &found->second;
}

std::string title(const ScoreInfo& score) {
  return score.unit.empty() ? score.key : fmt::format("{} [{}]", score.key, score.unit);
}

// "21.30 ±0.41"; the interval need not be even, so the wider half is shown.
std::string with_interval(const Interval& mean, bool signed_value) {
  const double half = std::max(mean.high - mean.value, mean.value - mean.low);
  const std::string value =
      signed_value ? fmt::format("{:+.4g}", mean.value) : fmt::format("{:.4g}", mean.value);
  return half > 0 ? fmt::format("{} ±{:.2g}", value, half) : value;
}

}  // namespace

std::vector<PointResult> point_results(const std::filesystem::path& folder, const Sweep& sweep,
                                       const Plan& plan, int64_t samples) {
  std::map<Settings, PointResult> by_settings;
  std::map<Settings, std::vector<std::pair<uint64_t, RunResult>>> runs;
  for (const Job& job : plan.jobs) {
    if (job.samples != samples) continue;
    PointResult& point = by_settings[job.settings];
    point.settings = job.settings;
    ++point.jobs;
    const JobFolder job_folder(folder, job.id);
    const auto outcome = job_folder.outcome();
    if (!outcome) continue;
    if (!outcome->done) {
      if (point.failed++ == 0) point.reason = outcome->reason;
      continue;
    }
    point.seconds += (outcome->seconds - point.seconds) / ++point.done;
    point.peak_gib = std::max(point.peak_gib, static_cast<double>(outcome->peak_bytes) / kGib);
    runs[job.settings].emplace_back(job.seed, read_run(job_folder.run()));
  }
  std::vector<PointResult> out;
  for (const auto& settings : sweep.points) {
    const auto found = by_settings.find(settings);
    if (found == by_settings.end()) continue;
    found->second.result = pooled_runs(runs[settings]);
    out.push_back(std::move(found->second));
  }
  return out;
}

std::vector<ScoreInfo> shown_scores(const Sweep& sweep, const std::vector<PointResult>& points) {
  std::vector<ScoreInfo> all;
  for (const auto& point : points) {
    for (const auto& score : point.result.scores) {
      if (std::ranges::count(all, score.key, &ScoreInfo::key) == 0) all.push_back(score);
    }
  }
  if (sweep.show.empty() || all.empty()) return all;
  std::vector<ScoreInfo> shown;
  std::vector<std::string> known;
  for (const auto& score : all) known.push_back(score.key);
  for (const auto& wanted : sweep.show) {
    const auto found = std::ranges::find(all, wanted, &ScoreInfo::key);
    if (found == all.end()) {
      throw ConfigError(
          fmt::format("show: no score '{}'{}", printable(wanted), suggestion(wanted, known)));
    }
    shown.push_back(*found);
  }
  return shown;
}

namespace {

Table points_table_of(const Sweep& sweep, const std::vector<PointResult>& points,
                      const std::vector<std::string>& keys) {
  const auto scores = shown_scores(sweep, points);
  const PointResult* baseline = nullptr;
  for (const auto& point : points) {
    if (!sweep.baseline.empty() && !baseline && contains(point.settings, sweep.baseline)) {
      baseline = &point;
    }
  }
  Table table;
  table.columns = keys;
  for (const auto& score : scores) {
    table.columns.push_back(title(score));
    if (baseline) table.columns.push_back("vs baseline");
  }
  table.columns.insert(table.columns.end(), {"s a job", "GiB", "state"});
  for (const auto& point : points) {
    std::vector<Table::Cell> row;
    for (const auto& key : keys) row.push_back(setting_cell(point, key));
    for (const auto& score : scores) {
      const SampleValues* values = values_of(point, score.key);
      if (values) {
        const Interval mean = mean_of(*values);
        row.push_back({with_interval(mean, false), mean.value});
      } else {
        row.push_back(text_cell(point.result.undefined.contains(score.key) ? "undefined" : "-"));
      }
      if (!baseline) continue;
      const SampleValues* theirs = values_of(*baseline, score.key);
      const auto gap = values && theirs && &point != baseline ? paired_difference(*values, *theirs)
                                                              : std::nullopt;
      row.push_back(gap ? Table::Cell{with_interval(*gap, true), gap->value}
                        : text_cell(&point == baseline ? "baseline" : "-"));
    }
    row.push_back(point.done ? number_cell(point.seconds) : text_cell("-"));
    row.push_back(point.done ? number_cell(point.peak_gib, "{:.2f}") : text_cell("-"));
    std::string state = fmt::format("{}/{}", point.done, point.jobs);
    if (point.failed) state += fmt::format(", {} failed: {}", point.failed, point.reason);
    row.push_back(text_cell(state));
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

std::vector<std::string> varying_keys(const std::vector<PointResult>& points) {
  std::vector<std::string> order;
  std::map<std::string, std::set<std::string>> values;
  std::map<std::string, size_t> count;
  for (const auto& point : points) {
    for (const auto& [key, value] : point.settings) {
      if (values[key].empty()) order.push_back(key);
      values[key].insert(value);
      ++count[key];
    }
  }
  std::erase_if(order, [&](const auto& key) {
    return values[key].size() < 2 && count[key] == points.size();
  });
  return order;
}

Table points_table(const Sweep& sweep, const std::vector<PointResult>& points) {
  return points_table_of(sweep, points, varying_keys(points));
}

Table axes_table(const Sweep& sweep, const std::vector<PointResult>& points) {
  const auto scores = shown_scores(sweep, points);
  Table table;
  table.columns = {"key", "value", "points"};
  for (const auto& score : scores) table.columns.push_back(title(score));
  table.columns.push_back("s a job");
  for (const auto& key : varying_keys(points)) {
    std::vector<std::string> values;
    for (const auto& point : points) {
      const std::string value = setting_cell(point, key).text;
      if (std::ranges::count(values, value) == 0) values.push_back(value);
    }
    const size_t first_row = table.rows.size();
    for (const auto& value : values) {
      std::vector<Table::Cell> row{text_cell(key), text_cell(value)};
      const auto averaged = [&](auto number_of) {
        double sum = 0;
        int count = 0;
        for (const auto& point : points) {
          if (setting_cell(point, key).text != value) continue;
          if (const auto number = number_of(point)) {
            sum += *number;
            ++count;
          }
        }
        return count ? number_cell(sum / count, "{:.4g}") : text_cell("-");
      };
      row.push_back(number_cell(static_cast<double>(std::ranges::count_if(
          points, [&](const auto& point) { return setting_cell(point, key).text == value; }))));
      for (const auto& score : scores) {
        row.push_back(averaged([&](const PointResult& point) -> std::optional<double> {
          const SampleValues* samples = values_of(point, score.key);
          if (!samples) return std::nullopt;
          return mean_of(*samples).value;
        }));
      }
      row.push_back(averaged([](const PointResult& point) -> std::optional<double> {
        return point.done ? std::optional(point.seconds) : std::nullopt;
      }));
      table.rows.push_back(std::move(row));
    }
    for (size_t s = 0; s < scores.size(); ++s) {
      const size_t column = 3 + s;
      size_t best = table.rows.size();
      for (size_t r = first_row; r < table.rows.size(); ++r) {
        const auto& value = table.rows[r][column].value;
        if (!value) continue;
        const bool better = best == table.rows.size() ||
                            (scores[s].higher_is_better ? *value > *table.rows[best][column].value
                                                        : *value < *table.rows[best][column].value);
        if (better) best = r;
      }
      if (best < table.rows.size()) table.rows[best][column].text += "*";
    }
  }
  return table;
}

Table pareto_table(const Sweep& sweep, const std::vector<PointResult>& points,
                   const ScoreInfo& score) {
  std::vector<double> means, costs;
  std::vector<PointResult> candidates;
  for (const auto& point : points) {
    const SampleValues* values = values_of(point, score.key);
    if (!values) continue;
    means.push_back(mean_of(*values).value);
    costs.push_back(point.seconds);
    candidates.push_back(point);
  }
  std::vector<PointResult> front;
  for (const size_t i : pareto_front(means, score.higher_is_better, costs)) {
    front.push_back(candidates[i]);
  }
  std::ranges::sort(front, {}, &PointResult::seconds);
  Sweep only = sweep;
  only.show = {score.key};
  only.baseline.clear();
  return points_table_of(only, front, varying_keys(points));
}

}  // namespace momap
