// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <momap/base/error.h>
#include <momap/data/view.h>

namespace momap {

View View::from(const Clip& clip) {
  if (!clip.camera) {
    throw DataError(
        "the clip has no camera, which a view needs; add an annotation step that gives the camera, "
        "or use a source that has it");
  }
  View view{*clip.camera, std::nullopt};
  if (!clip.cam_from_world) return view;
  const at::Tensor poses = clip.cam_from_world->contiguous();
  at::Tensor relative = at::empty_like(poses);
  const auto* first = poses.data_ptr<double>();
  for (int64_t t = 0; t < poses.size(0); ++t) {
    const auto* pose = poses.data_ptr<double>() + 16 * t;
    auto* out = relative.data_ptr<double>() + 16 * t;
    for (int i = 0; i < 4; ++i) {
      // R = R_t R_0^T, then t = t_t - R t_0; the last row stays 0 0 0 1.
      for (int j = 0; j < 4; ++j) out[4 * i + j] = i == j ? 1 : 0;
      if (i == 3) continue;
      out[4 * i + 3] = pose[4 * i + 3];
      for (int j = 0; j < 3; ++j) {
        out[4 * i + j] = 0;
        for (int k = 0; k < 3; ++k) out[4 * i + j] += pose[4 * i + k] * first[4 * j + k];
        out[4 * i + 3] -= out[4 * i + j] * first[4 * j + 3];
      }
    }
  }
  view.cam_from_reference = relative;
  return view;
}

}  // namespace momap
