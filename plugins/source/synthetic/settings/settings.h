// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "../style.h"
#include "../world.h"

namespace momap::synthetic {

/// Where something may stand and what suits the place.
struct Place {
  enum class Ground { wall, floor, road };
  Ground ground = Ground::floor;
  Site site;
};

/// What a setting offers.
struct Layout {
  std::vector<Place> places;
  std::vector<Site> clutter;
  Vec3 eye, target;  // where a viewer may stand and look; the camera is moved back
                     // along this line until every mover is in view
  double low_fov = 40, high_fov = 60;  // degrees, of the shorter image side
};

Layout build_room(World& world, Style& style);
Layout build_table(World& world, Style& style);
Layout build_street(World& world, Style& style);

struct Setting {
  std::string_view name;
  Layout (*build)(World& world, Style& style);
  std::vector<std::string_view> kinds;  // that belong there
};

const std::array<Setting, 3>& settings();

}  // namespace momap::synthetic
