// SPDX-License-Identifier: Apache-2.0
#include "truth.h"

#include <algorithm>
#include <cstring>

namespace momap::synthetic {
namespace {

constexpr size_t kLanes = RayPacket::kSize;

// Gathers rays from the camera to points and asks eight at a time.
template <class Answer>
class Gather {
 public:
  Gather(const PixelRays& rays, bool still, bool moving, const StageSet& stage, Answer answer)
      : rays_(rays), still_(still), moving_(moving), stage_(stage), answer_(std::move(answer)) {
    packet_.wanted.fill(0);
  }

  void ask(uint32_t pixel, const Vec3& direction, double depth) {
    const double slack = (kSeenMetres + kSeenShare * depth) / depth;
    rays_.put(packet_, lanes_, direction, kNear / static_cast<float>(depth),
              static_cast<float>(1 - slack));
    whose_[lanes_] = pixel;
    if (++lanes_ == kLanes) flush();
  }

  void flush() {
    if (lanes_ == 0) return;
    std::array<bool, kLanes> a{}, b{};
    if (still_) stage_.still().any_hit(packet_, a);
    if (moving_) stage_.moving().any_hit(packet_, b);
    for (size_t k = 0; k < lanes_; ++k) answer_(whose_[k], !a[k] && !b[k]);
    packet_.wanted.fill(0);
    lanes_ = 0;
  }

 private:
  const PixelRays& rays_;
  bool still_, moving_;
  const StageSet& stage_;
  Answer answer_;
  RayPacket packet_;
  std::array<uint32_t, kLanes> whose_{};
  size_t lanes_ = 0;
};

struct Spot {
  double u, v, z;
  bool inside;
};

Spot project(const PixelRays& rays, const Vec3& point) {
  const Camera& camera = rays.camera();
  const Vec3 p = rays.cam_from_world().apply(point);
  if (p.z < kNear) return {0, 0, p.z, false};
  const double u = camera.fx * p.x / p.z + camera.cx, v = camera.fy * p.y / p.z + camera.cy;
  return {u, v, p.z,
          u >= -0.5 && v >= -0.5 && u < static_cast<double>(camera.width) - 0.5 &&
              v < static_cast<double>(camera.height) - 0.5};
}

}  // namespace

Truth::Truth(const StageSet& stage, const View& view, std::span<const int32_t> faces,
             std::span<const float> depth)
    : stage_(&stage),
      view_(&view),
      faces_(faces.begin(), faces.end()),
      first_(3 * faces.size()),
      world_(faces.size()),
      moving_(stage.world().movers.size()),
      still_(view.cam_from_world.size()) {
  const Camera& camera = view.camera;
  const PixelRays rays(view, 0);
  for (size_t i = 0; i < faces_.size(); ++i) {
    if (faces_[i] < 0) continue;
    const size_t column = i % static_cast<size_t>(camera.width);
    const size_t row = i / static_cast<size_t>(camera.width);
    const auto x = static_cast<double>(column), y = static_cast<double>(row);
    const double z = depth[i];
    first_[3 * i] = static_cast<float>((x - camera.cx) / camera.fx * z);
    first_[3 * i + 1] = static_cast<float>((y - camera.cy) / camera.fy * z);
    first_[3 * i + 2] = depth[i];
    const Face& face = stage.face(faces_[i]);
    const Vec3 direction = rays.direction(x, y);
    Vec3 own;
    const double s = stage.meet(face, rays.origin(), direction, own);
    world_[i] = rays.origin() + direction * s;
    const int mover = stage.world().parts[static_cast<size_t>(face.part)].mover;
    if (mover < 0) continue;
    const auto& parts = stage.world().movers[static_cast<size_t>(mover)]->parts;
    const auto slot = static_cast<uint32_t>(std::ranges::find(parts, face.part) - parts.begin());
    moving_[static_cast<size_t>(mover)].push_back({static_cast<uint32_t>(i), faces_[i], slot, own,
                                                   dot(face.to_1, own) + face.from_1,
                                                   dot(face.to_2, own) + face.from_2});
  }
}

Vec3 Truth::place(const MovingPoint& point, const Motion& motion, int64_t t) const {
  const Face& face = stage_->face(point.face);
  const World& world = stage_->world();
  const Part& part = world.parts[static_cast<size_t>(face.part)];
  if (part.cloth) {
    const Vec3* at = motion.cloth.data() + static_cast<size_t>(t) * part.mesh.vertices.size();
    const Vec3 &a = at[face.vertices[0]], &b = at[face.vertices[1]], &c = at[face.vertices[2]];
    return a + (b - a) * point.b1 + (c - a) * point.b2;
  }
  const size_t parts = world.movers[static_cast<size_t>(part.mover)]->parts.size();
  return motion.poses[static_cast<size_t>(t) * parts + point.slot].apply(point.own);
}

const std::vector<Truth::Sighting>& Truth::still_points(int64_t t) {
  auto& points = still_[view_->moves ? static_cast<size_t>(t) : 0];
  if (!points.empty()) return points;
  points.resize(faces_.size());
  const PixelRays rays(*view_, t);
  const auto width = static_cast<int32_t>(view_->camera.width);
  const auto height = static_cast<int32_t>(view_->camera.height);
  const auto nearest = [](double at, int32_t size) {
    return std::clamp(static_cast<int32_t>(at + 0.5), 0, size - 1);
  };
  Gather gather(rays, true, false, *stage_, [&](uint32_t i, bool clear) {
    if (!clear) points[i].z = 0;
  });
  for (size_t i = 0; i < faces_.size(); ++i) {
    if (faces_[i] < 0 || faces_[i] >= stage_->first_moving()) continue;
    const auto pixel = static_cast<int32_t>(i);
    if (!view_->moves) {  // seen by the same ray as in frame 0
      points[i] = {first_[3 * i + 2], pixel % width, pixel / width};
      continue;
    }
    const Spot spot = project(rays, world_[i]);
    if (!spot.inside) continue;
    points[i] = {static_cast<float>(spot.z), nearest(spot.u, width), nearest(spot.v, height)};
    gather.ask(static_cast<uint32_t>(i), world_[i] - rays.origin(), spot.z);
  }
  gather.flush();
  return points;
}

void Truth::fill(const std::vector<Motion>& motions, int64_t t, float* xyz, bool* visible) {
  const PixelRays rays(*view_, t);
  const MovingBlocks blocks(*stage_, rays);
  std::memcpy(xyz, first_.data(), first_.size() * sizeof(float));
  if (t == 0) {
    for (size_t i = 0; i < faces_.size(); ++i) visible[i] = faces_[i] >= 0;
    return;
  }
  const std::vector<Sighting>& still = still_points(t);
  Gather behind(rays, false, true, *stage_, [&](uint32_t i, bool clear) { visible[i] = clear; });
  for (size_t i = 0; i < faces_.size(); ++i) {
    const auto [z, x, y] = still[i];
    visible[i] = z > 0;
    if (z > 0 && blocks.at(x, y)) {
      behind.ask(static_cast<uint32_t>(i), world_[i] - rays.origin(), double{z});
    }
  }
  behind.flush();
  const Pose& reference = view_->cam_from_world[0];
  Gather both(rays, true, true, *stage_, [&](uint32_t i, bool clear) { visible[i] = clear; });
  for (size_t mover = 0; mover < moving_.size(); ++mover) {
    for (const MovingPoint& point : moving_[mover]) {
      const Vec3 at = place(point, motions[mover], t);
      visible[point.pixel] = false;
      const Vec3 p = reference.apply(at);
      float* out = xyz + 3 * size_t{point.pixel};
      out[0] = static_cast<float>(p.x);
      out[1] = static_cast<float>(p.y);
      out[2] = static_cast<float>(p.z);
      const Spot spot = project(rays, at);
      if (spot.inside) both.ask(point.pixel, at - rays.origin(), spot.z);
    }
  }
  both.flush();
}

int64_t Truth::pixels_of(int mover) const {
  const World& world = stage_->world();
  const int segment = world.movers[static_cast<size_t>(mover)]->segment;
  return std::ranges::count_if(moving_[static_cast<size_t>(mover)], [&](const MovingPoint& p) {
    return world.parts[static_cast<size_t>(stage_->face(p.face).part)].segment == segment;
  });
}

std::vector<Vec3> Truth::points_of(int mover, const Motion& motion, int64_t t, size_t limit) const {
  const World& world = stage_->world();
  const int segment = world.movers[static_cast<size_t>(mover)]->segment;
  const auto& points = moving_[static_cast<size_t>(mover)];
  const size_t step = limit == 0 ? 1 : (points.size() + limit - 1) / limit;
  std::vector<Vec3> out;
  for (size_t k = 0; k < points.size(); k += step) {
    if (world.parts[static_cast<size_t>(stage_->face(points[k].face).part)].segment == segment) {
      out.push_back(place(points[k], motion, t));
    }
  }
  return out;
}

}  // namespace momap::synthetic
