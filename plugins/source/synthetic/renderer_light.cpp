// SPDX-License-Identifier: Apache-2.0
// What light does: shading, shadows and their rims.
#include <momap/base/clones.h>

#include <algorithm>
#include <cmath>

#include "renderer.h"

namespace momap::synthetic {
namespace {

constexpr size_t kLanes = RayPacket::kSize;

Rgb times(const Rgb& a, const Rgb& b) { return {a.r * b.r, a.g * b.g, a.b * b.b}; }

// The point at a depth, a little toward the viewer, off its surface.
Vec3 lift(const PixelRays& rays, const Vec3& direction, float depth) {
  return rays.origin() + direction * (double{depth} * (1 - 1e-4) - 5e-4);
}

// The boxes around the movers, for asking which shadow rays may meet one.
class ShadowBoxes {
 public:
  explicit ShadowBoxes(const StageSet& stage) {
    std::vector<int> owner;
    for (const auto& extent : stage.extents()) {
      const int mover = stage.world().parts[static_cast<size_t>(extent.part)].mover;
      auto at = static_cast<size_t>(std::ranges::find(owner, mover) - owner.begin());
      if (at == owner.size()) {
        owner.push_back(mover);
        boxes_.push_back({extent.low, extent.high});
      }
      for (size_t axis = 0; axis < 3; ++axis) {
        boxes_[at].low[axis] = std::min(boxes_[at].low[axis], extent.low[axis]);
        boxes_[at].high[axis] = std::max(boxes_[at].high[axis], extent.high[axis]);
      }
    }
  }

  static constexpr size_t kRays = 256;  // at once

  struct Rays {
    std::array<std::array<float, kRays>, 3> origin{}, inverse{};  // by axis; 1 / direction
    std::array<uint8_t, kRays> may_meet{};

    void put(size_t k, const Vec3& from, const Vec3& direction) {
      size_t axis = 0;
      for (const double c : {from.x, from.y, from.z}) origin[axis++][k] = static_cast<float>(c);
      axis = 0;
      // A direction along a plane gives infinities, which compare as they should.
      for (const double c : {direction.x, direction.y, direction.z}) {
        inverse[axis++][k] = 1 / static_cast<float>(c);
      }
    }
  };

  void ask(Rays& rays) const {
    rays.may_meet.fill(0);
    for (const Box& box : boxes_) mark(box.low, box.high, rays);
  }

 private:
  struct Box {
    std::array<float, 3> low, high;
  };

  MOMAP_CLONES static void mark(const std::array<float, 3>& low, const std::array<float, 3>& high,
                                Rays& rays) {
    const auto &o = rays.origin, &inverse = rays.inverse;
    for (size_t k = 0; k < kRays; ++k) {
      const float ax = (low[0] - o[0][k]) * inverse[0][k], bx = (high[0] - o[0][k]) * inverse[0][k];
      const float ay = (low[1] - o[1][k]) * inverse[1][k], by = (high[1] - o[1][k]) * inverse[1][k];
      const float az = (low[2] - o[2][k]) * inverse[2][k], bz = (high[2] - o[2][k]) * inverse[2][k];
      const float near = larger(larger(smaller(ax, bx), smaller(ay, by)), smaller(az, bz));
      const float far = smaller(smaller(larger(ax, bx), larger(ay, by)), larger(az, bz));
      rays.may_meet[k] |= static_cast<uint8_t>(larger(near, 0) <= far * 1.0001F);
    }
  }
  static float smaller(float a, float b) { return a < b ? a : b; }
  static float larger(float a, float b) { return a > b ? a : b; }

  std::vector<Box> boxes_;
};

}  // namespace

Vec3 Renderer::to_light(const Vec3& point) const {
  const Light& light = stage_->world().light;
  return light.sun ? light.place : light.place - point;
}

Rgb Renderer::sky(const Vec3& direction) const {
  const World& world = stage_->world();
  const double up = std::clamp(direction.z / length(direction) * 2.5, 0.0, 1.0);
  return as_rgb(world.horizon + (world.sky - world.horizon) * up);
}

void Renderer::shade(const PixelRays& rays, double x, double y, int32_t face_index, float& depth,
                     Rgb& direct, Rgb& ambient) const {
  const Vec3 direction = rays.direction(x, y);
  if (face_index < 0) {
    depth = 0;
    direct = {};
    ambient = sky(direction);
    return;
  }
  const Face& face = stage_->face(face_index);
  Vec3 own;
  const double s = stage_->meet(face, rays.origin(), direction, own);
  depth = static_cast<float>(s);
  double u = 0, v = 0;
  Vec3 normal = stage_->normal_at(face, own, u, v);
  const double facing = dot(normal, direction);
  if (facing > 0) normal = -normal;
  // The footprint of a pixel on a slanted surface, between its short and its long side.
  const float slant = static_cast<float>(std::abs(facing)) /
                      std::sqrt(static_cast<float>(dot(direction, direction)));
  const float spread = 1 / std::sqrt(std::max(slant, 0.05F));
  const Paint& paint = paints_[static_cast<size_t>(face.material)];
  const auto [mix, value] =
      paint.pattern->at(static_cast<float>(u) * paint.tiles, static_cast<float>(v) * paint.tiles,
                        depth * pixel_size_ * spread * paint.tiles);
  const Rgb albedo = (paint.first + paint.change * mix) * value;

  const Vec3 toward = to_light(rays.origin() + direction * s);
  const auto squared_distance = static_cast<float>(dot(toward, toward));
  const float lambert =
      std::max(static_cast<float>(dot(normal, toward)) / std::sqrt(squared_distance), 0.0F);
  const float strength = light_.sun ? 1 : 1 / (0.5F + 0.08F * squared_distance);
  direct = times(albedo, light_.colour * (lambert * strength));
  const float up = 0.5F + 0.5F * static_cast<float>(normal.z);
  const float fill = std::max(static_cast<float>(dot(normal, fill_)), 0.0F);
  ambient = times(albedo, light_.ground + light_.rise * up + light_.fill * fill);
}

void Renderer::put_shadow_ray(RayPacket& packet, size_t lane, const Vec3& surface) const {
  const Vec3 toward = to_light(surface);
  const Vec3 origin = surface + toward * (1.5e-3 / length(toward));
  packet.org_x[lane] = static_cast<float>(origin.x);
  packet.org_y[lane] = static_cast<float>(origin.y);
  packet.org_z[lane] = static_cast<float>(origin.z);
  packet.dir_x[lane] = static_cast<float>(toward.x);
  packet.dir_y[lane] = static_cast<float>(toward.y);
  packet.dir_z[lane] = static_cast<float>(toward.z);
  packet.near[lane] = 0;
  packet.far[lane] = stage_->world().light.sun ? kFar : 0.98F;
  packet.wanted[lane] = -1;
}

void Renderer::cast_shadows(const PixelRays& rays, const std::vector<uint32_t>& pixels,
                            bool moving_casts) {
  const int64_t width = view_->camera.width;
  const ShadowBoxes boxes(*stage_);
  RayPacket packet;
  std::array<bool, kLanes> hit{}, hit_moving{};
  std::array<uint32_t, kLanes> whose{};
  size_t lanes = 0;
  packet.wanted.fill(0);
  const auto flush = [&] {
    if (lanes == 0) return;
    // Of what stands still only pixels that moved into its shadow do not know yet.
    std::array<int32_t, kLanes> all = packet.wanted;
    if (moving_casts) {
      for (size_t k = 0; k < lanes; ++k) {
        if (now_.faces[whose[k]] < stage_->first_moving()) packet.wanted[k] = 0;
      }
    }
    stage_->still().any_hit(packet, hit);
    packet.wanted = all;
    if (moving_casts) {
      stage_->moving().any_hit(packet, hit_moving);
    } else {
      hit_moving.fill(false);
    }
    for (size_t k = 0; k < lanes; ++k) {
      if (!hit[k] && !hit_moving[k]) continue;
      now_.lit[whose[k]] = 0;
      changed_[whose[k]] = 1;
    }
    packet.wanted.fill(0);
    lanes = 0;
  };
  ShadowBoxes::Rays to_boxes;
  std::array<Vec3, ShadowBoxes::kRays> surfaces;
  for (size_t first = 0; first < pixels.size(); first += ShadowBoxes::kRays) {
    const size_t count = std::min(ShadowBoxes::kRays, pixels.size() - first);
    for (size_t k = 0; k < count; ++k) {
      const auto row = pixels[first + k] / width, column = pixels[first + k] % width;
      const Vec3 direction = rays.direction(static_cast<double>(column), static_cast<double>(row));
      surfaces[k] = lift(rays, direction, now_.depth[pixels[first + k]]);
      if (moving_casts) to_boxes.put(k, surfaces[k], to_light(surfaces[k]));
    }
    if (moving_casts) boxes.ask(to_boxes);
    for (size_t k = 0; k < count; ++k) {
      const uint32_t i = pixels[first + k];
      const bool stands_still = now_.faces[i] < stage_->first_moving();
      if (moving_casts && stands_still && to_boxes.may_meet[k] == 0) continue;
      put_shadow_ray(packet, lanes, surfaces[k]);
      whose[lanes] = i;
      if (++lanes == kLanes) flush();
    }
  }
  flush();
}

void Renderer::shade_spots(const PixelRays& rays, const std::vector<Spot>& spots, bool with_moving,
                           std::vector<Rgb>& colours) const {
  RayPacket packet;
  std::array<bool, kLanes> still{}, moving{};
  std::array<uint32_t, kLanes> whose{};
  std::array<Rgb, kLanes> direct;
  size_t lanes = 0;
  packet.wanted.fill(0);
  const auto flush = [&] {
    stage_->still().any_hit(packet, still);
    if (with_moving) stage_->moving().any_hit(packet, moving);
    for (size_t k = 0; k < lanes; ++k) {
      if (!still[k] && !moving[k]) colours[whose[k]] = colours[whose[k]] + direct[k];
    }
    packet.wanted.fill(0);
    lanes = 0;
  };
  for (const Spot& spot : spots) {
    float depth = 0;
    Rgb& ambient = colours[spot.index];
    shade(rays, spot.x, spot.y, spot.face, depth, direct[lanes], ambient);
    if (direct[lanes].g <= 0) continue;
    whose[lanes] = spot.index;
    put_shadow_ray(packet, lanes, lift(rays, rays.direction(spot.x, spot.y), depth));
    if (++lanes == kLanes) flush();
  }
  if (lanes > 0) flush();
}

void Renderer::mix_light(const std::vector<uint8_t>* where) {
  const int64_t width = view_->camera.width, height = view_->camera.height;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const auto i = static_cast<size_t>(y * width + x);
      if (where && (*where)[i] == 0) continue;
      // At the rim of a shadow: how much of the light the neighbourhood sees.
      int weight = 2, lit = 2 * now_.lit[i];
      const auto look = [&](int64_t dx, int64_t dy) {
        if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) return;
        const auto j = static_cast<size_t>((y + dy) * width + x + dx);
        if (now_.lit[j] == now_.lit[i] || !same_surface(now_.faces[i], now_.faces[j])) {
          weight += 1;
          lit += now_.lit[i];
        } else {
          weight += 1;
          lit += now_.lit[j];
        }
      };
      look(1, 0);
      look(-1, 0);
      look(0, 1);
      look(0, -1);
      const float share = static_cast<float>(lit) / static_cast<float>(weight);
      now_.colour[i] = now_.ambient[i] + now_.direct[i] * share;
    }
  }
}

}  // namespace momap::synthetic
