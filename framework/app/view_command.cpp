// SPDX-License-Identifier: Apache-2.0
#include "view_command.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/archive.h>
#include <momap/data/opencv.h>

#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

#include "page.h"
#include "run_maps.h"
#include "viewer_points.h"
#include "web_scripts.h"

namespace momap {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// The first picture of a file in the size of a map; nothing when it cannot be read as pictures.
std::optional<at::Tensor> first_picture(const fs::path& file, const MoMap& map) {
  cv::Mat rgb;
  if (file.extension() == ".safetensors") {
    const Datum datum = from_archive(read_safetensors(file));
    if (const auto* clip = std::get_if<Clip>(&datum)) {
      const at::Tensor first = clip->frames[0].contiguous();
      rgb = as_mat(first).clone();
    }
  } else {
    cv::Mat bgr;
    if (file.extension() == ".png") {
      bgr = cv::imread(file.string());
    } else {
      cv::VideoCapture(file.string()).read(bgr);
    }
    if (!bgr.empty()) cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  }
  if (rgb.empty()) return std::nullopt;
  const cv::Size size(static_cast<int>(map.width()), static_cast<int>(map.height()));
  if (rgb.size() != size) cv::resize(rgb, rgb, size, 0, 0, cv::INTER_AREA);
  return to_tensor(rgb);
}

ordered_json figures_json(const RunMap& map, const fs::path& folder) {
  ordered_json figures = ordered_json::array();
  for (const auto& figure : map.figures) {
    figures.push_back(
        {{"step", figure.step},
         {"url", relative_url(fs::weakly_canonical(figure.path)
                                  .lexically_proximate(fs::weakly_canonical(folder)))}});
  }
  return figures;
}

// Writes the points of one map after the other beside the page and lists them.
class PointFiles {
 public:
  PointFiles(fs::path folder, int64_t most) : folder_(std::move(folder)), most_(most) {}

  void add(const RunMap& map) {
    const Datum datum = from_archive(read_safetensors(map.file.path));
    if (const auto* momap = std::get_if<MoMap>(&datum)) {
      write(map, map.name, *momap,
            map.reference ? first_picture(map.reference->path, *momap) : std::nullopt);
    } else if (const auto* clip = std::get_if<Clip>(&datum)) {
      for (size_t k = 0; k < clip->truth.size(); ++k) {
        const auto& future = clip->truth[k];
        const std::string name = fmt::format("{}, true future {}{}", map.name, k + 1,
                                             future.caption.empty() ? "" : ": " + future.caption);
        write(map, name, future.motion, clip->frames[0]);
      }
    }
  }

  const ordered_json& list() const { return list_; }

 private:
  void write(const RunMap& map, const std::string& name, const MoMap& momap,
             const std::optional<at::Tensor>& picture) {
    const size_t index = list_.size();
    const auto file = fs::path("view.data") / fmt::format("{}.js", index);
    try {
      write_viewer_points(folder_ / file, static_cast<int64_t>(index), momap, picture, most_);
    } catch (const DataError& e) {
      throw DataError(fmt::format("{}: {}", shown(map.file.path), e.what()));
    }
    list_.push_back({{"name", name},
                     {"step", map.file.step},
                     {"script", relative_url(file)},
                     {"figures", figures_json(map, folder_)}});
  }

  fs::path folder_;
  int64_t most_;
  ordered_json list_ = ordered_json::array();
};

}  // namespace

bool write_view(const FinishedRun& run, const fs::path& folder, int64_t most) {
  PointFiles points(folder, most);
  for (const auto& map : maps_of(run)) points.add(map);
  if (points.list().empty()) return false;
  const std::string name = fs::weakly_canonical(run.folder).filename().string();
  const ordered_json json{{"name", name}, {"finished", run.finished}, {"maps", points.list()}};
  write_script_page(folder / "view.html", name + " - MoMap view", "momapRun",
                    json.dump(-1, ' ', true, ordered_json::error_handler_t::replace),
                    viewer_script());
  return true;
}

int view_command(const Options& options) {
  const FinishedRun run = read_finished_run(options.folder);
  const fs::path folder = options.output.empty() ? run.folder : fs::path(options.output);
  if (!write_view(run, folder, options.points)) {
    throw ConfigError(
        fmt::format("{}: holds no MoMap; add this step to its graph and run it again (what is "
                    "unchanged comes from the cache):\n  {}",
                    shown(run.folder), map_step_advice(run)));
  }
  fmt::print("{}\n", shown(fs::absolute(folder / "view.html")));
  return kExitOk;
}

}  // namespace momap
