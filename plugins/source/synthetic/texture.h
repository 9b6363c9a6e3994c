// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace momap::synthetic {

/// The looks of surfaces. A pattern says how two colours mix and how bright the mixture is.
enum class Look {
  plain,
  wood,
  brick,
  checker,
  tiles,
  stripes,
  planks,
  plaster,
  fabric,
  grass,
  asphalt,
  dots,
  windows,
  zigzag,
};
inline constexpr int kLooks = static_cast<int>(Look::zigzag) + 1;
/// Variants of each look; every split has its own (see Style).
inline constexpr int kVariants = 10;

/// A square, tileable pattern with a mip pyramid.
class Pattern {
 public:
  static constexpr int kSize = 128;  // texels a side

  using Texel = std::array<float, 2>;  // mix and brightness, [0, 1]

  Pattern(Look look, int variant);

  /// Mix (0 = first colour, 1 = second) and brightness at (u, v) in tiles; `width` is the size of
  /// the pixel's footprint in tiles.
  Texel at(float u, float v, float width) const;

 private:
  struct Level {
    int size;
    std::vector<Texel> texels;
  };
  static Texel bilinear(const Level& level, float u, float v);
  std::vector<Level> levels_;
};

/// All patterns, painted when first used. Safe for several threads.
class Patterns {
 public:
  const Pattern& get(Look look, int variant) const;

 private:
  mutable std::array<std::once_flag, kLooks * kVariants> painted_;
  mutable std::array<std::unique_ptr<Pattern>, kLooks * kVariants> patterns_;
};

}  // namespace momap::synthetic
