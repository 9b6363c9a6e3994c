// SPDX-License-Identifier: Apache-2.0
#include "futures_page.h"

#include <fmt/format.h>

namespace momap {

std::vector<Figure> figures_of(const RecordedRun& run,
                               const std::vector<std::pair<std::string, std::string>>& steps) {
  std::vector<Figure> figures;
  for (const auto& [step, caption] : steps) {
    std::vector<std::filesystem::path> files;
    for (const auto& file : run.recorder->files()) {
      if (file.parent_path().filename() == step) files.push_back(file);
    }
    for (size_t k = 0; k < files.size(); ++k) {
      figures.push_back(
          {files[k], files.size() == 1 ? caption : fmt::format("{}, future {}", caption, k + 1)});
    }
  }
  return figures;
}

std::vector<std::vector<std::string>> score_table(const RecordedRun& run) {
  std::vector<std::vector<std::string>> rows{{"step", "score", "mean", "unit", "better"}};
  for (const auto& sum : run.recorder->totals()) {
    rows.push_back(
        {sum.step, sum.name,
         sum.count > 0 ? fmt::format("{:.4f}", sum.mean) : "undefined: " + sum.undefined_reason,
         sum.unit, sum.direction == Direction::higher_is_better ? "higher" : "lower"});
  }
  return rows;
}

PageSection futures_section(const RecordedRun& run, const std::string& prompt) {
  PageSection section;
  section.title = "From one photograph to possible futures";
  section.text = fmt::format(
      "Prompt: \"{}\". A diffusion model draws motion maps for the photograph; each moves its "
      "pixels, and what becomes "
      "visible is filled in. Every future starts from other noise.",
      prompt);
  section.figures = figures_of(run, {{"photo_png", "Photograph"}});
  // All futures start from the same depth.
  section.figures.push_back(
      figures_of(run, {{"depth_png", "Depth of the ground-plane prior"}}).at(0));
  section.figures.back().caption = "Depth of the ground-plane prior";
  for (auto& figure : figures_of(run, {{"video_mp4", "Video"},
                                       {"displacement_png", "Displacement"},
                                       {"tracks_png", "Tracks"}})) {
    section.figures.push_back(std::move(figure));
  }
  return section;
}

}  // namespace momap
