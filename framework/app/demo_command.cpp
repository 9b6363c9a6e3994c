// SPDX-License-Identifier: Apache-2.0
#include "demo_command.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/run/threads.h>

#include "futures_page.h"
#include "page.h"
#include "run_command.h"

namespace momap {
namespace {

constexpr const char* kPrompt = "a man runs";

constexpr const char* kPhoto = "/usr/share/doc/opencv-doc/examples/data/messi5.jpg";

// configs/graphs/generate.yaml on a photograph of Debian's opencv-doc, with a guess of its camera.
GraphOptions photo_options() {
  GraphOptions options;
  options.overrides = {fmt::format("photo.with.path=${{env:MOMAP_DEMO_PHOTO:-{}}}", kPhoto),
                       fmt::format("photo.with.prompt={}", kPrompt),
                       "photo.with.fov_degrees=30",
                       "depth.with.camera_height_m=1.2",
                       "depth.with.pitch_degrees=4",
                       "sample.with.samples=4",
                       "seed=1"};
  return options;
}

PageSection video_section(const RecordedRun& run) {
  PageSection section;
  section.title = "From a real video to motion, and back";
  section.text =
      "A street camera (vtest.avi of OpenCV). The camera's motion is estimated; depth is a prior, "
      "flat ground seen from "
      "this camera's height and pitch with walkers standing on it. Dense flow is chained into the "
      "3D path of every "
      "pixel of frame 0, the motion map goes through the encoding, frame 0 is moved along it and "
      "completed. The scores "
      "compare the result with the frames that were really recorded.";
  section.figures =
      figures_of(run, {{"input_mp4", "Input video"},
                       {"result_mp4", "Frame 0 moved along the motion map, completed"},
                       {"comparison_mp4", "The same, the recorded frames, and their difference"},
                       {"warped_mp4", "Before completion: holes as checkerboard"},
                       {"tracks_mp4", "Tracks over the input"},
                       {"displacement_png", "Displacement in the last frame"},
                       {"depth_png", "Depth of frame 0 (ground-plane prior)"}});
  section.table = score_table(run);
  return section;
}

}  // namespace

int demo_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  const auto graphs = install_root() / "share/momap/graphs";
  const Graph video = read_graph(graphs / "demo_video.yaml", catalog);
  const Graph photo = read_graph(graphs / "generate.yaml", catalog, photo_options());
  const ThreadBudget budget(options.threads);
  const auto cache = open_cache(options);
  const auto folder = run_folder(options, "demo");
  std::vector<PageSection> sections;
  const auto run = [&](const Graph& graph, const char* name) {
    if (!options.quiet) fmt::print("== {}\n", shown(graph.file.filename()));
    auto done = recorded_run(graph, folder / name,
                             run_options(options, budget.count(), cache.get()), cache.get());
    if (done.summary.cancelled) throw Cancelled();
    if (done.summary.failed > 0) throw DataError(done.recorder->failures().at(0));
    if (!options.quiet) fmt::print("{}\n", summary_text(done.summary, *done.recorder));
    return done;
  };
  sections.push_back(video_section(run(video, "video")));
  sections.push_back(futures_section(run(photo, "photo"), kPrompt));
  const auto page = folder / "index.html";
  write_page(page, "MoMap demo", sections);
  fmt::print("{}\n", shown(std::filesystem::absolute(page)));
  return kExitOk;
}

}  // namespace momap
