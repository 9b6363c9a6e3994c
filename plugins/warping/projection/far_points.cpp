// SPDX-License-Identifier: Apache-2.0
#include "far_points.h"

#include <ATen/ATen.h>
#include <momap/data/geometry.h>

namespace momap::warping {

MoMap to_draw(const MoMap& momap, const std::string& unknown_depth) {
  if (unknown_depth == "hole") return momap;
  const at::Tensor unknown = momap.xyz[0].select(-1, 2).eq(0);
  if (!unknown.any().item<bool>()) return momap;

  const at::Tensor depths = momap.xyz.select(-1, 2);
  const at::Tensor counts = momap.valid.unsqueeze(0).logical_and(depths.isfinite());
  const double farthest = depths.masked_fill(counts.logical_not(), 0).max().item<double>();
  if (!(farthest > 0)) return momap;
  const at::Tensor rays =
      unproject(at::full({momap.height(), momap.width()}, 2 * farthest, at::kFloat), momap.camera);
  MoMap out = momap;
  out.xyz = at::where(unknown.unsqueeze(-1), rays, momap.xyz);
  out.valid = momap.valid.logical_or(unknown);
  out.visible = momap.visible.logical_or(unknown);
  return out;
}

}  // namespace momap::warping
