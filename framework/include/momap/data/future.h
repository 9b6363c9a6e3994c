// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/momap.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace momap {

/// What one object does in a future: what a caption says in words, in a form that can be scored.
struct Action {
  int32_t segment = 0;    // the object's id in Clip::segments
  std::string verb;       // "open", "roll", "swing", ...
  std::string direction;  // "left", "right", "toward", ...; "" = the caption leaves it open
  std::string speed;      // "slow", "medium", "fast"; "" = the caption leaves it open
  // What `speed` stands for: range of the peak over frames of the object's mean displacement,
  // metres. Used only where `speed` is given.
  double peak_at_least = 0;
  double peak_below = 0;

  bool operator==(const Action&) const = default;
};

/// One possible true motion of a scene and how a person would ask for it.
struct Future {
  MoMap motion;
  std::string caption;          // "" = none
  std::vector<Action> actions;  // what the caption says; empty = unknown or nothing moves
};

/// How a rigid part is held: the truth that fitted axes are compared with.
struct Joint {
  enum class Kind { hinge, slide };

  Kind kind = Kind::hinge;
  int32_t segment = 0;                    // the part that moves
  std::array<double, 3> origin{0, 0, 0};  // a point of the axis, metres, reference camera frame
  std::array<double, 3> axis{0, 0, 1};    // unit, reference camera frame; its sign is of no account

  bool operator==(const Joint&) const = default;
};

}  // namespace momap
