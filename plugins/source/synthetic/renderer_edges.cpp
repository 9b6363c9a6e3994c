// SPDX-License-Identifier: Apache-2.0
// Where colour is smoothed: four rays for each pixel at an edge.
#include <algorithm>
#include <cmath>

#include "renderer.h"

namespace momap::synthetic {
namespace {

constexpr size_t kLanes = RayPacket::kSize;

// Square root in place of the sRGB curve: near to it, and the same on every machine.
uint8_t encode(float linear) {
  return static_cast<uint8_t>(std::sqrt(std::clamp(linear, 0.0F, 1.0F)) * 255 + 0.5F);
}

void write(uint8_t* out, const Rgb& colour) {
  out[0] = encode(colour.r);
  out[1] = encode(colour.g);
  out[2] = encode(colour.b);
}

}  // namespace

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
        const auto row = pixels[k / 4] / width, column = pixels[k / 4] % width;
        const double x = static_cast<double>(column) + kPoints[k % 4][0];
        const double y = static_cast<double>(row) + kPoints[k % 4][1];
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

}  // namespace momap::synthetic
