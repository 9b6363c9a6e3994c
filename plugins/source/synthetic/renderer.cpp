// SPDX-License-Identifier: Apache-2.0
#include "renderer.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace momap::synthetic {
namespace {

constexpr size_t kLanes = RayPacket::kSize;

}  // namespace

Renderer::Renderer(const StageSet& stage, const Patterns& patterns, const View& view)
    : stage_(&stage), view_(&view), pixel_size_(static_cast<float>(1 / view.camera.fx)) {
  const World& world = stage.world();
  for (const Material& material : world.materials) {
    const Rgb first = as_rgb(material.first);
    paints_.push_back({&patterns.get(material.look, material.variant), first,
                       as_rgb(material.second) + first * -1.0F,
                       static_cast<float>(1 / material.tile)});
  }
  const Light& light = world.light;
  light_ = {light.sun, as_rgb(light.colour), as_rgb(light.ground), as_rgb(light.sky - light.ground),
            as_rgb(light.sky * 0.18)};
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
