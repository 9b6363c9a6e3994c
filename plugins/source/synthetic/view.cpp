// SPDX-License-Identifier: Apache-2.0
#include "view.h"

#include <algorithm>

namespace momap::synthetic {

MovingBlocks::MovingBlocks(const StageSet& stage, const PixelRays& rays) {
  const Camera& camera = rays.camera();
  columns_ = (camera.width + kWide - 1) / kWide;
  const int64_t rows = (camera.height + kHigh - 1) / kHigh;
  marked_.assign(static_cast<size_t>(columns_ * rows), 0);
  for (const auto& extent : stage.extents()) {
    double x0 = 1e30, x1 = -1e30, y0 = 1e30, y1 = -1e30;
    bool behind = false;
    for (int corner = 0; corner < 8; ++corner) {
      const auto pick = [&](size_t axis) {
        return double{(corner >> axis & 1) != 0 ? extent.high[axis] : extent.low[axis]};
      };
      const Vec3 p = rays.cam_from_world().apply({pick(0), pick(1), pick(2)});
      behind = behind || p.z < kNear;
      const double u = camera.fx * p.x / p.z + camera.cx, v = camera.fy * p.y / p.z + camera.cy;
      x0 = std::min(x0, u);
      x1 = std::max(x1, u);
      y0 = std::min(y0, v);
      y1 = std::max(y1, v);
    }
    if (behind) {
      x0 = y0 = -1e9;
      x1 = y1 = 1e9;
    }
    const auto block = [](double at, double margin, int64_t size, int64_t last) {
      const double limited = std::clamp(at + margin, -8.0, 1e6);
      return std::clamp<int64_t>(static_cast<int64_t>(limited) / size, 0, last);
    };
    const auto width = static_cast<double>(camera.width);
    const auto height = static_cast<double>(camera.height);
    if (x1 < -2 || y1 < -2 || x0 > width + 1 || y0 > height + 1) continue;
    const int64_t bx1 = block(x1, 2, kWide, columns_ - 1), by1 = block(y1, 2, kHigh, rows - 1);
    for (int64_t by = block(y0, -1, kHigh, rows - 1); by <= by1; ++by) {
      for (int64_t bx = block(x0, -1, kWide, columns_ - 1); bx <= bx1; ++bx) {
        marked_[static_cast<size_t>(by * columns_ + bx)] = 1;
      }
    }
  }
}

}  // namespace momap::synthetic
