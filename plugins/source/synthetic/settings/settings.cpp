// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

namespace momap::synthetic {

const std::array<Setting, 3>& settings() {
  static const std::array<Setting, 3> kSettings{
      {{"room",
        build_room,
        {"door", "drawer", "lid", "pendulum", "ball", "blocks", "fan", "walker"}},
       {"street", build_street, {"car", "walker", "flag", "fan", "pendulum", "ball"}},
       {"table", build_table, {"drawer", "lid", "pendulum", "ball", "blocks", "fan", "flag"}}}};
  return kSettings;
}

}  // namespace momap::synthetic
