// SPDX-License-Identifier: Apache-2.0
// Where colour is smoothed: four rays for each pixel at an edge.
#include <algorithm>
#include <cmath>

#include "renderer.h"

namespace momap::synthetic {
namespace {

constexpr size_t kLanes = RayPacket::kSize;

// A rotated grid of points in a pixel.
constexpr std::array<std::array<double, 2>, 4> kPoints{
    {{-0.125, -0.375}, {0.375, -0.125}, {-0.375, 0.125}, {0.125, 0.375}}};

std::array<double, 2> point_in(uint32_t pixel, size_t point, int64_t width) {
  const auto row = pixel / width, column = pixel % width;
  return {static_cast<double>(column) + kPoints[point][0],
          static_cast<double>(row) + kPoints[point][1]};
}

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

std::vector<int32_t> Renderer::faces_in_pixels(const PixelRays& rays, const MovingBlocks* blocks,
                                               const std::vector<uint32_t>& pixels) const {
  constexpr size_t kTogether = kLanes / kPoints.size();
  const int64_t width = view_->camera.width;
  std::vector<int32_t> faces(kPoints.size() * pixels.size());
  RayPacket packet;
  std::array<int32_t, kLanes> hits{};
  for (size_t first = 0; first < pixels.size(); first += kTogether) {
    const size_t lanes = kPoints.size() * std::min(kTogether, pixels.size() - first);
    packet.wanted.fill(0);
    bool near_moving = false;
    for (size_t k = 0; k < lanes; ++k) {
      const auto [x, y] = point_in(pixels[first + k / kPoints.size()], k % kPoints.size(), width);
      rays.put(packet, k, rays.direction(x, y), kNear, kFar);
      const uint32_t pixel = pixels[first + k / kPoints.size()];
      near_moving = near_moving || (blocks && blocks->at(pixel % width, pixel / width));
    }
    stage_->still().first_hit(packet, hits);
    int32_t* out = faces.data() + kPoints.size() * first;
    std::copy_n(hits.begin(), lanes, out);
    if (!near_moving) continue;
    for (size_t k = 0; k < lanes; ++k) {
      if (hits[k] < 0) continue;
      const auto [x, y] = point_in(pixels[first + k / kPoints.size()], k % kPoints.size(), width);
      Vec3 own;
      packet.far[k] = static_cast<float>(
          stage_->meet(stage_->face(hits[k]), rays.origin(), rays.direction(x, y), own));
    }
    stage_->moving().first_hit(packet, hits);
    for (size_t k = 0; k < lanes; ++k) {
      if (hits[k] >= 0) out[k] = hits[k] + stage_->first_moving();
    }
  }
  return faces;
}

const Rgb* Renderer::colour_nearby(uint32_t pixel, size_t point, int32_t face) const {
  const int64_t width = view_->camera.width, height = view_->camera.height;
  const int64_t x = pixel % width, y = pixel / width;
  const int64_t dx = kPoints[point][0] > 0 ? 1 : -1, dy = kPoints[point][1] > 0 ? 1 : -1;
  const std::array<std::array<int64_t, 2>, 4> order{{{0, 0}, {dx, 0}, {0, dy}, {dx, dy}}};
  for (const auto& [ox, oy] : order) {
    if (x + ox < 0 || x + ox >= width || y + oy < 0 || y + oy >= height) continue;
    const auto j = static_cast<size_t>((y + oy) * width + x + ox);
    if (same_surface(face, now_.faces[j])) return &now_.colour[j];
  }
  return nullptr;
}

void Renderer::smooth_edges(const PixelRays& rays, const MovingBlocks* blocks,
                            const std::vector<uint8_t>* where, uint8_t* rgb) {
  const int64_t width = view_->camera.width, height = view_->camera.height;
  std::vector<uint32_t> pixels;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const auto i = static_cast<size_t>(y * width + x);
      if (where && (*where)[i] == 0) continue;
      if (on_edge(x, y)) {
        pixels.push_back(static_cast<uint32_t>(i));
      } else {
        write(rgb + 3 * i, now_.colour[i]);
      }
    }
  }
  const std::vector<int32_t> faces = faces_in_pixels(rays, blocks, pixels);
  std::vector<Rgb> colours(faces.size());
  std::vector<Spot> unknown;
  for (size_t i = 0; i < faces.size(); ++i) {
    const uint32_t pixel = pixels[i / kPoints.size()];
    const size_t point = i % kPoints.size();
    if (const Rgb* known = colour_nearby(pixel, point, faces[i])) {
      colours[i] = *known;
    } else {
      const auto [x, y] = point_in(pixel, point, width);
      unknown.push_back({x, y, faces[i], static_cast<uint32_t>(i)});
    }
  }
  shade_spots(rays, unknown, blocks != nullptr, colours);
  for (size_t p = 0; p < pixels.size(); ++p) {
    Rgb sum;
    for (size_t k = 0; k < kPoints.size(); ++k) sum = sum + colours[kPoints.size() * p + k];
    write(rgb + 3 * size_t{pixels[p]}, sum * (1.0F / kPoints.size()));
  }
}

}  // namespace momap::synthetic
