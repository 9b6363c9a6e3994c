// SPDX-License-Identifier: Apache-2.0
#include "plate.h"

#include <ATen/core/Tensor.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "../pyramid/pyramid.h"

namespace momap::completion {
namespace {

constexpr int kSameColour = 12;      // levels, of each channel
constexpr float kSameDepth = 0.01F;  // share
constexpr float kBehind = 1.01F;     // times the depth of what went away

bool usable(float depth) { return depth > 0 && std::isfinite(depth); }

bool same_colour(const uint8_t* a, const uint8_t* b) {
  return std::abs(a[0] - b[0]) <= kSameColour && std::abs(a[1] - b[1]) <= kSameColour &&
         std::abs(a[2] - b[2]) <= kSameColour;
}

// Steps to the rim of a square: 32 directions without rounding that depends on the machine.
constexpr int kReach = 4;
constexpr auto kDirections = [] {
  std::array<std::array<int, 2>, size_t{8} * kReach> out{};
  size_t n = 0;
  for (int a = -kReach; a < kReach; ++a) {
    out[n++] = {a, -kReach};
    out[n++] = {kReach, a};
    out[n++] = {-a, kReach};
    out[n++] = {-kReach, -a};
  }
  return out;
}();

/// What all frames together say of each pixel.
class Evidence {
 public:
  explicit Evidence(const PartialClip& partial)
      : frames_(partial.covered.size(0)),
        height_(partial.covered.size(1)),
        width_(partial.covered.size(2)),
        rgb_(partial.frames.data_ptr<uint8_t>()),
        covered_(partial.covered.data_ptr<bool>()),
        depth_(partial.depth.data_ptr<float>()),
        hole_(pixels()),
        steady_(pixels()),
        farthest_(pixels()) {
    for (int64_t i = 0; i < pixels(); ++i) look_at(i);
    if (frames_ > 1) drop_rims();
  }

  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t pixels() const { return height_ * width_; }
  bool hole(int64_t i) const { return hole_[i] != 0; }
  bool steady(int64_t i) const { return steady_[i] != 0; }
  /// Of what was drawn at the pixel, metres; 0: nothing with a depth.
  float farthest(int64_t i) const { return farthest_[i]; }
  const uint8_t* rgb(int64_t i) const { return rgb_ + 3 * i; }  // of frame 0
  float depth(int64_t i) const { return depth_[i]; }

 private:
  void look_at(int64_t i) {
    bool steady = true;
    for (int64_t t = 0; t < frames_; ++t) {
      const int64_t at = t * pixels() + i;
      if (!covered_[at]) {
        hole_[i] = 1;
        continue;
      }
      if (usable(depth_[at])) farthest_[i] = std::max(farthest_[i], depth_[at]);
      steady = steady && usable(depth_[at]) && same_colour(rgb_ + 3 * at, rgb_ + 3 * i) &&
               std::abs(depth_[at] - depth_[i]) <= kSameDepth * depth_[i];
    }
    steady_[i] = steady && hole_[i] == 0;
  }

  void drop_rims() {
    for (int64_t y = 0; y < height_; ++y) {
      for (int64_t x = 0; x < width_; ++x) {
        if (!hole(y * width_ + x)) continue;
        for (int64_t v = std::max<int64_t>(y - 1, 0); v <= std::min(y + 1, height_ - 1); ++v) {
          for (int64_t u = std::max<int64_t>(x - 1, 0); u <= std::min(x + 1, width_ - 1); ++u) {
            steady_[v * width_ + u] = 0;
          }
        }
      }
    }
  }

  int64_t frames_, height_, width_;
  const uint8_t* rgb_;
  const bool* covered_;
  const float* depth_;
  std::vector<uint8_t> hole_, steady_;  // [H, W], 0 or 1
  std::vector<float> farthest_;         // [H, W], metres
};

struct Filling {
  std::array<float, 3> rgb{};
  float depth = 0;
  bool known = false;
};

/// What is first met around a pixel that may lie behind it: places in the picture.
class Surroundings {
 public:
  Surroundings(const Evidence& evidence, int64_t x, int64_t y) : evidence_(evidence) {
    const float behind = kBehind * evidence.farthest(y * evidence.width() + x);
    for (const auto& [dx, dy] : kDirections) {
      for (int64_t step = 1;; ++step) {
        // Rounded to the nearest pixel.
        const int64_t u = x + ((2 * dx * step + kReach) >> 3);
        const int64_t v = y + ((2 * dy * step + kReach) >> 3);
        if (u < 0 || v < 0 || u >= evidence.width() || v >= evidence.height()) break;
        const int64_t i = v * evidence.width() + u;
        if (!evidence.steady(i) || evidence.depth(i) < behind) continue;
        const auto squared = static_cast<float>((u - x) * (u - x) + (v - y) * (v - y));
        met_[count_++] = {i, std::sqrt(squared)};
        deepest_ = std::max(deepest_, evidence.depth(i));
        break;
      }
    }
  }

  Filling mean() const {
    Filling out;
    float weights = 0;
    for (size_t n = 0; n < count_; ++n) {
      const auto& [place, distance] = met_[n];
      const float depth = evidence_.depth(place);
      float weight = 1 / distance;
      for (int k = 0; k < kBackgroundPreference; ++k) weight *= depth / deepest_;
      for (size_t c = 0; c < 3; ++c) out.rgb[c] += weight * evidence_.rgb(place)[c];
      out.depth += weight * depth;
      weights += weight;
    }
    out.known = weights > 0;
    for (float& channel : out.rgb) channel /= out.known ? weights : 1;
    out.depth /= out.known ? weights : 1;
    return out;
  }

 private:
  struct Met {
    int64_t place = 0;
    float distance = 0;  // px
  };
  const Evidence& evidence_;
  std::array<Met, kDirections.size()> met_{};
  size_t count_ = 0;
  float deepest_ = 0;
};

/// For where no direction meets anything behind: means of what is never a hole.
void fill_from_around(const PartialClip& partial, const Evidence& evidence, Plate& plate) {
  const int64_t pixels = evidence.pixels(), count = partial.covered.numel();
  const auto* covered = partial.covered.data_ptr<bool>();
  const auto known = std::make_unique<bool[]>(pixels);
  bool any = false;
  for (int64_t i = 0; i < pixels; ++i) any |= known[i] = !evidence.hole(i);
  // Otherwise of the first frame that shows anything.
  const int64_t first = any ? 0 : (std::find(covered, covered + count, true) - covered) / pixels;
  if (!any) std::copy_n(covered + first * pixels, pixels, known.get());
  std::copy_n(partial.frames.data_ptr<uint8_t>() + 3 * first * pixels, 3 * pixels,
              plate.rgb.data());
  std::copy_n(partial.depth.data_ptr<float>() + first * pixels, pixels, plate.depth.data());
  fill({plate.rgb.data(), known.get(), plate.depth.data(), evidence.height(), evidence.width()},
       kBackgroundPreference);
}

}  // namespace

double steadiness(const PartialClip& partial) {
  const int64_t frames = partial.covered.size(0);
  const int64_t height = partial.covered.size(1), width = partial.covered.size(2);
  const int64_t pixels = height * width;
  const auto* rgb = partial.frames.data_ptr<uint8_t>();
  const auto* covered = partial.covered.data_ptr<bool>();
  // Of all pixels, and of those where colours differ from place to place.
  int64_t same = 0, both = 0, told_same = 0, told = 0;
  for (int64_t t = 1; t < frames; ++t) {
    for (int64_t y = 0; y + 1 < height; ++y) {
      for (int64_t x = 0; x + 1 < width; ++x) {
        const int64_t i = t * pixels + y * width + x;
        if (!covered[i] || !covered[i - pixels]) continue;
        const bool stays = same_colour(rgb + 3 * i, rgb + 3 * (i - pixels));
        ++both;
        same += stays;
        const auto differs = [&](int64_t other) {
          return covered[other] && !same_colour(rgb + 3 * i, rgb + 3 * other);
        };
        if (!differs(i + 1) && !differs(i + width)) continue;
        ++told;
        told_same += stays;
      }
    }
  }
  // Where all around is of one colour nothing would be seen to move; but it may be all there is.
  constexpr int64_t kFew = 200;
  if (kFew * told >= both && told > 0) {
    return static_cast<double>(told_same) / static_cast<double>(told);
  }
  return both == 0 ? 1 : static_cast<double>(same) / static_cast<double>(both);
}

Plate make_plate(const PartialClip& partial, const Context& context) {
  const Evidence evidence(partial);
  const int64_t pixels = evidence.pixels();
  Plate plate{std::vector<uint8_t>(3 * pixels), std::vector<float>(pixels),
              std::vector<uint8_t>(pixels), std::vector<uint8_t>(pixels)};
  for (int64_t i = 0; i < pixels; ++i) {
    plate.hole[i] = evidence.hole(i) ? 1 : 0;
    plate.sure[i] = evidence.steady(i) ? 1 : 0;
  }
  fill_from_around(partial, evidence, plate);
  tbb::parallel_for(int64_t{0}, evidence.height(), [&](int64_t y) {
    context.check_cancelled();
    for (int64_t x = 0; x < evidence.width(); ++x) {
      const int64_t i = y * evidence.width() + x;
      if (!evidence.hole(i)) continue;
      const Filling filling = Surroundings(evidence, x, y).mean();
      if (!filling.known) continue;
      for (size_t c = 0; c < 3; ++c) {
        plate.rgb[3 * i + static_cast<int64_t>(c)] = static_cast<uint8_t>(filling.rgb[c] + 0.5F);
      }
      plate.depth[i] = filling.depth;
    }
  });
  return plate;
}

}  // namespace momap::completion
