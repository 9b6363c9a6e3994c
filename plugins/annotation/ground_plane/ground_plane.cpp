// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/data/opencv.h>
#include <momap/plugin/plugin.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "foreground.h"

// Depth for a camera above flat ground: a prior from four numbers the user knows or guesses, not a
// measurement. Walls, trees and parked cars come out as if painted on the ground; only what moves
// is stood upright.

namespace {

using momap::DataError;
using momap::param;

class GroundPlane final : public momap::Annotator {
 public:
  struct Params {
    double camera_height_m = 1.6;
    double pitch_degrees = 10;
    double max_depth_m = 50;
    std::string foreground = "upright";
    int foreground_threshold = 25;
    double fov_degrees = 60;

    static auto schema() {
      return std::tuple{
          param("camera_height_m", &Params::camera_height_m, "Height of camera 0 above the ground.")
              .unit("m")
              .above(0),
          param("pitch_degrees", &Params::pitch_degrees,
                "How far camera 0 looks down; negative looks up. It is taken to have no roll.")
              .unit("degrees")
              .between(-89, 90),
          param("max_depth_m", &Params::max_depth_m,
                "Depth of the far ground and of everything above the horizon.")
              .unit("m")
              .above(0),
          param("foreground", &Params::foreground,
                "upright: what moves before a static camera stands on the ground at its lowest "
                "pixel; none: ground only.")
              .one_of({"upright", "none"}),
          param("foreground_threshold", &Params::foreground_threshold,
                "Colour difference from the temporal median that counts as moving.")
              .unit("of 255")
              .between(1, 255),
          param("fov_degrees", &Params::fov_degrees,
                "Horizontal field of view, for clips that have no camera.")
              .unit("degrees")
              .above(0)
              .below(180),
      };
    }
  };

  explicit GroundPlane(Params params) : params_(std::move(params)) {}

  momap::Clip annotate(const momap::Clip& clip, const momap::Context& context) override {
    momap::Clip out = clip;
    const int64_t length = clip.length(), height = clip.height(), width = clip.width();
    if (!out.camera) out.camera = camera_of(width, height);
    if (!out.cam_from_world) out.cam_from_world = identities(length);
    const at::Tensor poses = out.cam_from_world->contiguous();
    const bool is_static = all_equal(poses);
    const bool upright = params_.foreground == "upright" && length > 1 && is_static;

    at::Tensor depth = at::empty({length, height, width}, at::kFloat);
    const at::Tensor frames = clip.frames.contiguous();
    const cv::Mat background = upright ? momap::median_background(frames) : cv::Mat();
    tbb::parallel_for(int64_t{0}, length, [&](int64_t t) {
      context.check_cancelled();
      float* frame_depth = depth.data_ptr<float>() + t * height * width;
      fill_plane(plane_in_frame(poses, t), *out.camera, frame_depth);
      if (upright) stand_up(momap::as_mat(frames[t]), background, frame_depth);
    });
    out.depth = depth;
    return out;
  }

 private:
  // The ground in the coordinates of one camera: points with down . X = height.
  struct Plane {
    cv::Vec3d down;
    double height = 0;  // m, of the camera above it
  };

  momap::Camera camera_of(int64_t width, int64_t height) const {
    const double w = static_cast<double>(width), h = static_cast<double>(height);
    const double focal = 0.5 * w / std::tan(params_.fov_degrees * std::numbers::pi / 360);
    return {focal, focal, 0.5 * (w - 1), 0.5 * (h - 1), width, height};
  }

  static at::Tensor identities(int64_t length) {
    at::Tensor poses = at::empty({length, 4, 4}, at::kDouble);
    for (int64_t t = 0; t < length; ++t) {
      std::memcpy(poses.data_ptr<double>() + 16 * t, cv::Matx44d::eye().val, sizeof(double) * 16);
    }
    return poses;
  }

  static bool all_equal(const at::Tensor& poses) {
    const double* first = poses.data_ptr<double>();
    for (int64_t i = 16; i < poses.numel(); ++i) {
      if (std::abs(first[i] - first[i % 16]) > 1e-9) return false;
    }
    return true;
  }

  Plane plane_in_frame(const at::Tensor& poses, int64_t t) const {
    const double pitch = params_.pitch_degrees * std::numbers::pi / 180;
    const cv::Vec3d down(0, std::cos(pitch), std::sin(pitch));
    if (t == 0) return {down, params_.camera_height_m};
    const cv::Matx44d first(poses.data_ptr<double>());
    const cv::Matx44d current(poses.data_ptr<double>() + 16 * t);
    const cv::Matx44d first_from_current = first * current.inv();
    const cv::Matx33d rotation = first_from_current.get_minor<3, 3>(0, 0);
    const cv::Vec3d centre(first_from_current(0, 3), first_from_current(1, 3),
                           first_from_current(2, 3));
    const double height = params_.camera_height_m - down.dot(centre);
    if (height <= 0) {
      throw DataError(
          fmt::format("the camera of frame {} is {:.3f} m below the ground; raise "
                      "camera_height_m (it is {}) or check cam_from_world",
                      t, -height, params_.camera_height_m));
    }
    return {rotation.t() * down, height};
  }

  void fill_plane(const Plane& plane, const momap::Camera& camera, float* depth) const {
    for (int64_t y = 0; y < camera.height; ++y) {
      const double ray_y = (static_cast<double>(y) - camera.cy) / camera.fy;
      const double row = plane.down[1] * ray_y + plane.down[2];
      for (int64_t x = 0; x < camera.width; ++x) {
        const double ray_x = (static_cast<double>(x) - camera.cx) / camera.fx;
        const double descent = row + plane.down[0] * ray_x;  // m down for each m forward
        const bool near = descent * params_.max_depth_m > plane.height;
        *depth++ = static_cast<float>(near ? plane.height / descent : params_.max_depth_m);
      }
    }
  }

  // Gives each moving blob the depth of the ground at its lowest row (without roll a row has one
  // depth).
  void stand_up(const cv::Mat& frame, const cv::Mat& background, float* depth) const {
    const momap::Blobs blobs =
        momap::moving_blobs(frame, background, {.threshold = params_.foreground_threshold});
    const int64_t width = frame.cols;
    std::vector<float> blob_depth(blobs.lowest.size(), 0);
    for (size_t i = 0; i < blob_depth.size(); ++i) {
      if (blobs.lowest[i] >= 0) blob_depth[i] = depth[blobs.lowest[i] * width];
    }
    for (int y = 0; y < frame.rows; ++y) {
      const int* label = blobs.labels.ptr<int>(y);
      for (int64_t x = 0; x < width; ++x) {
        const float upright = blob_depth[static_cast<size_t>(label[x])];
        if (upright > 0) depth[y * width + x] = upright;
      }
    }
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(
    GroundPlane, "annotation/ground_plane", 1,
    "Assumes flat ground for depth: a prior from camera height and pitch, not a measurement.");
