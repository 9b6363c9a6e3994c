// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "futures.h"
#include "settings/settings.h"
#include "view.h"

namespace momap::synthetic {

/// What a user asks a world to be.
struct Order {
  Split split = Split::train;
  std::vector<std::string> kinds;     // empty = all
  std::vector<std::string> settings;  // empty = all that have one of the kinds
  int fewest = 1, most = 5;           // movers
  std::string camera = "any";         // static, pan, handheld, dolly, any
  int64_t height = 256, width = 256;
  Clock clock;
};

/// A world with its camera.
struct Scene {
  std::unique_ptr<World> world;
  View view;
};

/// The scene of a seed. Neither size nor clock change what stands in it. Throws ConfigError when
/// no setting has any of the kinds.
Scene make_scene(const Order& order, uint64_t seed);

/// The path of a camera that looks at all movers, from where the layout has a viewer stand.
View make_view(const Order& order, const World& world, const Layout& layout, Random& random);

}  // namespace momap::synthetic
