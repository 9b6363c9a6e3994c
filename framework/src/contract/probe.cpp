// SPDX-License-Identifier: Apache-2.0
#include "probe.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <momap/data/geometry.h>
#include <momap/stage/noise_schedule.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace momap::contract {
namespace {

constexpr double kWallZ = 4.0, kSquareZ = 2.0;  // m
constexpr double kHalfWidth = 0.4;              // m, of the square
constexpr double kSpeed = 0.05;                 // m a frame

// u8; a smooth pattern of surface coordinates (metres), another one on each surface and channel
uint8_t colour(double x, double y, bool square, int channel) {
  const double shift = (square ? 2.0 : 0.5) + channel;
  const double value =
      128 + 50 * std::sin(9 * x + 3 * y + shift) + 40 * std::cos(5 * x - 11 * y * shift);
  return static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
}

struct Surface {
  bool square;
  double x, y, z;  // m, of the point seen
};

Surface seen_at(const Camera& camera, int64_t t, int64_t px, int64_t py) {
  const double ray_x = (static_cast<double>(px) - camera.cx) / camera.fx;
  const double ray_y = (static_cast<double>(py) - camera.cy) / camera.fy;
  const double centre = kSpeed * static_cast<double>(t);
  const bool square =
      std::abs(ray_x * kSquareZ - centre) <= kHalfWidth && std::abs(ray_y * kSquareZ) <= kHalfWidth;
  const double z = square ? kSquareZ : kWallZ;
  return {square, ray_x * z, ray_y * z, z};
}

Clip make_clip(int64_t frames, int64_t height, int64_t width) {
  const double focal = static_cast<double>(width);
  const Camera camera{.fx = focal,
                      .fy = focal,
                      .cx = (static_cast<double>(width) - 1) / 2,
                      .cy = (static_cast<double>(height) - 1) / 2,
                      .width = width,
                      .height = height};
  Clip clip;
  clip.frames = at::empty({frames, height, width, 3}, at::kByte);
  clip.fps = 12;
  clip.depth = at::empty({frames, height, width}, at::kFloat);
  clip.camera = camera;
  clip.cam_from_world = at::zeros({frames, 4, 4}, at::kDouble);
  clip.segments = at::empty({height, width}, at::kInt);
  clip.segment_names = {"wall", "square"};
  clip.caption = "a square moves";
  MoMap truth{.xyz = at::empty({frames, height, width, 3}, at::kFloat),
              .visible = {},
              .valid = at::ones({height, width}, at::kBool),
              .camera = camera};

  uint8_t* rgb = clip.frames.data_ptr<uint8_t>();
  float* depth = clip.depth->data_ptr<float>();
  int32_t* segments = clip.segments->data_ptr<int32_t>();
  float* xyz = truth.xyz.data_ptr<float>();
  for (int64_t t = 0; t < frames; ++t) {
    double* pose = clip.cam_from_world->data_ptr<double>() + 16 * t;
    pose[0] = pose[5] = pose[10] = pose[15] = 1;
    const double shift = kSpeed * static_cast<double>(t);
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x, rgb += 3, xyz += 3) {
        const Surface now = seen_at(camera, t, x, y);
        const double on_surface_x = now.x - (now.square ? shift : 0);
        for (int c = 0; c < 3; ++c) rgb[c] = colour(on_surface_x, now.y, now.square, c);
        *depth++ = static_cast<float>(now.z);
        const Surface first = seen_at(camera, 0, x, y);
        if (t == 0) *segments++ = first.square ? 1 : 0;
        xyz[0] = static_cast<float>(first.x + (first.square ? shift : 0));
        xyz[1] = static_cast<float>(first.y);
        xyz[2] = static_cast<float>(first.z);
      }
    }
  }
  truth.visible = visible_by_depth(truth.xyz, truth.valid, camera);
  clip.truth.push_back({.motion = std::move(truth), .caption = clip.caption, .actions = {}});
  return clip;
}

template <class Covered>
PartialClip take_out(const Clip& clip, Covered covered) {
  const int64_t frames = clip.length(), height = clip.height(), width = clip.width();
  PartialClip partial{.frames = clip.frames.clone(),
                      .covered = at::ones({frames, height, width}, at::kBool),
                      .depth = clip.depth->clone(),
                      .dropped = at::zeros({frames, kDropReasons}, at::kLong),
                      .fps = clip.fps};
  uint8_t* rgb = partial.frames.data_ptr<uint8_t>();
  bool* mask = partial.covered.data_ptr<bool>();
  float* depth = partial.depth.data_ptr<float>();
  for (int64_t t = 0; t < frames; ++t) {
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x, rgb += 3, ++mask, ++depth) {
        if (covered(t, y, x)) continue;
        *mask = false;
        *depth = 0;
        std::fill(rgb, rgb + 3, uint8_t{0});
      }
    }
  }
  return partial;
}

}  // namespace

Probe make_probe(int64_t frames, int64_t height, int64_t width) {
  Clip clip = make_clip(frames, height, width);
  PartialClip partial = take_out(clip, [&](int64_t t, int64_t y, int64_t x) {
    const bool hole = x >= width / 4 + t && x < width / 2 + t && y >= height / 4 && y < height / 2;
    const bool strip = x >= width - t;
    return t == 0 || !(hole || strip);
  });
  return {std::move(clip), std::move(partial)};
}

Probe make_uncovered_probe(int64_t frames, int64_t height, int64_t width) {
  Clip clip = make_clip(frames, height, width);
  PartialClip partial = take_out(clip, [](int64_t, int64_t, int64_t) { return false; });
  return {std::move(clip), std::move(partial)};
}

Latent foreign_latent(const Probe& probe) {
  const Clip& clip = probe.clip;
  return {.values = at::ones({1, 3, (clip.height() + 7) / 8, (clip.width() + 7) / 8}, at::kFloat),
          .spec = {.encoding = "encoding/made_by_nobody",
                   .version = 1,
                   .normalization = "none",
                   .frames = clip.length(),
                   .height = clip.height(),
                   .width = clip.width()}};
}

Datum datum_of(const Probe& probe, Kind kind) {
  switch (kind) {
    case Kind::clip: {
      Clip clip = probe.clip;
      clip.covered = probe.partial.covered;
      return clip;
    }
    case Kind::momap:
      return probe.clip.truth[0].motion;
    case Kind::latent:
      return foreign_latent(probe);
    case Kind::partial_clip:
      return probe.partial;
    case Kind::score:
      return Score{{{.name = "error",
                     .unit = "m",
                     .direction = Direction::lower_is_better,
                     .value = 0.25,
                     .undefined_reason = ""},
                    {.name = "share",
                     .unit = "",
                     .direction = Direction::higher_is_better,
                     .value = std::nullopt,
                     .undefined_reason = "nothing moves"}}};
    case Kind::backbone:
    case Kind::file:
      break;
  }
  throw std::invalid_argument(fmt::format("a {} does not travel as data", name_of(kind)));
}

// Each value of a latent is normal with its own mean and this deviation.
constexpr double kDeviation = 0.3;
constexpr int64_t kStride = 8;

BackboneSpec GaussianBackbone::spec() const {
  BackboneSpec spec;
  spec.prediction = Prediction::v;
  spec.channels = 3;
  spec.latent.encoding = "encoding/gaussian";
  spec.latent.version = 1;
  spec.latent.normalization = "none";
  spec.latent.frames = 6;
  spec.stride = kStride;
  spec.scale = at::ones({3}, at::kFloat);
  return spec;
}

Conditioning GaussianBackbone::prepare(const Condition& condition) const {
  const int64_t height = (condition.image.size(0) + kStride - 1) / kStride;
  const int64_t width = (condition.image.size(1) + kStride - 1) / kStride;
  return {.spatial = at::zeros({1, 1, height, width}, at::kFloat),
          .tokens = at::zeros({1, 4}, at::kLong)};
}

at::Tensor GaussianBackbone::predict(const at::Tensor& noisy, const at::Tensor& noise_level,
                                     const Conditioning&) const {
  const at::Tensor input = noisy.contiguous(), levels = noise_level.contiguous();
  at::Tensor prediction = at::empty(noisy.sizes(), at::kFloat);
  const int64_t per_item = noisy.numel() / std::max<int64_t>(1, noisy.size(0));
  for (int64_t b = 0; b < noisy.size(0); ++b) {
    const auto [alpha, sigma] = cosine_schedule(levels.data_ptr<float>()[b]);
    const double variance = kDeviation * kDeviation;
    const double total = alpha * alpha * variance + sigma * sigma;
    for (int64_t i = 0; i < per_item; ++i) {
      const double mean = 0.5 * std::sin(static_cast<double>(i));
      const double excess = input.data_ptr<float>()[b * per_item + i] - alpha * mean;
      const double clean = mean + alpha * variance / total * excess;
      const double noise = sigma / total * excess;
      prediction.data_ptr<float>()[b * per_item + i] =
          static_cast<float>(alpha * noise - sigma * clean);
    }
  }
  return prediction;
}

}  // namespace momap::contract
