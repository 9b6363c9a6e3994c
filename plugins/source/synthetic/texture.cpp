// SPDX-License-Identifier: Apache-2.0
#include "texture.h"

#include <momap/base/random.h>

#include <algorithm>
#include <cmath>

#include "pose.h"

namespace momap::synthetic {
namespace {

// Smooth noise in [0, 1) at (u, v) >= 0, with period 1; `nx`, `ny` cells a tile.
class Noise {
 public:
  explicit Noise(uint64_t seed) {
    Random random(seed);
    for (float& value : values_) value = static_cast<float>(random.uniform());
  }
  float cell(int x, int y) const {
    return values_[static_cast<size_t>((x * 73 + y * 151 + (x * y & 31)) & 1023)];
  }
  float smooth(float u, float v, int nx, int ny) const {
    const float x = u * static_cast<float>(nx), y = v * static_cast<float>(ny);
    const int ix = static_cast<int>(x), iy = static_cast<int>(y);
    const float fx = fade(x - static_cast<float>(ix)), fy = fade(y - static_cast<float>(iy));
    const auto value = [&](int dx, int dy) { return cell((ix + dx) % nx, (iy + dy) % ny); };
    const float low = value(0, 0) + fx * (value(1, 0) - value(0, 0));
    const float high = value(0, 1) + fx * (value(1, 1) - value(0, 1));
    return low + fy * (high - low);
  }
  float layered(float u, float v, int nx, int ny) const {
    return 0.55F * smooth(u, v, nx, ny) + 0.3F * smooth(u, v, 2 * nx, 2 * ny) +
           0.15F * smooth(u, v, 4 * nx, 4 * ny);
  }

 private:
  static float fade(float x) { return x * x * (3 - 2 * x); }
  std::array<float, 1024> values_{};
};

// The whole number at or below x, without a call into the C library.
int whole(float x) {
  const int cut = static_cast<int>(x);
  return cut - (x < static_cast<float>(cut) ? 1 : 0);
}

float fraction(float x) { return x - static_cast<float>(whole(x)); }

float sine01(float turns) { return 0.5F + 0.5F * static_cast<float>(sine(2 * kPi * turns)); }

struct Ink {
  float mix;
  float value;
};

// Rectangles in rows (bricks, tiles, planks): the joint is the second colour.
Ink courses(const Noise& noise, float u, float v, int columns, int rows, float offset, float joint,
            float contrast) {
  const float y = v * static_cast<float>(rows);
  const int row = static_cast<int>(y);
  const float x = u * static_cast<float>(columns) + (row % 2 == 1 ? offset : 0.0F);
  const int column = static_cast<int>(x) % columns;
  const float jx = joint * static_cast<float>(columns), jy = joint * static_cast<float>(rows);
  const bool in_joint = fraction(x) < jx || fraction(y) < jy;
  const float grain = noise.layered(u, v, 16, 16);
  if (in_joint) return {1, 0.85F + 0.15F * grain};
  return {0, 1 - contrast * noise.cell(column + 7, row + 3) - 0.18F * grain};
}

class Painter {
 public:
  Painter(Look look, int variant)
      : look_(look),
        noise_(0x70a7 + static_cast<uint64_t>(look) * 64 + static_cast<uint64_t>(variant)),
        a_(noise_.cell(1, 0)),
        b_(noise_.cell(0, 1)),
        count_(2 + variant % 4),
        odd_(variant % 2 == 1) {}

  Ink at(float u, float v) const {
    switch (look_) {
      case Look::plain:
        return {0.1F * noise_.layered(u, v, 4, 4), 0.97F + 0.03F * noise_.smooth(u, v, 32, 32)};
      case Look::wood: {
        const float bend = 0.06F * noise_.smooth(u, v, 2, 3) + 0.02F * noise_.smooth(u, v, 4, 9);
        const float rings = sine01((v + bend) * static_cast<float>(4 + 2 * count_));
        const float fibre = noise_.smooth(u, v, 6, 64);
        return {0.75F * rings * rings + 0.2F * fibre, 0.82F + 0.18F * fibre};
      }
      case Look::brick:
        return courses(noise_, u, v, count_, 3 * count_, 0.5F, 0.018F + 0.01F * a_, 0.35F);
      case Look::checker: {
        const int n = 2 * count_;
        const auto cell = static_cast<int>(u * static_cast<float>(n)) +
                          static_cast<int>(v * static_cast<float>(n));
        return {cell % 2 == 0 ? 0.0F : 1.0F, 0.92F + 0.08F * noise_.layered(u, v, 8, 8)};
      }
      case Look::tiles:
        return courses(noise_, u, v, count_ + 1, count_ + 1, 0, 0.012F + 0.01F * b_, 0.12F);
      case Look::stripes: {
        const float wave = sine01((odd_ ? u + v : u) * static_cast<float>(count_ + 2));
        return {wave > 0.35F + 0.3F * a_ ? 1.0F : 0.0F, 0.9F + 0.1F * noise_.smooth(u, v, 24, 24)};
      }
      case Look::planks: {
        const Ink plank = courses(noise_, u, v, 1, 2 + count_, 0.4F, 0.008F, 0.3F);
        const float fibre = noise_.smooth(u, v, 5, 80);
        return {plank.mix, plank.value * (0.8F + 0.2F * fibre)};
      }
      case Look::plaster:
        return {0.35F * noise_.layered(u, v, 3 + count_, 3 + count_),
                0.93F + 0.07F * noise_.smooth(u, v, 48, 48)};
      case Look::fabric: {
        const float n = static_cast<float>(10 + 4 * count_);
        const float weave = sine01(u * n) * sine01(v * n + (odd_ ? 0.25F : 0.0F));
        return {fraction(v * static_cast<float>(count_)) < 0.2F + 0.3F * a_ ? 1.0F : 0.2F * weave,
                0.85F + 0.15F * weave};
      }
      case Look::grass:
        return {noise_.layered(u, v, 10, 10), 0.7F + 0.3F * noise_.smooth(u, v, 60, 40)};
      case Look::asphalt:
        return {0.3F * noise_.layered(u, v, 5, 5), 0.78F + 0.22F * noise_.smooth(u, v, 64, 64)};
      case Look::dots: {
        const float n = static_cast<float>(2 * count_ - 1 + (odd_ ? 1 : 0));
        const float x = fraction(u * n) - 0.5F, y = fraction(v * n) - 0.5F;
        const float radius = 0.2F + 0.15F * a_;
        return {x * x + y * y < radius * radius ? 1.0F : 0.0F, 0.96F};
      }
      case Look::windows: {
        const float x = fraction(u * static_cast<float>(count_));
        const float y = fraction(v * static_cast<float>(count_));
        const bool pane = x > 0.28F && x < 0.72F && y > 0.2F && y < 0.8F;
        const bool cross = std::abs(x - 0.5F) < 0.02F || std::abs(y - 0.55F) < 0.02F;
        if (pane && !cross) return {1, 0.75F + 0.5F * (y - 0.5F)};
        return {0, (pane ? 1.0F : 0.86F) + 0.1F * noise_.layered(u, v, 12, 12)};
      }
      case Look::zigzag: {
        const float n = static_cast<float>(count_ + 1);
        const float ramp = std::abs(2 * fraction(u * n) - 1) * 0.5F;
        return {fraction(v * n + ramp) < 0.35F + 0.3F * b_ ? 1.0F : 0.0F, 0.95F};
      }
    }
    return {0, 1};
  }

 private:
  Look look_;
  Noise noise_;
  float a_, b_;  // in [0, 1)
  int count_;    // 2 to 5
  bool odd_;
};

}  // namespace

Pattern::Pattern(Look look, int variant) {
  const Painter painter(look, variant);
  // Four samples a texel keep edges inside the tile smooth.
  Level level{kSize, {}};
  level.texels.resize(size_t{kSize} * kSize);
  constexpr float kStep = 1.0F / kSize;
  for (int y = 0; y < kSize; ++y) {
    for (int x = 0; x < kSize; ++x) {
      float mix = 0, value = 0;
      for (const float dy : {0.25F, 0.75F}) {
        for (const float dx : {0.25F, 0.75F}) {
          const Ink ink = painter.at((static_cast<float>(x) + dx) * kStep,
                                     (static_cast<float>(y) + dy) * kStep);
          mix += 0.25F * std::clamp(ink.mix, 0.0F, 1.0F);
          value += 0.25F * std::clamp(ink.value, 0.0F, 1.0F);
        }
      }
      level.texels[static_cast<size_t>(y) * kSize + static_cast<size_t>(x)] = {mix, value};
    }
  }
  levels_.push_back(std::move(level));
  while (levels_.back().size > 1) {
    const Level& fine = levels_.back();
    Level coarse{fine.size / 2, {}};
    for (int y = 0; y < fine.size; y += 2) {
      for (int x = 0; x < fine.size; x += 2) {
        Texel texel;
        for (size_t c = 0; c < 2; ++c) {
          const auto at = [&](int dx, int dy) {
            const int texel_index = (y + dy) * fine.size + x + dx;
            return fine.texels[static_cast<size_t>(texel_index)][c];
          };
          texel[c] = 0.25F * (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1));
        }
        coarse.texels.push_back(texel);
      }
    }
    levels_.push_back(std::move(coarse));
  }
}

Pattern::Texel Pattern::bilinear(const Level& level, float u, float v) {
  const auto n = static_cast<float>(level.size);
  const float x = u * n + (n - 0.5F), y = v * n + (n - 0.5F);  // a tile further: not negative
  const int left = static_cast<int>(x), low = static_cast<int>(y);
  const float fx = x - static_cast<float>(left), fy = y - static_cast<float>(low);
  const int mask = level.size - 1;
  const int x0 = left & mask, x1 = (left + 1) & mask;
  const Texel* row_0 = level.texels.data() + (low & mask) * level.size;
  const Texel* row_1 = level.texels.data() + ((low + 1) & mask) * level.size;
  const Texel &a = row_0[x0], &b = row_0[x1], &c = row_1[x0], &d = row_1[x1];
  Texel out;
  for (size_t k = 0; k < 2; ++k) {
    const float near = a[k] + fx * (b[k] - a[k]), far = c[k] + fx * (d[k] - c[k]);
    out[k] = near + fy * (far - near);
  }
  return out;
}

Pattern::Texel Pattern::at(float u, float v, float width) const {
  u -= static_cast<float>(whole(u));
  v -= static_cast<float>(whole(v));
  const float texels = width * kSize;
  if (texels <= 1) return bilinear(levels_[0], u, v);
  // The level whose texels are as wide as the footprint, blended with the next.
  int exponent = 0;
  const float mantissa = 2 * std::frexp(texels, &exponent);  // in [1, 2)
  const auto level = static_cast<size_t>(exponent - 1);
  if (level + 1 >= levels_.size()) return bilinear(levels_.back(), u, v);
  const auto fine = bilinear(levels_[level], u, v), coarse = bilinear(levels_[level + 1], u, v);
  const float blend = mantissa - 1;
  return {fine[0] + blend * (coarse[0] - fine[0]), fine[1] + blend * (coarse[1] - fine[1])};
}

const Pattern& Patterns::get(Look look, int variant) const {
  const int place = static_cast<int>(look) * kVariants + variant;
  const auto index = static_cast<size_t>(place);
  std::call_once(painted_[index],
                 [&] { patterns_[index] = std::make_unique<Pattern>(look, variant); });
  return *patterns_[index];
}

}  // namespace momap::synthetic
