// SPDX-License-Identifier: Apache-2.0
#include "db_report.h"

#include <fmt/format.h>
#include <momap/base/text.h>
#include <momap/data/opencv.h>
#include <momap/store/database.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <set>

#include "base64.h"
#include "db_totals.h"
#include "page.h"

namespace momap {
namespace {

constexpr int64_t kPictures = 24;
constexpr int kPictureWidth = 320;  // px
constexpr size_t kDropsShown = 20;

// The reference frame with the paths of moving points drawn over it.
cv::Mat picture(const Clip& clip) {
  cv::Mat bgr;
  const at::Tensor first = clip.frames[0].contiguous();
  cv::cvtColor(as_mat(first), bgr, cv::COLOR_RGB2BGR);
  const double scale = static_cast<double>(kPictureWidth) / bgr.cols;
  cv::resize(bgr, bgr, {}, scale, scale, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  if (clip.truth.empty()) return bgr;
  const MoMap& map = clip.truth[0].motion;
  const at::Tensor xyz = map.xyz.contiguous(), valid = map.valid.contiguous();
  const float* points = xyz.data_ptr<float>();
  const bool* known = valid.data_ptr<bool>();
  const int64_t pixels = map.height() * map.width();
  const int64_t step = std::max<int64_t>(2, map.width() / 40);
  for (int64_t y = step / 2; y < map.height(); y += step) {
    for (int64_t x = step / 2; x < map.width(); x += step) {
      const int64_t p = y * map.width() + x;
      if (!known[p]) continue;
      std::vector<cv::Point> path;
      double longest = 0;
      for (int64_t t = 0; t < map.frames(); ++t) {
        const float* at = points + 3 * (t * pixels + p);
        if (!(at[2] > 0)) break;
        const double u = (map.camera.fx * at[0] / at[2] + map.camera.cx + 0.5) * scale;
        const double v = (map.camera.fy * at[1] / at[2] + map.camera.cy + 0.5) * scale;
        if (!(std::abs(u) < 1e4 && std::abs(v) < 1e4)) break;
        path.emplace_back(static_cast<int>(u * 16), static_cast<int>(v * 16));
        longest = std::max(longest, cv::norm(path.back() - path.front()) / 16);
      }
      if (longest < 2) continue;
      cv::polylines(bgr, path, false, {0, 220, 255}, 1, cv::LINE_AA, 4);
      cv::circle(bgr, path.front(), 24, {60, 60, 255}, cv::FILLED, cv::LINE_AA, 4);
    }
  }
  return bgr;
}

PageSection overview(const DatabaseTotals& totals) {
  PageSection section;
  section.title = "What it holds";
  section.text = "Sizes are frames x height x width of the motion maps.";
  section.table = {
      {"", ""},
      {"samples", fmt::format("{} in {} shards", totals.samples, totals.shards.size())},
      {"on disk", human_bytes(static_cast<double>(totals.bytes))},
      {"motion maps as plain f32", human_bytes(totals.plain_bytes)},
      {"stored error, at most", totals.rmse_bound_m > 0
                                    ? fmt::format("{:.3g} m rms", totals.rmse_bound_m)
                                    : "none: the same bits"},
      {"sizes", counted(totals.sizes)},
      {"codecs", counted(totals.codecs)},
      {"splits", counted(totals.splits)},
      {"with a caption", fmt::format("{}", totals.captions)},
      {"video", fmt::format("{:.1f} s", totals.seconds)}};
  return section;
}

PageSection quality(const DatabaseTotals& totals) {
  PageSection section;
  section.title = "Quality of what was kept";
  section.text = "Figures that could be measured.";
  section.table = {{"figure", "least", "mean", "most", "samples"}};
  for (const auto& [name, range] : totals.quality) {
    section.table.push_back({name, fmt::format("{:.4g}", range.least),
                             fmt::format("{:.4g}", range.mean()), fmt::format("{:.4g}", range.most),
                             fmt::format("{}", range.count)});
  }
  return section;
}

// Thresholds of the recipes that made the samples, by the rule that drops name; one that differs
// between parts of a merged database has several.
std::map<std::string, std::set<std::string>> thresholds(const Database& database,
                                                        const DatabaseTotals& totals) {
  std::map<std::string, std::set<std::string>> rules;
  for (const auto& [hash, samples] : totals.provenances) {
    const auto origin = nlohmann::json::parse(database.provenance(hash), nullptr, false);
    if (!origin.is_object() || !origin.contains("db") || !origin["db"].is_object()) continue;
    for (const auto& [key, value] : origin["db"].items()) {
      const bool rule = key.starts_with("min_") || (key.starts_with("max_") && key != "max_rmse_m");
      const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
      if (rule) rules[key].insert(text);
      if (key == "duplicate_bits") rules["duplicate"].insert(text + " bits");
    }
  }
  return rules;
}

void add_drops(const Database& database, const DatabaseTotals& totals,
               std::vector<PageSection>& sections) {
  PageSection counts;
  counts.title = "What was dropped, and why";
  const auto by_reason = database.drops_by_reason();
  auto rules = thresholds(database, totals);
  for (const auto& [reason, count] : by_reason) rules.try_emplace(reason);
  counts.text = by_reason.empty() ? "Nothing was dropped." : "Candidates by the rule they broke.";
  if (!rules.empty()) counts.table.push_back({"rule", "threshold", "candidates dropped"});
  for (const auto& [rule, values] : rules) {
    const auto found = by_reason.find(rule);
    counts.table.push_back({rule, join({values.begin(), values.end()}, " / "),
                            fmt::format("{}", found == by_reason.end() ? 0 : found->second)});
  }
  sections.push_back(counts);
  if (by_reason.empty()) return;
  PageSection list;
  list.title = "Some of them";
  list.text = fmt::format(
      "The first {} by name; the others are in the catalogue's table 'dropped'.", kDropsShown);
  list.table.push_back({"candidate", "rule", "measured", "threshold", ""});
  database.for_each_drop([&](const Drop& drop) {
    if (list.table.size() > kDropsShown) return;
    const bool measured = drop.reason != "failed" && drop.reason != "duplicate";
    list.table.push_back({drop.id, drop.reason, measured ? fmt::format("{:.4g}", drop.value) : "",
                          drop.reason == "failed" ? "" : fmt::format("{:.4g}", drop.threshold),
                          drop.text});
  });
  sections.push_back(list);
}

PageSection pictures(const Database& database) {
  PageSection section;
  section.title = "Samples";
  section.text =
      "Reference frames, evenly spread over the database; yellow: where points go, from their red "
      "start.";
  const int64_t all = database.size(), shown = std::min(all, kPictures);
  for (int64_t k = 0; k < shown; ++k) {
    const Entry entry = database.entry(k * all / shown);
    std::vector<uint8_t> jpeg;
    cv::imencode(".jpg", picture(database.read(entry)), jpeg, {cv::IMWRITE_JPEG_QUALITY, 80});
    Figure figure;
    figure.caption = entry.caption.empty() ? entry.id : entry.id + ": " + entry.caption;
    figure.data = "data:image/jpeg;base64," + base64(jpeg);
    section.figures.push_back(std::move(figure));
  }
  return section;
}

}  // namespace

std::filesystem::path write_database_report(const std::filesystem::path& folder) {
  const Database database(folder);
  DatabaseTotals totals;
  database.for_each([&](const Entry& entry) { totals.add(entry); });
  std::vector<PageSection> sections{overview(totals)};
  if (totals.samples > 0) sections.push_back(pictures(database));
  if (!totals.quality.empty()) sections.push_back(quality(totals));
  add_drops(database, totals, sections);
  auto page = folder / "report.html";
  write_page(page, fmt::format("MoMap database {}", folder.lexically_normal().filename().string()),
             sections);
  return page;
}

}  // namespace momap
