// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/momap.h>

#include <cstdint>
#include <filesystem>
#include <optional>

namespace momap {

/// Writes the points of a motion map as the script that the viewer's page loads as its map number
/// `index` (docs/guides/view_in_3d.md tells the layout). Coordinates are rounded to 16 bits an axis
/// between the least and the largest of the map. A map of more than `most` valid points is read on
/// a coarser lattice of pixels. `picture` (u8 [H, W, 3], RGB) colours the points; without it the
/// page colours them by depth. Memory: one frame of the points that are written.
void write_viewer_points(const std::filesystem::path& file, int64_t index, const MoMap& momap,
                         const std::optional<at::Tensor>& picture, int64_t most);

}  // namespace momap
