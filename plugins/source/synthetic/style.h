// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/random.h>

#include <string>

#include "pose.h"
#include "texture.h"

namespace momap::synthetic {

enum class Split { train, val, test };

/// A paint as people name it; linear RGB in [0, 1].
struct Colour {
  std::string name;
  Vec3 rgb;
};

/// The surface of a triangle: two colours mixed by a pattern.
struct Material {
  Look look = Look::plain;
  int variant = 0;
  Vec3 first, second;  // linear RGB
  double tile = 1;     // metres that the pattern spans
};

/// Draws objects, textures and layouts; the three splits draw from disjoint sets.
class Style {
 public:
  Style(Split split, Random& draws) : random(draws), split_(split) {}

  /// Which of five designs: 0 to 2 in train, 3 in val, 4 in test.
  int design();
  /// A free proportion: [0, 0.6) in train, [0.6, 0.8) in val, [0.8, 1) in test.
  double proportion();
  /// A texture variant: 0 to 5 in train, 6 and 7 in val, 8 and 9 in test.
  int variant();
  double between(double low, double high) { return low + (high - low) * random.uniform(); }
  bool coin(double chance = 0.5) { return random.uniform() < chance; }

  /// A strong colour, for what moves and for toys.
  Colour colour();
  /// A quiet colour, for walls and furniture.
  Vec3 quiet();
  Vec3 brown();

  Material painted(const Colour& colour, double tile);  ///< strong colour with some pattern
  Material wood(double tile);
  Material wall();
  Material floor();
  Material plain(const Vec3& rgb);

  Random& random;

 private:
  Vec3 jitter(const Vec3& rgb, double amount);
  Split split_;
};

}  // namespace momap::synthetic
