// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/camera.h>

#include <cstdint>
#include <vector>

#include "stage_set.h"

namespace momap::synthetic {

/// The camera and its path.
struct View {
  Camera camera;
  std::vector<Pose> cam_from_world;  // [T]
  bool moves = false;

  int64_t pixels() const { return camera.width * camera.height; }
};

/// Rays through pixel positions of one frame; a ray's parameter is the depth along z.
class PixelRays {
 public:
  PixelRays(const View& view, int64_t t)
      : camera_(view.camera), pose_(view.cam_from_world[static_cast<size_t>(t)]) {
    origin_ = pose_.apply_inverse({0, 0, 0});
    right_ = pose_.rows[0] * (1 / camera_.fx);
    down_ = pose_.rows[1] * (1 / camera_.fy);
  }
  const Vec3& origin() const { return origin_; }
  Vec3 direction(double x, double y) const {
    return right_ * (x - camera_.cx) + down_ * (y - camera_.cy) + pose_.rows[2];
  }
  const Pose& cam_from_world() const { return pose_; }
  const Camera& camera() const { return camera_; }

  /// Puts a ray into lane `k`; `near` and `far` are depths.
  void put(RayPacket& rays, size_t k, const Vec3& direction, float near, float far) const {
    rays.org_x[k] = static_cast<float>(origin_.x);
    rays.org_y[k] = static_cast<float>(origin_.y);
    rays.org_z[k] = static_cast<float>(origin_.z);
    rays.dir_x[k] = static_cast<float>(direction.x);
    rays.dir_y[k] = static_cast<float>(direction.y);
    rays.dir_z[k] = static_cast<float>(direction.z);
    rays.near[k] = near;
    rays.far[k] = far;
    rays.wanted[k] = -1;
  }

 private:
  Camera camera_;
  Pose pose_;
  Vec3 origin_;
  Vec3 right_, down_;  // a pixel's step at depth 1
};

inline constexpr float kNear = 0.01F;   // m
inline constexpr float kFar = 1000.0F;  // m

/// Marks blocks of 4 x 2 pixels that something moving may cover.
class MovingBlocks {
 public:
  static constexpr int64_t kWide = 4, kHigh = 2;

  MovingBlocks(const StageSet& stage, const PixelRays& rays);
  bool at(int64_t x, int64_t y) const {
    return marked_[static_cast<size_t>(y / kHigh * columns_ + x / kWide)] != 0;
  }

 private:
  int64_t columns_;
  std::vector<uint8_t> marked_;
};

}  // namespace momap::synthetic
