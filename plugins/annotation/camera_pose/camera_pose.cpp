// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/data/opencv.h>
#include <momap/plugin/plugin.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <opencv2/core/matx.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <vector>

#include "motion.h"
#include "tracking/tracks.h"

// Camera poses from corners followed from keyframe to keyframe. Three cases:
//  - the camera stands still: exactly the identity, so that no estimation noise becomes motion;
//  - the clip has depth: PnP of each frame against its keyframe's depth; metric;
//  - no depth: a rotation where that explains the tracks, else two views and triangulation. The
//  unit of length is
//    then the distance between the first keyframe with parallax and the next, and later ones follow
//    by shared points.
// World = camera of frame 0.

namespace {

using momap::DataError;
using momap::KeyframeTracks;
using momap::param;

// A corner that lives on from one keyframe to the next; `depth` is in the units of the chain, 0 =
// not known.
struct Landmark {
  cv::Point2f pixel;
  double depth = 0;
};

class CameraPose final : public momap::Annotator {
 public:
  struct Params {
    int features = 800;
    int least_inliers = 12;
    double static_px = 0.3;
    double ransac_px = 1.5;
    double rotation_share = 0.7;

    static auto schema() {
      return std::tuple{
          param("features", &Params::features, "Corners looked for in a keyframe.")
              .between(16, 20000),
          param("least_inliers", &Params::least_inliers,
                "Corners that must agree on a pose; with fewer the clip is refused.")
              .between(6, 1000),
          param("static_px", &Params::static_px,
                "The camera stands still when half of the corners stay within this of their place "
                "in frame 0, in every frame; 0 never assumes so.")
              .unit("px")
              .at_least(0),
          param("ransac_px", &Params::ransac_px,
                "Corners farther from a pose's prediction are "
                "outliers (moving things, wrong tracks).")
              .unit("px")
              .above(0),
          param("rotation_share", &Params::rotation_share,
                "Without depth: share of the corners a pure rotation must explain to be taken.")
              .between(0.1, 1),
      };
    }
  };

  explicit CameraPose(Params params) : params_(params) {}

  momap::Clip annotate(const momap::Clip& clip, const momap::Context& context) override {
    if (!clip.camera) {
      throw DataError(
          "the clip has no camera; set fov_degrees at its source, or add "
          "annotation/ground_plane before annotation/camera_pose");
    }
    std::vector<cv::Mat> grey(static_cast<size_t>(clip.length()));
    const at::Tensor frames = clip.frames.contiguous();
    for (size_t t = 0; t < grey.size(); ++t) {
      cv::cvtColor(momap::as_mat(frames[static_cast<int64_t>(t)]), grey[t], cv::COLOR_RGB2GRAY);
    }
    std::vector<cv::Matx44d> poses(grey.size(), cv::Matx44d::eye());
    if (grey.size() > 1 && !stands_still(grey, context)) follow(clip, grey, poses, context);

    momap::Clip out = clip;
    at::Tensor result = at::empty({clip.length(), 4, 4}, at::kDouble);
    for (size_t t = 0; t < poses.size(); ++t) {
      std::memcpy(result.data_ptr<double>() + 16 * t, poses[t].val, sizeof poses[t].val);
    }
    out.cam_from_world = result;
    return out;
  }

 private:
  momap::TrackOptions track_options() const { return {.features = params_.features}; }

  KeyframeTracks start_tracks(const std::vector<cv::Mat>& grey, int64_t keyframe,
                              const std::vector<Landmark>& landmarks) const {
    std::vector<cv::Point2f> carried;
    for (const auto& landmark : landmarks) carried.push_back(landmark.pixel);
    KeyframeTracks tracks(grey, keyframe, track_options(), carried);
    if (tracks.alive_count(keyframe) < params_.least_inliers) {
      throw DataError(fmt::format(
          "frame {} has {} corners to follow, {} are needed (a black, blurred or textureless "
          "frame?); leave such frames out, or give cam_from_world at the source",
          keyframe, tracks.alive_count(keyframe), params_.least_inliers));
    }
    return tracks;
  }

  bool stands_still(const std::vector<cv::Mat>& grey, const momap::Context& context) const {
    KeyframeTracks tracks = start_tracks(grey, 0, {});
    const int64_t least = std::max<int64_t>(params_.least_inliers, tracks.alive_count(0) / 2);
    for (int64_t t = 1; t < static_cast<int64_t>(grey.size()); ++t) {
      context.check_cancelled();
      tracks.advance();
      if (tracks.alive_count(t) < least || tracks.median_displacement(t) >= params_.static_px) {
        return false;
      }
    }
    return true;
  }

  void follow(const momap::Clip& clip, const std::vector<cv::Mat>& grey,
              std::vector<cv::Matx44d>& poses, const momap::Context& context) const {
    std::vector<Landmark> landmarks;
    const int64_t last = static_cast<int64_t>(grey.size()) - 1;
    for (int64_t keyframe = 0; keyframe < last;) {
      KeyframeTracks tracks = start_tracks(grey, keyframe, landmarks);
      grow(tracks, last, context);
      if (clip.depth) {
        follow_with_depth(clip, tracks, poses);
      } else {
        follow_without_depth(*clip.camera, tracks, landmarks, poses);
      }
      keyframe = tracks.last_frame();
    }
  }

  // Follows the keyframe's corners for as long as most of them are in sight.
  void grow(KeyframeTracks& tracks, int64_t last, const momap::Context& context) const {
    const int64_t enough =
        std::max<int64_t>(2 * params_.least_inliers, tracks.alive_count(tracks.keyframe()) / 2);
    while (tracks.last_frame() < last) {
      context.check_cancelled();
      tracks.advance();
      const int64_t frame = tracks.last_frame();
      const int64_t alive = tracks.alive_count(frame);
      const bool is_first = frame == tracks.keyframe() + 1;
      if (is_first && alive < params_.least_inliers) {
        throw DataError(fmt::format(
            "only {} of {} corners could be followed from frame {} to {}, {} are needed (a cut, "
            "strong blur or a fast turn?); split the clip there",
            alive, tracks.alive_count(tracks.keyframe()), tracks.keyframe(), frame,
            params_.least_inliers));
      }
      if (alive >= enough) continue;
      if (!is_first) tracks.drop_last();
      return;
    }
  }

  // The depth at a sub-pixel place of the keyframe, 0 when it is unknown or at a depth edge.
  static double smooth_depth(const at::Tensor& depth, const cv::Point2f& at) {
    constexpr float kLargestStep = 1.03f;
    const int64_t height = depth.size(0), width = depth.size(1);
    const float* z = depth.data_ptr<float>();
    const auto x0 = std::clamp<int64_t>(static_cast<int64_t>(at.x), 0, width - 1);
    const auto y0 = std::clamp<int64_t>(static_cast<int64_t>(at.y), 0, height - 1);
    const int64_t x1 = std::min(x0 + 1, width - 1), y1 = std::min(y0 + 1, height - 1);
    const float z00 = z[y0 * width + x0], z01 = z[y0 * width + x1];
    const float z10 = z[y1 * width + x0], z11 = z[y1 * width + x1];
    const auto [least, most] = std::minmax({z00, z01, z10, z11});
    if (!(least > 0) || !(z00 + z01 + z10 + z11 < 1e6f) || most > kLargestStep * least) return 0;
    const double u = at.x - static_cast<double>(x0), v = at.y - static_cast<double>(y0);
    return (1 - v) * ((1 - u) * z00 + u * z01) + v * ((1 - u) * z10 + u * z11);
  }

  static cv::Point3d lift(const momap::Camera& camera, const cv::Point2f& at, double z) {
    return {(at.x - camera.cx) / camera.fx * z, (at.y - camera.cy) / camera.fy * z, z};
  }

  // Poses of the keyframe's followers from points known in the keyframe's camera (z = 0: unknown).
  void solve_frames(const momap::Camera& camera, const KeyframeTracks& tracks,
                    const std::vector<cv::Point3d>& points, std::vector<cv::Matx44d>& poses) const {
    const int64_t keyframe = tracks.keyframe();
    tbb::parallel_for(keyframe + 1, tracks.last_frame() + 1, [&](int64_t t) {
      std::vector<cv::Point3d> known;
      std::vector<cv::Point2d> seen;
      for (size_t i = 0; i < points.size(); ++i) {
        if (points[i].z <= 0 || !tracks.alive(t)[i]) continue;
        known.push_back(points[i]);
        seen.emplace_back(tracks.positions(t)[i]);
      }
      const auto motion =
          momap::motion_from_points(known, seen, camera, params_.ransac_px, params_.least_inliers);
      if (!motion) refuse(keyframe, t, static_cast<int64_t>(known.size()));
      poses[static_cast<size_t>(t)] =
          motion->second_from_first * poses[static_cast<size_t>(keyframe)];
    });
  }

  [[noreturn]] void refuse(int64_t from, int64_t to, int64_t corners) const {
    throw DataError(fmt::format(
        "no pose explains the motion from frame {} to {}: of {} corners with known depth or "
        "parallax fewer than least_inliers = {} agree within ransac_px = {}; check the depth and "
        "the camera, or raise ransac_px",
        from, to, corners, params_.least_inliers, params_.ransac_px));
  }

  void follow_with_depth(const momap::Clip& clip, const KeyframeTracks& tracks,
                         std::vector<cv::Matx44d>& poses) const {
    const at::Tensor depth = (*clip.depth)[tracks.keyframe()].contiguous();
    std::vector<cv::Point3d> points;
    for (const auto& at : tracks.positions(tracks.keyframe())) {
      points.push_back(lift(*clip.camera, at, smooth_depth(depth, at)));
    }
    solve_frames(*clip.camera, tracks, points, poses);
  }

  void follow_without_depth(const momap::Camera& camera, const KeyframeTracks& tracks,
                            std::vector<Landmark>& landmarks,
                            std::vector<cv::Matx44d>& poses) const {
    const int64_t keyframe = tracks.keyframe(), last = tracks.last_frame();
    std::vector<double> depth(tracks.positions(keyframe).size(), 0);  // of carried corners
    for (size_t i = 0; i < landmarks.size(); ++i) depth[i] = landmarks[i].depth;

    std::vector<cv::Matx44d> turned(poses.begin() + keyframe, poses.begin() + last + 1);
    if (turn_only(camera, tracks, turned)) {
      std::copy(turned.begin(), turned.end(), poses.begin() + keyframe);
    } else {
      const std::vector<cv::Point3d> points = triangulate(camera, tracks, depth);
      for (size_t i = 0; i < points.size(); ++i) depth[i] = points[i].z;
      solve_frames(camera, tracks, points, poses);
    }

    const cv::Matx44d last_from_key =
        poses[static_cast<size_t>(last)] * poses[static_cast<size_t>(keyframe)].inv();
    landmarks.clear();
    for (size_t i = 0; i < depth.size(); ++i) {
      if (!tracks.alive(last)[i]) continue;
      const cv::Point3d p = lift(camera, tracks.positions(keyframe)[i], depth[i]);
      const cv::Vec4d moved = last_from_key * cv::Vec4d(p.x, p.y, p.z, 1);
      landmarks.push_back({tracks.positions(last)[i], depth[i] > 0 ? std::max(0.0, moved[2]) : 0});
    }
  }

  struct Matches {
    std::vector<cv::Point2d> first, second;
    std::vector<size_t> corner;
  };

  static Matches matches_to(const KeyframeTracks& tracks, int64_t frame) {
    Matches matches;
    for (size_t i = 0; i < tracks.alive(frame).size(); ++i) {
      if (!tracks.alive(frame)[i]) continue;
      matches.first.emplace_back(tracks.positions(tracks.keyframe())[i]);
      matches.second.emplace_back(tracks.positions(frame)[i]);
      matches.corner.push_back(i);
    }
    return matches;
  }

  // Fills in the poses after turned[0] when rotations explain most corners in all frames.
  bool turn_only(const momap::Camera& camera, const KeyframeTracks& tracks,
                 std::vector<cv::Matx44d>& turned) const {
    for (size_t k = turned.size() - 1; k >= 1; --k) {  // the last frame has the most parallax
      const Matches matches = matches_to(tracks, tracks.keyframe() + static_cast<int64_t>(k));
      const auto motion = momap::rotation_from_matches(matches.first, matches.second, camera,
                                                       params_.ransac_px, params_.least_inliers);
      const double corners = static_cast<double>(matches.first.size());
      if (!motion || motion->inliers < params_.rotation_share * corners) return false;
      turned[k] = motion->second_from_first * turned[0];
    }
    return true;
  }

  // Points in the keyframe's camera, at the scale of the depths known so far (any unknown: the
  // baseline is 1).
  std::vector<cv::Point3d> triangulate(const momap::Camera& camera, const KeyframeTracks& tracks,
                                       const std::vector<double>& known_depth) const {
    const int64_t last = tracks.last_frame();
    const Matches matches = matches_to(tracks, last);
    const auto view = momap::two_view(matches.first, matches.second, camera, params_.ransac_px,
                                      params_.least_inliers);
    if (!view) refuse(tracks.keyframe(), last, static_cast<int64_t>(matches.first.size()));
    std::vector<double> ratios;
    for (size_t k = 0; k < matches.corner.size(); ++k) {
      const double known = known_depth[matches.corner[k]];
      if (known > 0 && view->points[k].z > 0) ratios.push_back(known / view->points[k].z);
    }
    const bool is_chained =
        std::any_of(known_depth.begin(), known_depth.end(), [](double z) { return z > 0; });
    double scale = 1;
    if (is_chained) {
      if (static_cast<int>(ratios.size()) < params_.least_inliers) {
        throw DataError(
            fmt::format("the scale is lost at frame {}: {} corners are shared with the "
                        "frames before, {} are needed; add depth or split the clip",
                        tracks.keyframe(), ratios.size(), params_.least_inliers));
      }
      const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
      std::nth_element(ratios.begin(), middle, ratios.end());
      scale = *middle;
    }
    std::vector<cv::Point3d> points(known_depth.size(), {0, 0, 0});
    for (size_t k = 0; k < matches.corner.size(); ++k) {
      points[matches.corner[k]] = view->points[k] * scale;
    }
    return points;
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(
    CameraPose, "annotation/camera_pose", 1,
    "Finds the camera's pose in each frame from tracked corners: static, turning or moving.");
