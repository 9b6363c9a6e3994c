// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace momap {

/// A colour image with the depth image and pose nearest in time.
struct RgbdFrame {
  double seconds = 0;  ///< time stamp of the colour image
  std::string rgb, depth;
  std::array<double, 4> quaternion_wxyz{};
  std::array<double, 3> translation{};  ///< metres, camera to world
};

/// The frames of a sequence folder in order of time: colour images that have both a depth image and
/// a pose within 0.02 s. Throws DataError for a bad or missing list.
std::vector<RgbdFrame> associate(const std::filesystem::path& folder);

}  // namespace momap
