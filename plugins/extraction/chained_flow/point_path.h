// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/camera.h>

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/matx.hpp>
#include <vector>

#include "flow/dense_flow.h"

namespace momap {

struct PathOptions {
  double fb_abs_px = 0.7;         ///< a step may fail to return by this much ...
  double fb_rel = 0.05;           ///< ... and by this share of its length
  double depth_jump = 0.15;       ///< relative depth step within one frame that is another surface
  double appearance = 20;         ///< grey difference (3x3 mean) that is another point, of 255
  double static_px = 0.75;        ///< tracks this close to a static point's are static
  double static_depth = 0.01;     ///< the same for relative depth, where depth is steady
  double occluded_damping = 0.8;  ///< factor on the velocity for each frame out of sight
};

/// All that is measured of a clip, shared by its pixels.
struct Evidence {
  Camera camera;
  std::vector<cv::Mat> grey;                   // [T] u8 [H, W]
  std::vector<const float*> depth;             // [T] -> f32 [H, W], metres; 0 or NaN = unknown
  std::vector<FlowPair> steps;                 // [T - 1], t to t + 1
  std::vector<FlowPair> direct;                // [T], 0 to t; empty matrices where not computed
  std::vector<cv::Matx44d> camera_from_first;  // [T], frame t's camera from frame 0's
  std::vector<cv::Matx44d> first_from_camera;  // [T]

  // How far static points are from where depth and poses put them; see noise.h.
  double depth_noise = 0;
  std::vector<double> place_noise;  // [T], px
};

/// `motion_evidence` of a point that coincides with its standing still.
constexpr float kStandsStill = -1;

/// Follows one pixel of frame 0 at a time; keeps its buffers between pixels. One object per thread.
class PathFinder {
 public:
  PathFinder(const Evidence& evidence, const PathOptions& options);

  /// Tracks the point seen at pixel (x, y) of frame 0, whose depth is known.
  void follow(int64_t x, int64_t y);

  /// Whether flow straight from frame 0 and depth find the point where it would be if it stood
  /// still, in every frame in which that is inside the image: then there is no need to follow it.
  /// Fills in `visible`.
  bool stands_still(int64_t x, int64_t y);

  /// Log-likelihood ratio of the track against standing still; > 0 = the point moves.
  double motion_evidence() const;

  /// Takes the point to move along its track, or to stand still. Returns whether it is seen in a
  /// later frame too. Then `position(t)` is where it is in frame 0's camera, `visible(t)` whether
  /// it is seen.
  bool settle(bool moves);

  const cv::Vec3d& position(int64_t t) const { return position_[static_cast<size_t>(t)]; }
  bool visible(int64_t t) const { return visible_[static_cast<size_t>(t)]; }

 private:
  bool step(const FlowPair& pair, const cv::Point2d& from, cv::Point2d& to) const;
  void hold();
  void begin(int64_t x, int64_t y);
  void lift();
  void fill_gaps();

  double depth_at(size_t t, const cv::Point2d& at, double expected) const;

  // What the depth of frame t says about a point expected at a place and depth.
  enum class Sight { unknown, covered, there, gone };
  Sight sight(size_t t, const cv::Point2d& at, double expected, int margin) const;
  double appearance_difference(size_t t, const cv::Point2d& at) const;
  bool inside(const cv::Point2d& at) const;
  cv::Vec3d static_point_in(
      size_t t) const;  ///< the frame 0 point in camera t, as if it had not moved
  cv::Point2d project(const cv::Vec3d& point) const;

  const Evidence& evidence_;
  PathOptions options_;
  double depth_tolerance_;            // relative
  std::vector<double> px_tolerance_;  // [T]
  size_t frames_;
  int64_t first_x_ = 0, first_y_ = 0;  // px
  std::vector<cv::Point2d> pixel_;     // [T], where visible
  std::vector<double> depth_;          // [T], m; 0 = unknown
  std::vector<uint8_t> visible_;       // [T]
  std::vector<uint8_t> known_;         // [T], position is measured
  std::vector<cv::Vec3d> position_;    // [T], m
  mutable std::vector<double> scratch_;
};

}  // namespace momap
