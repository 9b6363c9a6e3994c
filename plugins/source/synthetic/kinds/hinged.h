// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../world.h"

namespace momap::synthetic {

/// A rigid part on a hinge or a slide: its place is one number q (rad or m) that goes from 0 to an
/// end at a rate, both set by the choice. Smooth start and end.
class Articulated final : public Mover {
 public:
  struct Stroke {
    double slow = 0, fast = 0;       // |rate| at speed 0 and 3: rad/s or m/s
    double lowest = 0, highest = 0;  // q stays in between; the rest is q = 0
    double sign = 1;                 // of the rate
    Telling telling;
  };

  Motion move(const World& world, const Choice& choice, const Clock& clock) const override;
  Telling tell(int option) const override {
    return strokes.at(static_cast<size_t>(option)).telling;
  }

  std::vector<Stroke> strokes;  // one for each option
};

}  // namespace momap::synthetic
