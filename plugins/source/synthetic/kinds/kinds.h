// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "../world.h"

// Each kind adds its geometry to the world and gives the mover with its parts' indices; the caller
// appends it to World::movers.

namespace momap::synthetic {

using Build = std::unique_ptr<Mover> (*)(World& world, const Site& site, Style& style);

std::unique_ptr<Mover> build_door(World& world, const Site& site, Style& style);
std::unique_ptr<Mover> build_drawer(World& world, const Site& site, Style& style);
std::unique_ptr<Mover> build_lid(World& world, const Site& site, Style& style);
std::unique_ptr<Mover> build_pendulum(World& world, const Site& site, Style& style);
std::unique_ptr<Mover> build_ball(World& world, const Site& site, Style& style);
std::unique_ptr<Mover> build_blocks(World& world, const Site& site, Style& style);
std::unique_ptr<Mover> build_fan(World& world, const Site& site, Style& style);
std::unique_ptr<Mover> build_car(World& world, const Site& site, Style& style);
std::unique_ptr<Mover> build_walker(World& world, const Site& site, Style& style);
std::unique_ptr<Mover> build_flag(World& world, const Site& site, Style& style);

/// Something that stands still: box, vase, books, plant, cone.
void build_clutter(World& world, const Site& site, Style& style);

struct Kind {
  std::string_view name;
  Build build;
};

inline constexpr std::array<Kind, 10> kKinds{{{"door", build_door},
                                              {"drawer", build_drawer},
                                              {"lid", build_lid},
                                              {"pendulum", build_pendulum},
                                              {"ball", build_ball},
                                              {"blocks", build_blocks},
                                              {"fan", build_fan},
                                              {"car", build_car},
                                              {"walker", build_walker},
                                              {"flag", build_flag}}};

}  // namespace momap::synthetic
