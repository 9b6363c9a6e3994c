// SPDX-License-Identifier: Apache-2.0
#include "scenes.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <random>

namespace momap::testing {
namespace {

constexpr double kWallZ = 4.0;            // m
constexpr double kSquareZ = 2.0;          // m, in frame 0
constexpr double kSquareHalfWidth = 0.4;  // m

struct Interval {
  double low, high;
  double size() const { return std::max(0.0, high - low); }
  bool contains(double value) const { return value >= low && value <= high; }
};

Interval meet(const Interval& a, const Interval& b) {
  return {std::max(a.low, b.low), std::min(a.high, b.high)};
}

// sin(a) / a
double sinc(double a) { return std::abs(a) < 1e-8 ? 1.0 : std::sin(a) / a; }

// A sum of plane waves over surface coordinates (metres): its mean over a rectangle is known in
// closed form, so that rendering is exact and not a matter of sampling.
class Texture {
 public:
  Texture(uint64_t seed, double mean, double shortest) : mean_(mean) {
    std::mt19937_64 random(seed);
    const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
    for (size_t i = 0; i < waves_.size(); ++i) {
      // Wavelengths from `shortest` to eight times that, evenly in octaves.
      const double length = shortest * std::exp2(3.0 * static_cast<double>(i % kPerSet) / kPerSet);
      const double direction = 2 * std::numbers::pi * uniform();
      const double k = 2 * std::numbers::pi / length;
      waves_[i] = {k * std::cos(direction), k * std::sin(direction),
                   2 * std::numbers::pi * uniform(), i < kPerSet ? 11.0 : 7.0};
    }
  }

  // Mean colour of channel `channel` (0 to 255) over a rectangle.
  double mean_over(int channel, const Interval& x, const Interval& y) const {
    const double cx = (x.low + x.high) / 2, cy = (y.low + y.high) / 2;
    double sum = mean_;
    for (size_t i = 0; i < waves_.size(); ++i) {
      const size_t set = i / kPerSet;  // 0: all channels; 1 to 3: one channel each
      if (set != 0 && set != static_cast<size_t>(channel) + 1) continue;
      const Wave& w = waves_[i];
      sum += w.amplitude * std::sin(w.kx * cx + w.ky * cy + w.phase) * sinc(w.kx * x.size() / 2) *
             sinc(w.ky * y.size() / 2);
    }
    return sum;
  }

 private:
  static constexpr size_t kPerSet = 6;
  struct Wave {
    double kx, ky, phase, amplitude;
  };
  std::array<Wave, 4 * kPerSet> waves_{};
  double mean_;
};

// The world's coordinates are those of the camera in frame 0.
class World {
 public:
  World(const SceneOptions& options, const Camera& camera)
      : options_(options),
        camera_(camera),
        // About four pixels, as seen in frame 0 at the reference size of 128 px.
        wall_(options.texture_seed, 118, 4 * kWallZ / 110),
        square_(options.texture_seed + 1, 138, 4 * kSquareZ / 110) {}

  double camera_x(int64_t t) const { return options_.camera_speed_x * static_cast<double>(t); }
  double square_x(int64_t t) const { return options_.square_speed_x * static_cast<double>(t); }
  double square_z(int64_t t) const {
    return kSquareZ + options_.square_speed_z * static_cast<double>(t);
  }

  // The ray through image position (u, v) of frame t meets the square before the wall.
  bool square_seen(int64_t t, double u, double v) const {
    const double z = square_z(t);
    if (z <= 0 || z >= kWallZ) return false;
    const double x = camera_x(t) + (u - camera_.cx) / camera_.fx * z;
    const double y = (v - camera_.cy) / camera_.fy * z;
    return square_span(t).contains(x) && kSquareY.contains(y);
  }

  // Colour of a pixel: the exact mean over its area.
  void colour(int64_t t, int64_t px, int64_t py, uint8_t* rgb) const {
    const Interval wall_x = across(px, camera_.cx, camera_.fx, kWallZ, camera_x(t));
    const Interval wall_y = across(py, camera_.cy, camera_.fy, kWallZ, 0);
    const double z = square_z(t);
    std::optional<Interval> cut_x, cut_y;
    double share = 0;  // of the pixel that shows the square
    if (z > 0 && z < kWallZ) {
      const Interval x = across(px, camera_.cx, camera_.fx, z, camera_x(t));
      const Interval y = across(py, camera_.cy, camera_.fy, z, 0);
      cut_x = meet(x, square_span(t));
      cut_y = meet(y, kSquareY);
      share = cut_x->size() * cut_y->size() / (x.size() * y.size());
    }
    for (int c = 0; c < 3; ++c) {
      double value = 0;
      if (share < 1) {
        value = wall_.mean_over(c, wall_x, wall_y);
        if (share > 0) {
          // The wall behind the cut-out part is not seen.
          const Interval hidden_x = onto_wall(*cut_x, z, camera_x(t));
          const Interval hidden_y = onto_wall(*cut_y, z, 0);
          value -= share * wall_.mean_over(c, hidden_x, hidden_y);
        }
      }
      if (share > 0) {
        const double at = square_x(t);
        value += share * square_.mean_over(c, {cut_x->low - at, cut_x->high - at}, *cut_y);
      }
      rgb[c] = static_cast<uint8_t>(std::clamp(std::lround(value), 0L, 255L));
    }
  }

  // A point at (x, y, z) in world coordinates is in the image of frame t and not behind the square.
  bool seen(int64_t t, double x, double y, double z, bool on_square) const {
    if (z <= 0) return false;
    const double u = camera_.fx * (x - camera_x(t)) / z + camera_.cx;
    const double v = camera_.fy * y / z + camera_.cy;
    const bool inside = u >= -0.5 && v >= -0.5 && u < static_cast<double>(camera_.width) - 0.5 &&
                        v < static_cast<double>(camera_.height) - 0.5;
    if (!inside) return false;
    return on_square ? z < kWallZ : !square_seen(t, u, v);
  }

 private:
  static constexpr Interval kSquareY{-kSquareHalfWidth, kSquareHalfWidth};

  Interval square_span(int64_t t) const {
    return {square_x(t) - kSquareHalfWidth, square_x(t) + kSquareHalfWidth};
  }

  // What one pixel covers of the plane at depth z, along one axis.
  static Interval across(int64_t pixel, double centre, double focal, double z, double camera) {
    const double u = static_cast<double>(pixel) - centre;
    return {camera + (u - 0.5) / focal * z, camera + (u + 0.5) / focal * z};
  }

  static Interval onto_wall(const Interval& at_z, double z, double camera) {
    return {camera + (at_z.low - camera) * kWallZ / z, camera + (at_z.high - camera) * kWallZ / z};
  }

  SceneOptions options_;
  Camera camera_;
  Texture wall_;
  Texture square_;
};

MoMap true_motion(const World& world, const at::Tensor& depth, const Camera& camera,
                  int64_t frames) {
  const int64_t height = camera.height, width = camera.width;
  MoMap truth{.xyz = at::empty({frames, height, width, 3}, at::kFloat),
              .visible = at::empty({frames, height, width}, at::kBool),
              .valid = at::empty({height, width}, at::kBool),
              .camera = camera};
  truth.valid.fill_(true);
  const float* z = depth.data_ptr<float>();
  float* xyz = truth.xyz.data_ptr<float>();
  bool* visible = truth.visible.data_ptr<bool>();
  for (int64_t t = 0; t < frames; ++t) {
    for (int64_t py = 0; py < height; ++py) {
      for (int64_t px = 0; px < width; ++px, xyz += 3, ++visible) {
        const double z0 = z[py * width + px];
        const auto u = static_cast<double>(px), v = static_cast<double>(py);
        const bool on_square = world.square_seen(0, u, v);
        const double x = (u - camera.cx) / camera.fx * z0 + (on_square ? world.square_x(t) : 0);
        const double y = (v - camera.cy) / camera.fy * z0;
        const double now_z = on_square ? world.square_z(t) : z0;
        xyz[0] = static_cast<float>(x);
        xyz[1] = static_cast<float>(y);
        xyz[2] = static_cast<float>(now_z);
        *visible = world.seen(t, x, y, now_z, on_square);
      }
    }
  }
  return truth;
}

}  // namespace

Camera simple_camera(int64_t width, int64_t height) {
  const double focal = static_cast<double>(width) / 2 / std::tan(std::numbers::pi / 6);
  return {.fx = focal,
          .fy = focal,
          .cx = (static_cast<double>(width) - 1) / 2,
          .cy = (static_cast<double>(height) - 1) / 2,
          .width = width,
          .height = height};
}

Clip moving_square(const SceneOptions& options) {
  const int64_t frames = options.frames, height = options.height, width = options.width;
  const Camera camera = simple_camera(width, height);
  const World world(options, camera);

  Clip clip;
  clip.frames = at::empty({frames, height, width, 3}, at::kByte);
  clip.fps = 10;
  clip.depth = at::empty({frames, height, width}, at::kFloat);
  clip.camera = camera;
  clip.cam_from_world = at::zeros({frames, 4, 4}, at::kDouble);
  clip.segments = at::empty({height, width}, at::kInt);
  clip.segment_names = {"wall", "square"};
  clip.caption = "a square moves";

  uint8_t* rgb = clip.frames.data_ptr<uint8_t>();
  float* depth = clip.depth->data_ptr<float>();
  int32_t* segment = clip.segments->data_ptr<int32_t>();
  for (int64_t t = 0; t < frames; ++t) {
    double* pose = clip.cam_from_world->data_ptr<double>() + 16 * t;
    pose[0] = pose[5] = pose[10] = pose[15] = 1;
    pose[3] = -world.camera_x(t);
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x, rgb += 3, ++depth) {
        world.colour(t, x, y, rgb);
        const bool square = world.square_seen(t, static_cast<double>(x), static_cast<double>(y));
        *depth = static_cast<float>(square ? world.square_z(t) : kWallZ);
        if (t == 0) *segment++ = square ? 1 : 0;
      }
    }
  }
  clip.truth.push_back({.motion = true_motion(world, *clip.depth, camera, frames),
                        .caption = clip.caption,
                        .actions = {}});
  return clip;
}

}  // namespace momap::testing
