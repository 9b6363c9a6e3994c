// SPDX-License-Identifier: Apache-2.0
#include "renderer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

namespace momap::synthetic {
namespace {

constexpr size_t kLanes = RayPacket::kSize;

Rgb as_rgb(const Vec3& v) {
  return {static_cast<float>(v.x), static_cast<float>(v.y), static_cast<float>(v.z)};
}
Rgb times(const Rgb& a, const Rgb& b) { return {a.r * b.r, a.g * b.g, a.b * b.b}; }

// Square root in place of the sRGB curve: near to it, and the same on every machine.
uint8_t encode(float linear) {
  return static_cast<uint8_t>(std::sqrt(std::clamp(linear, 0.0F, 1.0F)) * 255 + 0.5F);
}

void write(uint8_t* out, const Rgb& colour) {
  out[0] = encode(colour.r);
  out[1] = encode(colour.g);
  out[2] = encode(colour.b);
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

  bool may_meet(const Vec3& origin, const Vec3& direction) const {
    const std::array<float, 3> o{static_cast<float>(origin.x), static_cast<float>(origin.y),
                                 static_cast<float>(origin.z)};
    // A direction along a plane gives infinities, which compare as they should.
    const std::array<float, 3> inverse{1 / static_cast<float>(direction.x),
                                       1 / static_cast<float>(direction.y),
                                       1 / static_cast<float>(direction.z)};
    for (const Box& box : boxes_) {
      float near = 0, far = 1e30F;
      for (size_t axis = 0; axis < 3; ++axis) {
        const float a = (box.low[axis] - o[axis]) * inverse[axis];
        const float b = (box.high[axis] - o[axis]) * inverse[axis];
        near = std::max(near, std::min(a, b));
        far = std::min(far, std::max(a, b));
      }
      if (near <= far * 1.0001F) return true;
    }
    return false;
  }

 private:
  struct Box {
    std::array<float, 3> low, high;
  };
  std::vector<Box> boxes_;
};

}  // namespace

Renderer::Renderer(const StageSet& stage, const Patterns& patterns, const View& view)
    : stage_(&stage), view_(&view), pixel_size_(static_cast<float>(1 / view.camera.fx)) {
  const World& world = stage.world();
  for (const Material& material : world.materials) {
    patterns_.push_back(&patterns.get(material.look, material.variant));
  }
  const Vec3 main = to_light({0, 0, 0});
  fill_ = normalized({-main.x, -main.y * 0.3 - 0.7, 0.35});
  const auto count = static_cast<size_t>(view.pixels());
  for (Layer* layer : {&still_, &now_}) {
    layer->faces.resize(count);
    layer->depth.resize(count);
    layer->direct.resize(count);
    layer->ambient.resize(count);
    layer->lit.resize(count);
    layer->colour.resize(count);
  }
  changed_.resize(count);
}

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
  const World& world = stage_->world();
  const Face& face = stage_->face(face_index);
  Vec3 own;
  const double s = stage_->meet(face, rays.origin(), direction, own);
  depth = static_cast<float>(s);
  double u = 0, v = 0;
  Vec3 normal = stage_->normal_at(face, own, u, v);
  const double facing = dot(normal, direction);
  if (facing > 0) normal = -normal;
  const Material& material = world.materials[static_cast<size_t>(face.material)];
  // The footprint of a pixel on a slanted surface, between its short and its long side.
  const double slant = std::abs(facing) / length(direction);
  const auto spread = static_cast<float>(1 / std::sqrt(std::max(slant, 0.05)));
  const auto tile = static_cast<float>(1 / material.tile);
  const auto [mix, value] = patterns_[static_cast<size_t>(face.material)]->at(
      static_cast<float>(u) * tile, static_cast<float>(v) * tile,
      depth * pixel_size_ * spread * tile);
  const Rgb first = as_rgb(material.first), second = as_rgb(material.second);
  const Rgb albedo = (first + (second + first * -1.0F) * mix) * value;

  const Light& light = world.light;
  const Vec3 point = rays.origin() + direction * s;
  const Vec3 toward = to_light(point);
  const double distance = length(toward);
  const double lambert = std::max(dot(normal, toward) / distance, 0.0);
  const double strength = light.sun ? 1 : 1 / (0.5 + 0.08 * distance * distance);
  direct = times(albedo, as_rgb(light.colour * (lambert * strength)));
  const double up = 0.5 + 0.5 * normal.z;
  const double fill = 0.18 * std::max(dot(normal, fill_), 0.0);
  ambient =
      times(albedo, as_rgb(light.ground + (light.sky - light.ground) * up + light.sky * fill));
}

void Renderer::draw_still(const PixelRays& rays, const PixelRays* before) {
  const int64_t width = view_->camera.width, height = view_->camera.height;
  std::vector<uint32_t> facing_light;
  RayPacket packet;
  std::array<int32_t, kLanes> hits{};
  for (int64_t y0 = 0; y0 < height; y0 += MovingBlocks::kHigh) {
    for (int64_t x0 = 0; x0 < width; x0 += MovingBlocks::kWide) {
      packet.wanted.fill(0);
      for (size_t k = 0; k < kLanes; ++k) {
        const int64_t x = x0 + static_cast<int64_t>(k % 4), y = y0 + static_cast<int64_t>(k / 4);
        if (x >= width || y >= height) continue;
        rays.put(packet, k, rays.direction(static_cast<double>(x), static_cast<double>(y)), kNear,
                 kFar);
      }
      stage_->still().first_hit(packet, hits);
      for (size_t k = 0; k < kLanes; ++k) {
        if (packet.wanted[k] == 0) continue;
        const int64_t x = x0 + static_cast<int64_t>(k % 4), y = y0 + static_cast<int64_t>(k / 4);
        const auto i = static_cast<size_t>(y * width + x);
        now_.faces[i] = hits[k];
        now_.lit[i] = 1;
        shade(rays, static_cast<double>(x), static_cast<double>(y), hits[k], now_.depth[i],
              now_.direct[i], now_.ambient[i]);
        if (now_.direct[i].g <= 0 || lit_as_before(rays, before, x, y)) continue;
        facing_light.push_back(static_cast<uint32_t>(i));
      }
    }
  }
  cast_shadows(rays, facing_light, false);
  still_.faces = now_.faces;
  still_.lit = now_.lit;
}

bool Renderer::lit_as_before(const PixelRays& rays, const PixelRays* before, int64_t x, int64_t y) {
  if (!before) return false;
  const Camera& camera = view_->camera;
  const auto i = static_cast<size_t>(y * camera.width + x);
  const Vec3 point =
      rays.origin() +
      rays.direction(static_cast<double>(x), static_cast<double>(y)) * double{now_.depth[i]};
  const Vec3 p = before->cam_from_world().apply(point);
  if (p.z < kNear) return false;
  const double u = camera.fx * p.x / p.z + camera.cx, v = camera.fy * p.y / p.z + camera.cy;
  if (!(u >= 0 && v >= 0 && u < static_cast<double>(camera.width - 1) &&
        v < static_cast<double>(camera.height - 1))) {
    return false;
  }
  const auto corner =
      static_cast<size_t>(static_cast<int64_t>(v) * camera.width + static_cast<int64_t>(u));
  const auto width = static_cast<size_t>(camera.width);
  const uint8_t lit = still_.lit[corner];
  for (const size_t j : {corner, corner + 1, corner + width, corner + width + 1}) {
    if (still_.faces[j] != now_.faces[i] || still_.lit[j] != lit) return false;
  }
  now_.lit[i] = lit;
  return true;
}

void Renderer::cast_shadows(const PixelRays& rays, const std::vector<uint32_t>& pixels,
                            bool moving_casts) {
  const int64_t width = view_->camera.width;
  const bool sun = stage_->world().light.sun;
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
  for (const uint32_t i : pixels) {
    const auto x = static_cast<double>(i % width), y = static_cast<double>(i / width);
    const Vec3 direction = rays.direction(x, y);
    // A little toward the viewer and toward the light, off the surface.
    const double depth = now_.depth[i];
    const Vec3 surface = rays.origin() + direction * (depth * (1 - 1e-4) - 5e-4);
    const Vec3 toward = to_light(surface);
    const Vec3 origin = surface + toward * (1.5e-3 / length(toward));
    if (moving_casts && now_.faces[i] < stage_->first_moving() && !boxes.may_meet(origin, toward)) {
      continue;
    }
    packet.org_x[lanes] = static_cast<float>(origin.x);
    packet.org_y[lanes] = static_cast<float>(origin.y);
    packet.org_z[lanes] = static_cast<float>(origin.z);
    packet.dir_x[lanes] = static_cast<float>(toward.x);
    packet.dir_y[lanes] = static_cast<float>(toward.y);
    packet.dir_z[lanes] = static_cast<float>(toward.z);
    packet.near[lanes] = 0;
    packet.far[lanes] = sun ? kFar : 0.98F;
    packet.wanted[lanes] = -1;
    whose[lanes] = i;
    if (++lanes == kLanes) flush();
  }
  flush();
}

void Renderer::draw_moving(const PixelRays& rays, const MovingBlocks& blocks) {
  const int64_t width = view_->camera.width, height = view_->camera.height;
  std::vector<uint32_t> facing_light;
  RayPacket packet;
  std::array<int32_t, kLanes> hits{};
  for (int64_t y0 = 0; y0 < height; y0 += MovingBlocks::kHigh) {
    for (int64_t x0 = 0; x0 < width; x0 += MovingBlocks::kWide) {
      if (!blocks.at(x0, y0)) continue;
      packet.wanted.fill(0);
      for (size_t k = 0; k < kLanes; ++k) {
        const int64_t x = x0 + static_cast<int64_t>(k % 4), y = y0 + static_cast<int64_t>(k / 4);
        if (x >= width || y >= height) continue;
        const auto i = static_cast<size_t>(y * width + x);
        const float far = now_.faces[i] < 0 ? kFar : now_.depth[i];
        rays.put(packet, k, rays.direction(static_cast<double>(x), static_cast<double>(y)), kNear,
                 far);
      }
      stage_->moving().first_hit(packet, hits);
      for (size_t k = 0; k < kLanes; ++k) {
        if (packet.wanted[k] == 0 || hits[k] < 0) continue;
        const int64_t x = x0 + static_cast<int64_t>(k % 4), y = y0 + static_cast<int64_t>(k / 4);
        const auto i = static_cast<size_t>(y * width + x);
        now_.faces[i] = hits[k] + stage_->first_moving();
        now_.lit[i] = 1;
        changed_[i] = 1;
        shade(rays, static_cast<double>(x), static_cast<double>(y), now_.faces[i], now_.depth[i],
              now_.direct[i], now_.ambient[i]);
      }
    }
  }
  const auto count = static_cast<uint32_t>(width * height);
  for (uint32_t i = 0; i < count; ++i) {
    if (now_.lit[i] != 0 && now_.direct[i].g > 0) facing_light.push_back(i);
  }
  cast_shadows(rays, facing_light, true);
}

bool Renderer::same_surface(int32_t a, int32_t b) const {
  if (a == b) return true;
  if (a < 0 || b < 0) return false;
  const Face &fa = stage_->face(a), &fb = stage_->face(b);
  if (fa.part != fb.part || fa.material != fb.material) return false;
  return (fa.smooth && fb.smooth) || fa.normal == fb.normal;
}

bool Renderer::on_edge(int64_t x, int64_t y) const {
  const int64_t width = view_->camera.width, height = view_->camera.height;
  const auto i = static_cast<size_t>(y * width + x);
  const auto differs = [&](int64_t dx, int64_t dy) {
    if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) return false;
    const auto j = static_cast<size_t>((y + dy) * width + x + dx);
    if (now_.faces[i] == now_.faces[j]) return false;
    // Where both sides look alike there is nothing to smooth.
    constexpr float kContrast = 0.015F;
    const Rgb &p = now_.colour[i], &q = now_.colour[j];
    if (std::abs(p.r - q.r) < kContrast && std::abs(p.g - q.g) < kContrast &&
        std::abs(p.b - q.b) < kContrast) {
      return false;
    }
    if (!same_surface(now_.faces[i], now_.faces[j])) return true;
    const float a = now_.depth[i], b = now_.depth[j];
    return std::abs(a - b) > 0.05F * std::min(a, b);
  };
  return differs(1, 0) || differs(0, 1) || differs(-1, 0) || differs(0, -1);
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

Rgb Renderer::shaded_with_shadow(const PixelRays& rays, double x, double y, int32_t face,
                                 bool with_moving) const {
  float depth = 0;
  Rgb direct, ambient;
  shade(rays, x, y, face, depth, direct, ambient);
  if (direct.g <= 0) return ambient;
  const Vec3 surface = rays.origin() + rays.direction(x, y) * (double{depth} * (1 - 1e-4) - 5e-4);
  const Vec3 toward = to_light(surface);
  const Vec3 origin = surface + toward * (1.5e-3 / length(toward));
  RayPacket packet;
  packet.wanted.fill(0);
  packet.org_x[0] = static_cast<float>(origin.x);
  packet.org_y[0] = static_cast<float>(origin.y);
  packet.org_z[0] = static_cast<float>(origin.z);
  packet.dir_x[0] = static_cast<float>(toward.x);
  packet.dir_y[0] = static_cast<float>(toward.y);
  packet.dir_z[0] = static_cast<float>(toward.z);
  packet.near[0] = 0;
  packet.far[0] = stage_->world().light.sun ? kFar : 0.98F;
  packet.wanted[0] = -1;
  std::array<bool, kLanes> still{}, moving{};
  stage_->still().any_hit(packet, still);
  if (!still[0] && with_moving) stage_->moving().any_hit(packet, moving);
  return still[0] || moving[0] ? ambient : ambient + direct;
}

void Renderer::smooth_edges(const PixelRays& rays, const MovingBlocks* blocks,
                            const std::vector<uint8_t>* where, uint8_t* rgb) {
  // A rotated grid of four points in the pixel.
  static constexpr std::array<std::array<double, 2>, 4> kPoints{
      {{-0.125, -0.375}, {0.375, -0.125}, {-0.375, 0.125}, {0.125, 0.375}}};
  const int64_t width = view_->camera.width, height = view_->camera.height;
  RayPacket packet;
  std::array<int32_t, kLanes> hits{}, moving_hits{};
  std::array<uint32_t, 2> pixels{};
  size_t waiting = 0;
  const auto flush = [&] {
    if (waiting == 0) return;
    stage_->still().first_hit(packet, hits);
    bool near_moving = false;
    for (size_t p = 0; p < waiting; ++p) {
      near_moving = near_moving || (blocks && blocks->at(pixels[p] % width, pixels[p] / width));
    }
    if (near_moving) {
      for (size_t k = 0; k < 4 * waiting; ++k) {
        if (hits[k] < 0) continue;
        const auto x = static_cast<double>(pixels[k / 4] % width) + kPoints[k % 4][0];
        const auto y = static_cast<double>(pixels[k / 4] / width) + kPoints[k % 4][1];
        Vec3 own;
        packet.far[k] = static_cast<float>(
            stage_->meet(stage_->face(hits[k]), rays.origin(), rays.direction(x, y), own));
      }
      stage_->moving().first_hit(packet, moving_hits);
      for (size_t k = 0; k < 4 * waiting; ++k) {
        if (moving_hits[k] >= 0) hits[k] = moving_hits[k] + stage_->first_moving();
      }
    }
    for (size_t p = 0; p < waiting; ++p) {
      const int64_t x = pixels[p] % width, y = pixels[p] / width;
      Rgb sum;
      for (size_t k = 0; k < 4; ++k) {
        const int32_t face = hits[4 * p + k];
        // A pixel centre nearby that shows the same surface knows its colour already.
        const double sx = kPoints[k][0], sy = kPoints[k][1];
        const int64_t dx = sx > 0 ? 1 : -1, dy = sy > 0 ? 1 : -1;
        const std::array<std::array<int64_t, 2>, 4> order{{{0, 0}, {dx, 0}, {0, dy}, {dx, dy}}};
        bool known = false;
        for (const auto& [ox, oy] : order) {
          if (x + ox < 0 || x + ox >= width || y + oy < 0 || y + oy >= height) continue;
          const auto j = static_cast<size_t>((y + oy) * width + x + ox);
          if (!same_surface(face, now_.faces[j])) continue;
          sum = sum + now_.colour[j];
          known = true;
          break;
        }
        if (!known) {
          sum = sum + shaded_with_shadow(rays, static_cast<double>(x) + sx,
                                         static_cast<double>(y) + sy, face, blocks != nullptr);
        }
      }
      write(rgb + 3 * pixels[p], sum * 0.25F);
    }
    waiting = 0;
    packet.wanted.fill(0);
  };
  packet.wanted.fill(0);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const auto i = static_cast<size_t>(y * width + x);
      if (where && (*where)[i] == 0) continue;
      if (!on_edge(x, y)) {
        write(rgb + 3 * i, now_.colour[i]);
        continue;
      }
      for (size_t k = 0; k < 4; ++k) {
        rays.put(packet, 4 * waiting + k,
                 rays.direction(static_cast<double>(x) + kPoints[k][0],
                                static_cast<double>(y) + kPoints[k][1]),
                 kNear, kFar);
      }
      pixels[waiting] = static_cast<uint32_t>(i);
      if (++waiting == 2) flush();
    }
  }
  flush();
}

void Renderer::grow(std::vector<uint8_t>& mask) const {
  const auto width = static_cast<size_t>(view_->camera.width);
  const auto height = static_cast<size_t>(view_->camera.height);
  std::vector<uint8_t> wide(mask.size());
  for (size_t y = 0; y < height; ++y) {
    const uint8_t* row = mask.data() + y * width;
    for (size_t x = 0; x < width; ++x) {
      wide[y * width + x] = static_cast<uint8_t>(row[x] | (x > 0 ? row[x - 1] : 0) |
                                                 (x + 1 < width ? row[x + 1] : 0));
    }
  }
  for (size_t i = 0; i < mask.size(); ++i) {
    mask[i] = static_cast<uint8_t>(wide[i] | (i >= width ? wide[i - width] : 0) |
                                   (i + width < mask.size() ? wide[i + width] : 0));
  }
}

void Renderer::paint(int64_t t, uint8_t* rgb) {
  const PixelRays rays(*view_, t);
  const MovingBlocks blocks(*stage_, rays);
  if (view_->moves) {
    const std::optional<PixelRays> before =
        t > 0 ? std::optional<PixelRays>(std::in_place, *view_, t - 1) : std::nullopt;
    draw_still(rays, before ? &*before : nullptr);
    draw_moving(rays, blocks);
    mix_light(nullptr);
    smooth_edges(rays, &blocks, nullptr, rgb);
    return;
  }
  if (still_rgb_.empty()) {
    draw_still(rays, nullptr);
    mix_light(nullptr);
    still_rgb_.resize(3 * changed_.size());
    smooth_edges(rays, nullptr, nullptr, still_rgb_.data());
    still_ = now_;
  } else {
    now_ = still_;
  }
  std::ranges::fill(changed_, uint8_t{0});
  draw_moving(rays, blocks);
  std::vector<uint8_t> where = changed_;
  grow(where);
  mix_light(&where);
  grow(where);
  std::memcpy(rgb, still_rgb_.data(), still_rgb_.size());
  smooth_edges(rays, &blocks, &where, rgb);
}

}  // namespace momap::synthetic
