// SPDX-License-Identifier: Apache-2.0
#include "scene.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>

#include <algorithm>

#include "kinds/kinds.h"

namespace momap::synthetic {
namespace {

bool listed(const std::vector<std::string>& list, std::string_view name) {
  return list.empty() || std::ranges::find(list, name) != list.end();
}

std::vector<const Kind*> kinds_of(const Setting& setting, const Order& order) {
  std::vector<const Kind*> out;
  for (const Kind& kind : kKinds) {
    if (listed(order.kinds, kind.name) &&
        std::ranges::find(setting.kinds, kind.name) != setting.kinds.end()) {
      out.push_back(&kind);
    }
  }
  return out;
}

bool suits(const Kind& kind, Place::Ground ground, std::string_view setting) {
  if (kind.name == "car") return ground == Place::Ground::road;
  if (kind.name == "door") return ground == Place::Ground::wall;
  if (kind.name == "drawer" && setting == "room") return ground == Place::Ground::wall;
  return ground == Place::Ground::floor;
}

const Setting& choose_setting(const Order& order, Random& random) {
  std::vector<const Setting*> possible;
  for (const Setting& setting : settings()) {
    if (listed(order.settings, setting.name) && !kinds_of(setting, order).empty()) {
      possible.push_back(&setting);
    }
  }
  if (possible.empty()) {
    throw ConfigError(fmt::format(
        "source/synthetic: none of the settings [{}] has any of the kinds [{}]; leave one of them "
        "empty, or see docs/guides/synthetic_worlds.md for what belongs where",
        join(order.settings, ", "), join(order.kinds, ", ")));
  }
  return *possible[static_cast<size_t>(random.below(static_cast<int64_t>(possible.size())))];
}

}  // namespace

Scene make_scene(const Order& order, uint64_t seed) {
  Random random(seed);
  const Setting& setting = choose_setting(order, random);
  Scene scene;
  scene.world = std::make_unique<World>();
  World& world = *scene.world;
  Style style(order.split, random);
  Layout layout = setting.build(world, style);

  const std::vector<const Kind*> kinds = kinds_of(setting, order);
  const int64_t wanted = order.fewest + random.below(order.most - order.fewest + 1);
  std::vector<Place>& places = layout.places;
  for (size_t i = places.size(); i > 1; --i) {
    std::swap(places[i - 1], places[static_cast<size_t>(random.below(static_cast<int64_t>(i)))]);
  }
  for (int64_t m = 0; m < wanted; ++m) {
    // A kind first, then a place for it: rare kinds are not crowded out by common places.
    std::vector<const Kind*> possible;
    for (const Kind* kind : kinds) {
      if (std::ranges::any_of(places, [&](const Place& place) {
            return suits(*kind, place.ground, setting.name);
          })) {
        possible.push_back(kind);
      }
    }
    if (possible.empty()) break;
    const Kind& kind =
        *possible[static_cast<size_t>(random.below(static_cast<int64_t>(possible.size())))];
    const auto place = std::ranges::find_if(
        places, [&](const Place& p) { return suits(kind, p.ground, setting.name); });
    world.movers.push_back(kind.build(world, place->site, style));
    places.erase(place);
  }
  for (const Site& site : layout.clutter) {
    if (style.coin(0.7)) build_clutter(world, site, style);
  }
  // What is left of the floor gets a distractor now and then.
  for (const Place& place : places) {
    if (place.ground == Place::Ground::floor && style.coin(0.2))
      build_clutter(world, place.site, style);
  }
  scene.view = make_view(order, world, layout, random);
  return scene;
}

}  // namespace momap::synthetic
