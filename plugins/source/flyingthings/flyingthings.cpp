// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>

#include <cmath>
#include <limits>
#include <map>
#include <sstream>

#include "formats/files.h"
#include "formats/images.h"
#include "formats/pfm.h"
#include "formats/pose.h"
#include "formats/sequence_source.h"
#include "formats/truth.h"

// FlyingThings3D, Monkaa and Driving: frames_cleanpass/SEQ/left/0006.png, disparity/SEQ/left/
// 0006.pfm, optical_flow/SEQ/into_future/left/OpticalFlowIntoFuture_0006_L.pfm, disparity_change/
// SEQ/into_future/left/0006.pfm, camera_data/SEQ/camera_data.txt, with SEQ = TRAIN/A/0000 or so.

namespace {

namespace fs = std::filesystem;
namespace formats = momap::formats;
using formats::ClipFrames;
using momap::DataError;
using momap::param;

class FlyingThingsSource final : public formats::SequenceSource {
 public:
  struct Params : formats::SequenceParams {
    std::string render_pass = "finalpass";
    double focal_px = 0;

    Params() { frames = 2; }

    static auto schema() {
      return std::tuple_cat(
          formats::SequenceParams::schema(),
          std::tuple{param("render_pass", &Params::render_pass,
                           "Images with or without blur and other effects.")
                         .one_of({"finalpass", "cleanpass"}),
                     param("focal_px", &Params::focal_px,
                           "Focal length; 0 = 1050, and 450 in folders named 15mm_focallength.")
                         .unit("px")
                         .at_least(0)});
    }
  };

  explicit FlyingThingsSource(const Params& params)
      : SequenceSource(params),
        frames_(root() / ("frames_" + params.render_pass)),
        focal_px_(params.focal_px) {}

 private:
  static constexpr int kDeepest = 4;
  static constexpr double kBaseline = 1;  // in the data set's length unit, which is taken as metre

  std::vector<formats::Sequence> sequences() const override {
    std::vector<formats::Sequence> found;
    find(frames_, "", 0, found);
    return found;
  }

  static formats::FrameFiles numbered(const char* suffix) { return {"", 4, suffix}; }

  static const char* image_suffix(const fs::path& folder) {
    return numbered(".png").range(folder) ? ".png" : ".webp";
  }

  static void find(const fs::path& folder, const std::string& name, int depth,
                   std::vector<formats::Sequence>& found) {
    const fs::path left = folder / "left";
    if (const auto range = numbered(image_suffix(left)).range(left)) {
      found.push_back({name, range->first, range->last - range->first + 1});
    } else if (depth < kDeepest) {
      for (const auto& inner : formats::folders_in(folder)) {
        find(folder / inner, name.empty() ? inner : fmt::format("{}/{}", name, inner), depth + 1,
             found);
      }
    }
  }

  std::string layout() const override {
    return fmt::format("{}/TRAIN/A/0000/left/0006.png", frames_.filename().string());
  }

  fs::path image(const ClipFrames& clip, int64_t number) const {
    const fs::path folder = frames_ / clip.sequence.name / "left";
    return folder / numbered(image_suffix(folder)).name(number);
  }
  fs::path disparity(const ClipFrames& clip, int64_t number) const {
    return root() / "disparity" / clip.sequence.name / "left" / numbered(".pfm").name(number);
  }
  fs::path flow(const ClipFrames& clip, int64_t number) const {
    return root() / "optical_flow" / clip.sequence.name / "into_future/left" /
           formats::FrameFiles{"OpticalFlowIntoFuture_", 4, "_L.pfm"}.name(number);
  }
  fs::path change(const ClipFrames& clip, int64_t number) const {
    return root() / "disparity_change" / clip.sequence.name / "into_future/left" /
           numbered(".pfm").name(number);
  }
  fs::path cameras(const ClipFrames& clip) const {
    return root() / "camera_data" / clip.sequence.name / "camera_data.txt";
  }

  std::vector<fs::path> files(const ClipFrames& clip) const override {
    std::vector<fs::path> all{cameras(clip)};
    for (const int64_t number : clip.numbers) {
      all.push_back(image(clip, number));
      all.push_back(disparity(clip, number));
      all.push_back(flow(clip, number));
      all.push_back(change(clip, number));
    }
    return all;
  }

  momap::Clip read(const ClipFrames& clip, const momap::Context& context) const override {
    momap::Clip out;
    std::vector<fs::path> images;
    for (const int64_t number : clip.numbers) images.push_back(image(clip, number));
    out.frames = formats::read_frames(images, context);
    out.camera = camera(clip, out);
    const auto number = [&](int64_t i) { return clip.numbers[static_cast<size_t>(i)]; };
    if (fs::is_directory(disparity(clip, 0).parent_path())) {
      out.depth = formats::read_stack(
          clip.length(),
          [&](int64_t i) {
            return formats::depth_from_disparity(map(disparity(clip, number(i)), 1, out),
                                                 out.camera->fx, kBaseline);
          },
          [&](int64_t i) { return momap::shown(disparity(clip, number(i))); }, context);
    }
    if (clip.stride == 1 && clip.length() > 1 && fs::is_directory(flow(clip, 0).parent_path())) {
      out.flow = formats::read_stack(
          clip.length() - 1, [&](int64_t i) { return read_flow(flow(clip, number(i)), out); },
          [&](int64_t i) { return momap::shown(flow(clip, number(i))); }, context);
    }
    if (fs::exists(cameras(clip))) out.cam_from_world = poses(clip);
    const bool exact = clip.length() == 2 && out.depth && out.flow && out.cam_from_world &&
                       fs::is_directory(change(clip, 0).parent_path());
    if (exact) add_truth(clip, out);
    return out;
  }

  momap::Camera camera(const ClipFrames& clip, const momap::Clip& out) const {
    const bool wide = clip.sequence.name.find("15mm_focallength") != std::string::npos;
    const double focal = focal_px_ > 0 ? focal_px_ : wide ? 450 : 1050;
    return {focal,
            focal,
            0.5 * static_cast<double>(out.width() - 1),
            0.5 * static_cast<double>(out.height() - 1),
            out.width(),
            out.height()};
  }

  static at::Tensor map(const fs::path& path, int64_t channels, const momap::Clip& out) {
    at::Tensor map = formats::read_pfm(path);
    const int64_t found = map.dim() == 3 ? map.size(2) : 1;
    if (found != channels) {
      throw DataError(
          fmt::format("{}: has {} channels; expected {}", momap::shown(path), found, channels));
    }
    formats::require_size(map, out.height(), out.width(), path);
    return map;
  }

  // The third channel is not used.
  static at::Tensor read_flow(const fs::path& path, const momap::Clip& clip) {
    const at::Tensor stored = map(path, 3, clip);
    at::Tensor flow = at::empty({clip.height(), clip.width(), 2}, at::kFloat);
    const float* in = stored.data_ptr<float>();
    float* out = flow.data_ptr<float>();
    for (int64_t i = 0; i < clip.height() * clip.width(); ++i, in += 3, out += 2) {
      const bool known = std::isfinite(in[0]) && std::isfinite(in[1]);
      out[0] = known ? in[0] : std::numeric_limits<float>::quiet_NaN();
      out[1] = known ? in[1] : std::numeric_limits<float>::quiet_NaN();
    }
    return flow;
  }

  // Lines "Frame n", "L <16 numbers>", "R <16 numbers>": camera to world, row by row, of cameras
  // that look along -z with y up.
  at::Tensor poses(const ClipFrames& clip) const {
    const fs::path path = cameras(clip);
    std::istringstream text(formats::read_bytes(path, 16 << 20));
    std::map<int64_t, Eigen::Isometry3d> found;
    int64_t frame = -1;
    const Eigen::DiagonalMatrix<double, 3> turn(1, -1, -1);
    for (std::string line; std::getline(text, line);) {
      if (line.starts_with("Frame ")) {
        const auto number = formats::parse_numbers(std::string_view(line).substr(6));
        frame = number && number->size() == 1 ? static_cast<int64_t>((*number)[0]) : -1;
      } else if (line.starts_with("L ")) {
        const auto numbers = formats::parse_numbers(std::string_view(line).substr(2));
        if (!numbers || numbers->size() != 16 || frame < 0) {
          throw DataError(fmt::format("{}: the pose 'L' of frame {} is not 16 numbers",
                                      momap::shown(path), frame));
        }
        Eigen::Isometry3d world_from_cam = formats::rigid_motion(numbers->data(), path);
        world_from_cam.linear() = world_from_cam.linear() * turn;
        found[frame] = world_from_cam.inverse();
      }
    }
    std::vector<Eigen::Isometry3d> poses;
    for (const int64_t number : clip.numbers) {
      const auto pose = found.find(number);
      if (pose == found.end()) {
        throw DataError(fmt::format("{}: has no pose 'L' of frame {}", momap::shown(path), number));
      }
      poses.push_back(pose->second);
    }
    return formats::pose_tensor(poses);
  }

  // Disparity of frame 0 plus its change is that of the same point in frame 1, also where hidden.
  void add_truth(const ClipFrames& clip, momap::Clip& out) const {
    const int64_t first = clip.numbers.front();
    const at::Tensor before = map(disparity(clip, first), 1, out);
    const at::Tensor changes = map(change(clip, first), 1, out);
    const at::Tensor z =
        formats::depth_from_disparity(before.add(changes), out.camera->fx, kBaseline);
    const at::Tensor points = formats::points_along_flow((*out.flow)[0], z, *out.camera);
    const double* pose = out.cam_from_world->data_ptr<double>();
    out.truth.push_back(
        {.motion = formats::pair_motion(
             (*out.depth)[0], points, formats::hidden_behind(points, (*out.depth)[1], *out.camera),
             *out.camera,
             formats::rigid_motion(pose, "") * formats::rigid_motion(pose + 16, "").inverse()),
         .caption = "",
         .actions = {}});
  }

  fs::path frames_;
  double focal_px_;
};

}  // namespace

MOMAP_PLUGIN(FlyingThingsSource, "source/flyingthings", 1,
             "Reads FlyingThings3D, Monkaa and Driving: rendered pairs with exact scene flow.");
