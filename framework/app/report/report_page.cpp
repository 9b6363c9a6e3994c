// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "page.h"
#include "report.h"
#include "run_maps.h"
#include "view_command.h"
#include "web_scripts.h"

namespace momap {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

ordered_json to_json(const std::optional<Interval>& figure) {
  if (!figure) return nullptr;
  return {figure->value, figure->low, figure->high};
}

/// What a key of SampleValues says.
struct SampleKey {
  std::string sample;
  int64_t future = 0;
  std::string seed;  // of pooled results
};

SampleKey parsed(std::string key, bool pooled) {
  SampleKey out;
  const auto take = [&] {
    const size_t slash = key.rfind('/');
    std::string last = key.substr(slash + 1);
    key.resize(slash);
    return last;
  };
  if (pooled) out.seed = take();
  out.future = std::stoll(take());
  out.sample = std::move(key);
  return out;
}

ordered_json to_json(const ReportRow& row, const ScoreInfo& score) {
  ordered_json out = ordered_json::object();
  const auto values = row.result.values.find(score.key);
  if (values != row.result.values.end() && !values->second.empty()) {
    out["mean"] = to_json(mean_of(values->second));
    ordered_json samples = ordered_json::array();
    for (const auto& [key, value] : values->second) {
      const SampleKey of = parsed(key, row.pooled);
      samples.push_back({of.sample, of.future, of.seed, value});
    }
    out["samples"] = std::move(samples);
  }
  const auto undefined = row.result.undefined.find(score.key);
  if (undefined != row.result.undefined.end()) out["undefined"] = undefined->second;
  return out;
}

// Samples of a row, those with the worst value of the first score first.
std::vector<std::string> worst_first(const ReportRow& row, const std::vector<ScoreInfo>& scores) {
  std::vector<std::pair<double, std::string>> order;
  const auto values =
      scores.empty() ? row.result.values.end() : row.result.values.find(scores[0].key);
  if (values != row.result.values.end()) {
    for (const auto& [key, value] : values->second) {
      order.emplace_back(scores[0].higher_is_better ? value : -value,
                         parsed(key, row.pooled).sample);
    }
  }
  std::ranges::stable_sort(order, {}, &std::pair<double, std::string>::first);
  std::vector<std::string> names;
  for (auto& [value, name] : order) {
    if (std::ranges::count(names, name) == 0) names.push_back(std::move(name));
  }
  return names;
}

// Whether a result belongs to a sample: it has its name, or that and "-k".
bool shows(const std::string& result, const std::string& sample) {
  if (!result.starts_with(sample)) return false;
  const std::string_view rest = std::string_view(result).substr(sample.size());
  return rest.empty() || (rest.front() == '-' && rest.size() > 1 &&
                          rest.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

/// Puts what rows show into the folder of the page.
class RowFiles {
 public:
  RowFiles(const fs::path& folder, bool copies, const ReportOptions& options)
      : folder_(fs::weakly_canonical(fs::absolute(folder))), copies_(copies), options_(options) {}

  void add(const ReportRow& row, const std::vector<ScoreInfo>& scores, size_t index,
           ordered_json& out) const {
    if (row.run.empty()) return;
    const FinishedRun run = read_finished_run(row.run);
    const fs::path own = folder_ / "report.data" / std::to_string(index);
    const auto figures = figures_by_name(run);
    std::vector<std::string> samples = worst_first(row, scores);
    if (samples.empty()) {  // no scores: by name
      for (const auto& [name, files] : figures) samples.push_back(name);
    }
    ordered_json list = ordered_json::array();
    int64_t left = options_.samples;
    std::set<std::string> used;
    for (const std::string& sample : samples) {
      bool any = false;
      for (const auto& [name, files] : figures) {
        if (!shows(name, sample) || left == 0 || !used.insert(name).second) continue;
        any = true;
        for (const RunFile& file : files) {
          list.push_back({{"sample", sample},
                          {"name", name},
                          {"step", file.step},
                          {"url", url_of(file, row.run, own)}});
        }
      }
      left -= any;
    }
    if (!list.empty()) out["figures"] = std::move(list);
    if (write_view(run, own, options_.points)) {
      out["view"] = relative_url((own / "view.html").lexically_proximate(folder_));
    }
  }

 private:
  std::string url_of(const RunFile& file, const fs::path& run, const fs::path& own) const {
    fs::path shown_file = fs::weakly_canonical(fs::absolute(file.path));
    const bool is_here = *shown_file.lexically_relative(folder_).begin() != "..";
    if (copies_ && !is_here) {
      shown_file = own / file.path.lexically_relative(run);
      fs::create_directories(shown_file.parent_path());
      fs::copy_file(file.path, shown_file, fs::copy_options::overwrite_existing);
    }
    return relative_url(shown_file.lexically_relative(folder_));
  }

  fs::path folder_;
  bool copies_;
  ReportOptions options_;
};

ordered_json to_json(const ReportRow& row, const std::vector<ScoreInfo>& scores) {
  ordered_json out{{"name", row.name}};
  if (!row.remarks.empty()) out["remarks"] = row.remarks;
  if (!row.failure.empty()) out["failure"] = row.failure;
  if (row.rank > 0) out["rank"] = row.rank;
  if (!row.settings.empty()) {
    ordered_json settings = ordered_json::object();
    for (const auto& [key, value] : row.settings) settings[key] = value;
    out["settings"] = std::move(settings);
  }
  out["scores"] = ordered_json::object();
  for (const ScoreInfo& score : scores) {
    if (auto entry = to_json(row, score); !entry.empty())
      out["scores"][score.key] = std::move(entry);
  }
  out["seconds"] = to_json(row.seconds);
  out["ratio"] = to_json(row.ratio);
  if (row.gib) out["gib"] = *row.gib;
  if (!row.result.step_seconds.empty()) out["stepSeconds"] = row.result.step_seconds;
  if (!row.result.plugins.empty()) out["plugins"] = row.result.plugins;
  out["graph"] = row.result.graph;
  return out;
}

}  // namespace

fs::path write_report(const Report& report, const fs::path& folder, bool copies,
                      const ReportOptions& options) {
  const RowFiles files(folder, copies, options);
  ordered_json scores = ordered_json::array(), facts = ordered_json::array(),
               rows = ordered_json::array(), curves = ordered_json::array();
  for (const ScoreInfo& score : report.scores) {
    scores.push_back(
        {{"key", score.key}, {"unit", score.unit}, {"higher", score.higher_is_better}});
  }
  for (const auto& [label, text] : report.facts) facts.push_back({label, text});
  for (size_t i = 0; i < report.rows.size(); ++i) {
    rows.push_back(to_json(report.rows[i], report.scores));
    files.add(report.rows[i], report.scores, i, rows.back());
  }
  for (const ReportCurve& curve : report.curves) {
    curves.push_back({{"name", curve.name}, {"points", curve.points}});
  }
  const ordered_json json{
      {"kind", report.kind},       {"title", report.title},     {"facts", facts},
      {"varying", report.varying}, {"scores", scores},          {"cost", report.cost},
      {"repeat", report.repeat},   {"samples", report.samples}, {"rows", rows},
      {"curves", curves}};
  fs::path page = folder / "report.html";
  write_script_page(page, report.title + " - MoMap report", "momapReport",
                    json.dump(-1, ' ', true, ordered_json::error_handler_t::replace),
                    report_script());
  return page;
}

}  // namespace momap
