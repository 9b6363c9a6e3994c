// SPDX-License-Identifier: Apache-2.0
// Where colour is smoothed: at four points in each pixel at an edge. Those among pixels of its own
// surface take its colour; rays ask what the others show.
#include <algorithm>
#include <cmath>

#include "renderer.h"

namespace momap::synthetic {
namespace {

constexpr size_t kLanes = RayPacket::kSize;

// A rotated grid of points in a pixel.
constexpr std::array<std::array<double, 2>, 4> kPoints{
    {{-0.125, -0.375}, {0.375, -0.125}, {-0.375, 0.125}, {0.125, 0.375}}};

// The neighbours of a pixel between which a point lies: at dx, dy and both.
std::array<int64_t, 2> corner_of(uint32_t point) {
  return {kPoints[point][0] > 0 ? 1 : -1, kPoints[point][1] > 0 ? 1 : -1};
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

std::array<double, 2> Renderer::place_of(const PointInPixel& point, int64_t width) {
  const auto row = point.pixel / width, column = point.pixel % width;
  return {static_cast<double>(column) + kPoints[point.index][0],
          static_cast<double>(row) + kPoints[point.index][1]};
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

bool Renderer::surrounded(const PointInPixel& point) const {
  const int64_t width = view_->camera.width, height = view_->camera.height;
  const int64_t x = point.pixel % width, y = point.pixel / width;
  const auto [dx, dy] = corner_of(point.index);
  if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) return false;
  const int64_t i = point.pixel;
  for (const int64_t j : {i + dx, i + dy * width, i + dy * width + dx}) {
    if (!same_surface(now_.faces[static_cast<size_t>(i)], now_.faces[static_cast<size_t>(j)])) {
      return false;
    }
  }
  return true;
}

std::vector<int32_t> Renderer::faces_at(const PixelRays& rays, const MovingBlocks* blocks,
                                        const std::vector<PointInPixel>& points) const {
  const int64_t width = view_->camera.width;
  std::vector<int32_t> faces(points.size());
  RayPacket packet;
  std::array<int32_t, kLanes> hits{};
  for (size_t first = 0; first < points.size(); first += kLanes) {
    const size_t lanes = std::min(kLanes, points.size() - first);
    packet.wanted.fill(0);
    bool near_moving = false;
    for (size_t k = 0; k < lanes; ++k) {
      const PointInPixel& point = points[first + k];
      const auto [x, y] = place_of(point, width);
      rays.put(packet, k, rays.direction(x, y), kNear, kFar);
      near_moving = near_moving || (blocks && blocks->at(point.pixel % width, point.pixel / width));
    }
    stage_->still().first_hit(packet, hits);
    std::copy_n(hits.begin(), lanes, &faces[first]);
    if (!near_moving) continue;
    for (size_t k = 0; k < lanes; ++k) {
      if (hits[k] < 0) continue;
      const auto [x, y] = place_of(points[first + k], width);
      Vec3 own;
      packet.far[k] = static_cast<float>(
          stage_->meet(stage_->face(hits[k]), rays.origin(), rays.direction(x, y), own));
    }
    stage_->moving().first_hit(packet, hits);
    for (size_t k = 0; k < lanes; ++k) {
      if (hits[k] >= 0) faces[first + k] = hits[k] + stage_->first_moving();
    }
  }
  return faces;
}

const Rgb* Renderer::colour_nearby(const PointInPixel& point, int32_t face) const {
  const int64_t width = view_->camera.width, height = view_->camera.height;
  const int64_t x = point.pixel % width, y = point.pixel / width;
  const auto [dx, dy] = corner_of(point.index);
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
  std::vector<PointInPixel> asked;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const auto i = static_cast<size_t>(y * width + x);
      if (where && (*where)[i] == 0) continue;
      if (!on_edge(x, y)) {
        write(rgb + 3 * i, now_.colour[i]);
        continue;
      }
      pixels.push_back(static_cast<uint32_t>(i));
      for (uint32_t k = 0; k < kPoints.size(); ++k) {
        const PointInPixel point{pixels.back(), k};
        if (!surrounded(point)) asked.push_back(point);
      }
    }
  }
  const std::vector<int32_t> faces = faces_at(rays, blocks, asked);
  std::vector<Rgb> colours(asked.size());
  std::vector<Spot> unknown;
  for (size_t n = 0; n < asked.size(); ++n) {
    if (const Rgb* known = colour_nearby(asked[n], faces[n])) {
      colours[n] = *known;
    } else {
      const auto [x, y] = place_of(asked[n], width);
      unknown.push_back({x, y, faces[n], static_cast<uint32_t>(n)});
    }
  }
  shade_spots(rays, unknown, blocks != nullptr, colours);
  size_t n = 0;
  for (const uint32_t pixel : pixels) {
    Rgb sum;
    float own = kPoints.size();
    for (; n < asked.size() && asked[n].pixel == pixel; ++n, --own) sum = sum + colours[n];
    write(rgb + 3 * size_t{pixel}, (sum + now_.colour[pixel] * own) * (1.0F / kPoints.size()));
  }
}

}  // namespace momap::synthetic
