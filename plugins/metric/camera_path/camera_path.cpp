// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/plugin/plugin.h>

#include <Eigen/Core>
#include <Eigen/Geometry>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

#include "../values.h"

namespace {

using Pose = Eigen::Isometry3d;  // world from camera

/// World-from-camera poses of a clip.
std::vector<Pose> poses_of(const at::Tensor& cam_from_world) {
  const at::Tensor dense = cam_from_world.contiguous();
  std::vector<Pose> poses;
  for (int64_t t = 0; t < dense.size(0); ++t) {
    const Eigen::Map<const Eigen::Matrix<double, 4, 4, Eigen::RowMajor>> matrix(
        dense.data_ptr<double>() + 16 * t);
    Pose pose = Pose::Identity();
    pose.matrix() = matrix;
    poses.push_back(pose.inverse());
  }
  return poses;
}

Eigen::Matrix3Xd centres_of(const std::vector<Pose>& poses) {
  Eigen::Matrix3Xd centres(3, static_cast<Eigen::Index>(poses.size()));
  for (size_t t = 0; t < poses.size(); ++t) {
    centres.col(static_cast<Eigen::Index>(t)) = poses[t].translation();
  }
  return centres;
}

/// Root mean square distance of camera centres from their mean, metres.
double extent(const Eigen::Matrix3Xd& centres) {
  return std::sqrt((centres.colwise() - centres.rowwise().mean()).colwise().squaredNorm().mean());
}

constexpr double kLeastExtent = 1e-6;  // m; a camera that moves less rests

/// Errors of a camera path against the true one. ATE: root mean square distance of camera centres
/// after the best similarity (Umeyama 1991). RPE: of the motion from each frame to the next,
/// lengths multiplied by that similarity's scale; it needs no other alignment. The scale is stated
/// as the error of its logarithm.
class CameraPath final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "result: clip, reference: clip";

  struct Params {
    static auto schema() { return std::tuple{}; }
  };

  explicit CameraPath(Params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context&) override {
    const auto& result = *inputs.get<momap::Clip>("result");
    const auto& reference = *inputs.get<momap::Clip>("reference");
    std::string undefined;
    if (!result.cam_from_world) undefined = "the result has no camera path";
    if (!reference.cam_from_world) undefined = "the reference has no camera path";
    if (undefined.empty() && result.length() != reference.length()) {
      throw momap::DataError(fmt::format(
          "metric/camera_path: the result has {} frames but the reference {}; give both the same "
          "length",
          result.length(), reference.length()));
    }
    if (undefined.empty() && result.length() < 2) undefined = "a path has two frames at least";
    Errors errors;
    if (undefined.empty()) {
      errors = compare(poses_of(*result.cam_from_world), poses_of(*reference.cam_from_world));
    }
    using momap::metric::error;
    momap::Score score;
    const auto add = [&](momap::ScoreValue declared, const std::optional<double>& value,
                         const char* otherwise) {
      score.values.push_back(
          value ? momap::metric::defined(std::move(declared), *value)
                : momap::metric::undefined(std::move(declared),
                                           undefined.empty() ? otherwise : undefined));
    };
    add(error("ate", "m"), errors.ate, "");
    add(error("rpe_translation", "m"), errors.rpe_translation, "");
    add(error("rpe_rotation", "deg", 180), errors.rpe_rotation, "");
    add(error("log_scale_error", ""), errors.log_scale,
        "one of the two cameras does not move, so there is no scale");
    return score;
  }

 private:
  struct Errors {
    std::optional<double> ate, rpe_translation, rpe_rotation, log_scale;
  };

  static Errors compare(const std::vector<Pose>& result, const std::vector<Pose>& truth) {
    const Eigen::Matrix3Xd p = centres_of(result), g = centres_of(truth);
    Errors errors;
    double scale = 1;
    if (extent(p) < kLeastExtent || extent(g) < kLeastExtent) {
      // Without a scale the best alignment takes one mean to the other.
      errors.ate =
          std::sqrt(((p.colwise() - p.rowwise().mean()) - (g.colwise() - g.rowwise().mean()))
                        .colwise()
                        .squaredNorm()
                        .mean());
    } else {
      const Eigen::Matrix4d similarity = Eigen::umeyama(p, g, true);
      scale = std::cbrt(similarity.topLeftCorner<3, 3>().determinant());
      const Eigen::Matrix3Xd aligned =
          (similarity.topLeftCorner<3, 3>() * p).colwise() + similarity.topRightCorner<3, 1>();
      errors.ate = std::sqrt((aligned - g).colwise().squaredNorm().mean());
      if (scale > 0) errors.log_scale = std::abs(std::log(scale));
    }
    double translation = 0, rotation = 0;
    for (size_t t = 1; t < result.size(); ++t) {
      Pose step = result[t - 1].inverse() * result[t];
      const Pose true_step = truth[t - 1].inverse() * truth[t];
      step.translation() *= scale;
      const Pose error = true_step.inverse() * step;
      translation += error.translation().squaredNorm();
      const double degrees = Eigen::AngleAxisd(error.linear()).angle() * 180 / std::numbers::pi;
      rotation += degrees * degrees;
    }
    const auto steps = static_cast<double>(result.size() - 1);
    errors.rpe_translation = std::sqrt(translation / steps);
    errors.rpe_rotation = std::sqrt(rotation / steps);
    return errors;
  }
};

}  // namespace

MOMAP_PLUGIN(CameraPath, "metric/camera_path", 1,
             "Absolute and relative error of a camera path after alignment by a similarity.");
