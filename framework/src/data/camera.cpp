// SPDX-License-Identifier: Apache-2.0
#include <momap/data/camera.h>

namespace momap {

Camera Camera::resized(int64_t new_width, int64_t new_height) const {
  const double scale_x = static_cast<double>(new_width) / static_cast<double>(width);
  const double scale_y = static_cast<double>(new_height) / static_cast<double>(height);
  // The image's edges lie half a pixel outside the outer pixel centres and must stay edges.
  return {.fx = fx * scale_x,
          .fy = fy * scale_y,
          .cx = (cx + 0.5) * scale_x - 0.5,
          .cy = (cy + 0.5) * scale_y - 0.5,
          .width = new_width,
          .height = new_height};
}

}  // namespace momap
