// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/config.h>
#include <momap/experiment/settings.h>

#include <vector>

namespace momap {

/// More would not be a sweep but a mistake.
inline constexpr size_t kMostPoints = 100'000;

/// The points that an `axes` map spans: its `grid`, `zip`, `list` and `random` multiply, each
/// combined with `start`. Other keys are left to the caller. Adds what is wrong to `problems`.
std::vector<Settings> expand_axes(const Config& axes, const Settings& start, Problems& problems);

}  // namespace momap
