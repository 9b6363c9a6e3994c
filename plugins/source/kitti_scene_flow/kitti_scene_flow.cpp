// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>

#include <cmath>
#include <map>
#include <sstream>

#include "formats/files.h"
#include "formats/flow.h"
#include "formats/images.h"
#include "formats/sequence_source.h"
#include "formats/truth.h"

// KITTI 2015 scene flow: image_2/000000_10.png and _11.png, disp_occ_0, disp_occ_1 (both on the
// pixel grid of frame 10), flow_occ, flow_noc, obj_map, calib_cam_to_cam.

namespace {

namespace fs = std::filesystem;
namespace formats = momap::formats;
using formats::ClipFrames;
using momap::DataError;
using momap::param;

class KittiSceneFlowSource final : public formats::SequenceSource {
 public:
  struct Params {
    std::string path;
    std::string split = "training";
    std::string sequence;
    bool camera_relative_truth = false;

    static auto schema() {
      return std::tuple{
          param("path", &Params::path, "Folder of the data set (it holds training/).").required(),
          param("split", &Params::split, "Testing has images and calibration only.")
              .one_of({"training", "testing"}),
          param("sequence", &Params::sequence, "Read this pair only (\"000139\"); empty = all."),
          param("camera_relative_truth", &Params::camera_relative_truth,
                "Give the benchmark's scene flow as truth[0]. It is relative to the moving camera, "
                "as if the camera stood still; the data set does not tell how it moves.")};
    }
  };

  explicit KittiSceneFlowSource(const Params& params)
      : SequenceSource(pairs(params)),
        split_(root() / params.split),
        relative_truth_(params.camera_relative_truth) {}

 private:
  struct Calibration {
    momap::Camera camera;
    double baseline_m = 0;
  };

  static formats::SequenceParams pairs(const Params& params) {
    formats::SequenceParams cut;
    cut.path = params.path;
    cut.sequence = params.sequence;
    cut.frames = 2;
    return cut;
  }

  std::vector<formats::Sequence> sequences() const override {
    static constexpr std::string_view kFirst = "_10.png";
    std::vector<formats::Sequence> found;
    for (const auto& name : formats::files_in(split_ / "image_2", {std::string(kFirst)})) {
      found.push_back({name.substr(0, name.size() - kFirst.size()), 10, 2});
    }
    return found;
  }

  std::string layout() const override {
    return fmt::format("{}/image_2/000000_10.png", split_.filename().string());
  }

  fs::path file(const ClipFrames& clip, const char* kind, int64_t number = 10) const {
    return split_ / kind / fmt::format("{}_{}.png", clip.sequence.name, number);
  }
  fs::path calibration_file(const ClipFrames& clip) const {
    return split_ / "calib_cam_to_cam" / (clip.sequence.name + ".txt");
  }
  bool has(const char* kind) const { return fs::is_directory(split_ / kind); }

  std::vector<fs::path> files(const ClipFrames& clip) const override {
    return {file(clip, "image_2", 10), file(clip, "image_2", 11), file(clip, "flow_occ"),
            file(clip, "flow_noc"),    file(clip, "disp_occ_0"),  file(clip, "disp_occ_1"),
            file(clip, "obj_map"),     calibration_file(clip)};
  }

  momap::Clip read(const ClipFrames& clip, const momap::Context& context) const override {
    momap::Clip out;
    out.frames =
        formats::read_frames({file(clip, "image_2", 10), file(clip, "image_2", 11)}, context);
    out.fps = 10;
    if (has("flow_occ")) {
      const at::Tensor flow = map(clip, "flow_occ", formats::read_kitti_flow, out);
      out.flow = flow.unsqueeze(0);
      if (has("flow_noc")) out.occluded = occluded(clip, flow, out);
    }
    if (has("obj_map")) out.segments = map(clip, "obj_map", formats::read_labels, out);
    if (!has("calib_cam_to_cam")) return out;
    const Calibration calibration = read_calibration(clip, out);
    out.camera = calibration.camera;
    if (has("disp_occ_0")) {
      const at::Tensor first = depth(clip, "disp_occ_0", calibration, out);
      // The other disparity is on this grid too: of the second image's own pixels none is known.
      out.depth = at::stack({first, at::zeros(first.sizes(), at::kFloat)});
      if (relative_truth_ && has("disp_occ_1") && out.flow) add_truth(clip, calibration, out);
    }
    return out;
  }

  template <class Read>
  at::Tensor map(const ClipFrames& clip, const char* kind, Read read_one,
                 const momap::Clip& out) const {
    at::Tensor map = read_one(file(clip, kind));
    formats::require_size(map, out.height(), out.width(), file(clip, kind));
    return map;
  }

  at::Tensor depth(const ClipFrames& clip, const char* kind, const Calibration& calibration,
                   const momap::Clip& out) const {
    return formats::depth_from_disparity(map(clip, kind, formats::read_kitti_disparity, out),
                                         calibration.camera.fx, calibration.baseline_m);
  }

  // Known in flow_occ but not among the pixels that both images show.
  at::Tensor occluded(const ClipFrames& clip, const at::Tensor& flow,
                      const momap::Clip& out) const {
    const at::Tensor seen = map(clip, "flow_noc", formats::read_kitti_flow, out);
    at::Tensor hidden = at::zeros({1, out.height(), out.width()}, at::kBool);
    for (int64_t i = 0; i < hidden.numel(); ++i) {
      hidden.data_ptr<bool>()[i] =
          !std::isnan(flow.data_ptr<float>()[2 * i]) && std::isnan(seen.data_ptr<float>()[2 * i]);
    }
    return hidden;
  }

  void add_truth(const ClipFrames& clip, const Calibration& calibration, momap::Clip& out) const {
    const at::Tensor z = depth(clip, "disp_occ_1", calibration, out);
    const at::Tensor hidden =
        out.occluded ? (*out.occluded)[0] : at::zeros({out.height(), out.width()}, at::kBool);
    out.truth.push_back(
        {.motion = formats::pair_motion((*out.depth)[0],
                                        formats::points_along_flow((*out.flow)[0], z, *out.camera),
                                        hidden, *out.camera, Eigen::Isometry3d::Identity()),
         .caption = "",
         .actions = {}});
  }

  // P_rect_02 = [fx 0 cx -fx * b; ...] is the left colour camera, P_rect_03 the right one.
  Calibration read_calibration(const ClipFrames& clip, const momap::Clip& out) const {
    const fs::path path = calibration_file(clip);
    std::istringstream text(formats::read_bytes(path, 1 << 20));
    std::map<std::string, std::vector<double>> found;
    for (std::string line; std::getline(text, line);) {
      for (const char* key : {"P_rect_02", "P_rect_03"}) {
        if (!line.starts_with(std::string(key) + ":")) continue;
        const auto numbers = formats::parse_numbers(std::string_view(line).substr(10));
        if (!numbers || numbers->size() != 12) {
          throw DataError(fmt::format("{}: {} is not 12 numbers", momap::shown(path), key));
        }
        found[key] = *numbers;
      }
    }
    if (found.size() != 2) {
      throw DataError(
          fmt::format("{}: expected the lines P_rect_02: and P_rect_03:", momap::shown(path)));
    }
    const auto& left = found["P_rect_02"];
    Calibration calibration;
    calibration.camera = {left[0], left[5], left[2], left[6], out.width(), out.height()};
    calibration.baseline_m = (left[3] - found["P_rect_03"][3]) / left[0];
    if (!(left[0] > 0 && left[5] > 0 && calibration.baseline_m > 0)) {
      throw DataError(fmt::format("{}: fx = {}, baseline = {} m; expected both > 0",
                                  momap::shown(path), left[0], calibration.baseline_m));
    }
    return calibration;
  }

  fs::path split_;
  bool relative_truth_;
};

}  // namespace

MOMAP_PLUGIN(KittiSceneFlowSource, "source/kitti_scene_flow", 1,
             "Reads KITTI 2015 scene flow: pairs of street images with sparse flow and depth.");
