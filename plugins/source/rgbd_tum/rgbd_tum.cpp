// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/data/opencv.h>
#include <momap/plugin/plugin.h>

#include <algorithm>
#include <array>
#include <opencv2/calib3d.hpp>
#include <opencv2/imgproc.hpp>

#include "associations.h"
#include "formats/files.h"
#include "formats/images.h"
#include "formats/pose.h"
#include "formats/sequence_source.h"

// TUM RGB-D and Bonn RGB-D Dynamic: SEQ/{rgb.txt,depth.txt,groundtruth.txt,rgb/*.png,depth/*.png}.

namespace {

namespace fs = std::filesystem;
namespace formats = momap::formats;
using formats::ClipFrames;
using momap::ConfigError;
using momap::param;

// Of the colour camera, as published with the data.
struct Calibration {
  const char* folder;                // part of the sequence's folder name
  std::array<double, 9> parameters;  // fx fy cx cy px, k1 k2 p1 p2 k3
  bool camera_poses;                 // groundtruth.txt is of the camera
};
constexpr std::array kCalibrations{
    Calibration{"freiburg1",
                {517.306408, 516.469215, 318.643040, 255.313989, 0.262383, -0.953104, -0.005358,
                 0.002628, 1.163314},
                true},
    Calibration{"freiburg2",
                {520.908620, 521.007327, 325.141442, 249.701764, 0.231222, -0.784899, -0.003257,
                 -0.000105, 0.917205},
                true},
    Calibration{"freiburg3", {535.4, 539.2, 320.1, 247.6, 0, 0, 0, 0, 0}, true},
    Calibration{"bonn",
                {542.822841, 542.576870, 315.593520, 237.756098, 0.039903, -0.099343, -0.000730,
                 -0.000144, 0},
                false},
};

class RgbdTumSource final : public formats::SequenceSource {
 public:
  struct Params : formats::SequenceParams {
    std::vector<double> intrinsics;

    static auto schema() {
      return std::tuple_cat(
          formats::SequenceParams::schema(),
          std::tuple{param("intrinsics", &Params::intrinsics,
                           "fx, fy, cx, cy in px, with or without the distortion k1, k2, p1, p2, "
                           "k3; empty = by the folder's name (freiburg1, freiburg2, freiburg3, "
                           "bonn).")});
    }
  };

  explicit RgbdTumSource(const Params& params)
      : SequenceSource(params), intrinsics_(params.intrinsics) {
    if (!intrinsics_.empty() && intrinsics_.size() != 4 && intrinsics_.size() != 9) {
      throw ConfigError(
          fmt::format("intrinsics has {} numbers; expected 4 or 9", intrinsics_.size()));
    }
  }

 private:
  static constexpr double kPerMetre = 5000;

  std::vector<formats::Sequence> sequences() const override {
    std::vector<formats::Sequence> found;
    const auto add = [&](const fs::path& folder, const std::string& name) {
      if (!fs::exists(folder / "rgb.txt")) return;
      const auto frames = static_cast<int64_t>(momap::associate(folder).size());
      found.push_back({name, 0, frames});
    };
    add(root(), root_name());
    for (const auto& name : formats::folders_in(root())) add(root() / name, name);
    return found;
  }

  std::string root_name() const {
    const fs::path path = fs::absolute(root()).lexically_normal();
    return (path.has_filename() ? path : path.parent_path()).filename().string();
  }

  std::string layout() const override {
    return "rgb.txt, depth.txt and groundtruth.txt in it or in its folders";
  }

  fs::path folder_of(const ClipFrames& clip) const {
    return fs::exists(root() / "rgb.txt") && clip.sequence.name == root_name()
               ? root()
               : root() / clip.sequence.name;
  }

  std::vector<momap::RgbdFrame> frames_of(const ClipFrames& clip) const {
    const auto all = momap::associate(folder_of(clip));
    std::vector<momap::RgbdFrame> frames;
    for (const int64_t number : clip.numbers) frames.push_back(all.at(static_cast<size_t>(number)));
    return frames;
  }

  std::vector<fs::path> files(const ClipFrames& clip) const override {
    const fs::path folder = folder_of(clip);
    std::vector<fs::path> all{folder / "groundtruth.txt"};
    for (const auto& frame : frames_of(clip)) {
      all.push_back(folder / frame.rgb);
      all.push_back(folder / frame.depth);
    }
    return all;
  }

  // The calibration in use, and whether the ground truth is of the camera.
  std::pair<std::array<double, 9>, bool> calibration(const ClipFrames& clip) const {
    const auto known = std::ranges::find_if(kCalibrations, [&](const Calibration& calibration) {
      return clip.sequence.name.find(calibration.folder) != std::string::npos;
    });
    const bool found = known != kCalibrations.end();
    if (!intrinsics_.empty()) {
      std::array<double, 9> given{};
      std::ranges::copy(intrinsics_, given.begin());
      return {given, !found || known->camera_poses};
    }
    if (!found) {
      throw ConfigError(fmt::format(
          "sequence '{}': its camera is not known by name; set intrinsics: [fx, fy, cx, cy]",
          clip.sequence.name));
    }
    return {known->parameters, known->camera_poses};
  }

  momap::Clip read(const ClipFrames& clip, const momap::Context& context) const override {
    const auto [parameters, camera_poses] = calibration(clip);
    const fs::path folder = folder_of(clip);
    const auto frames = frames_of(clip);
    momap::Clip out;
    const auto rgb = [&](int64_t i) { return folder / frames[static_cast<size_t>(i)].rgb; };
    const auto depth = [&](int64_t i) { return folder / frames[static_cast<size_t>(i)].depth; };
    const auto place = [](const auto& path) {
      return [path](int64_t i) { return momap::shown(path(i)); };
    };
    out.frames = formats::read_stack(
        clip.length(),
        [&, k = parameters](int64_t i) {
          return undistorted(formats::read_rgb(rgb(i)), k, cv::INTER_LINEAR);
        },
        place(rgb), context);
    out.depth = formats::read_stack(
        clip.length(),
        [&, k = parameters](int64_t i) {
          const at::Tensor map = formats::read_depth_png(depth(i), kPerMetre);
          formats::require_size(map, out.height(), out.width(), depth(i));
          return undistorted(map, k, cv::INTER_NEAREST);
        },
        place(depth), context);
    out.camera = momap::Camera{parameters[0], parameters[1], parameters[2],
                               parameters[3], out.width(),   out.height()};
    const double seconds = frames.back().seconds - frames.front().seconds;
    if (seconds > 0) out.fps = static_cast<double>(clip.length() - 1) / seconds;
    if (!camera_poses) return out;
    std::vector<Eigen::Isometry3d> poses;
    for (const auto& frame : frames) {
      poses.push_back(formats::rigid_motion(frame.quaternion_wxyz, frame.translation,
                                            folder / "groundtruth.txt")
                          .inverse());
    }
    out.cam_from_world = formats::pose_tensor(poses);
    return out;
  }

  // As the pinhole camera of the same fx, fy, cx, cy sees it. Depth is not interpolated.
  static at::Tensor undistorted(const at::Tensor& map, const std::array<double, 9>& k,
                                int interpolation) {
    if (std::all_of(k.begin() + 4, k.end(), [](double v) { return v == 0; })) return map;
    const cv::Matx33d matrix(k[0], 0, k[2], 0, k[1], k[3], 0, 0, 1);
    const cv::Mat distortion(1, 5, CV_64F, const_cast<double*>(k.data() + 4));
    cv::Mat x, y, out;
    cv::initUndistortRectifyMap(matrix, distortion, cv::noArray(), matrix,
                                {static_cast<int>(map.size(1)), static_cast<int>(map.size(0))},
                                CV_32F, x, y);
    cv::remap(momap::as_mat(map), out, x, y, interpolation, cv::BORDER_CONSTANT);
    return momap::to_tensor(out);
  }

  std::vector<double> intrinsics_;
};

}  // namespace

MOMAP_PLUGIN(RgbdTumSource, "source/rgbd_tum", 1,
             "Reads TUM RGB-D and Bonn RGB-D Dynamic: hand-held RGB-D video with camera poses.");
