// SPDX-License-Identifier: Apache-2.0
#include "projection.h"

#include <momap/base/clones.h>

#include <algorithm>

#include "branchless.h"

namespace momap::warping {
namespace {

constexpr int kOutside = fate_of(DropReason::outside);
constexpr int kBehind = fate_of(DropReason::behind);
constexpr int kNotFinite = fate_of(DropReason::not_finite);
constexpr int kUnseen = fate_of(DropReason::unseen);
constexpr int kInvalid = fate_of(DropReason::invalid);
constexpr float kLargest = 3.402823466e38f;

/// The rigid motion is left out where there is none.
template <bool kMoved>
inline __attribute__((always_inline)) void project_row(const PointRow& points, int64_t count,
                                                       const Projection& to, float margin,
                                                       const ProjectedRow& out) {
  const float* const xyz = points.xyz;
  const auto* const valid = reinterpret_cast<const uint8_t*>(points.valid);
  const auto* const seen =
      reinterpret_cast<const uint8_t*>(points.visible ? points.visible : points.valid);
  float* const us = out.u;
  float* const vs = out.v;
  float* const zs = out.z;
  Fate* const fates = out.fate;
  const std::array<float, 12> m = to.cam_from_reference;
  const float fx = to.fx, fy = to.fy, cx = to.cx, cy = to.cy;
  const float left = -margin, right = static_cast<float>(to.width - 1) + margin;
  const float bottom = static_cast<float>(to.height - 1) + margin;
  // Bytes are widened apart: loops over one width of element keep within the registers.
  for (int64_t i = 0; i < count; ++i) {
    fates[i] = choose(valid[i] != 0, choose(seen[i] != 0, 0, kUnseen), kInvalid);
  }
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float x0 = xyz[3 * i], y0 = xyz[3 * i + 1], z0 = xyz[3 * i + 2];
    float x = x0, y = y0, z = z0;
    if constexpr (kMoved) {
      x = m[0] * x0 + m[1] * y0 + m[2] * z0 + m[3];
      y = m[4] * x0 + m[5] * y0 + m[6] * z0 + m[7];
      z = m[8] * x0 + m[9] * y0 + m[10] * z0 + m[11];
    }
    const float per_z = 1.0f / z;
    const float u = fx * x * per_z + cx;
    const float v = fy * y * per_z + cy;
    const int finite = (__builtin_fabsf(x0) <= kLargest) & (__builtin_fabsf(y0) <= kLargest) &
                       (__builtin_fabsf(z0) <= kLargest);
    const int ahead = (z > 0) & (z <= kLargest);
    const int inside = (u >= left) & (u <= right) & (v >= left) & (v <= bottom);  // not for NaN
    int32_t fate = choose(inside, 0, kOutside);
    fate = choose(ahead, fate, kBehind);
    fate = choose(finite, fate, kNotFinite);
    fate = choose(fates[i] != 0, fates[i], fate);
    const int32_t drawn = fate == 0;
    us[i] = choose(drawn, u, 0.0f);
    vs[i] = choose(drawn, v, 0.0f);
    zs[i] = choose(drawn, z, 0.0f);
    fates[i] = fate;
  }
}

MOMAP_CLONES void project_still(const PointRow& points, int64_t count, const Projection& to,
                                float margin, const ProjectedRow& out) {
  project_row<false>(points, count, to, margin, out);
}

MOMAP_CLONES void project_moved(const PointRow& points, int64_t count, const Projection& to,
                                float margin, const ProjectedRow& out) {
  project_row<true>(points, count, to, margin, out);
}

MOMAP_CLONES bool any_dropped(const Fate* fates, int64_t count) {
  Fate any = 0;
  for (int64_t i = 0; i < count; ++i) any |= fates[i];
  return any != 0;
}

MOMAP_CLONES int32_t count_equal(const Fate* fates, int64_t count, Fate wanted) {
  int32_t n = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t same = fates[i] == wanted;
    n += same;
  }
  return n;
}

}  // namespace

Projection::Projection(const View& view, int64_t frame, int scale)
    : cam_from_reference{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0},
      moved(view.cam_from_reference.has_value()),
      fx(static_cast<float>(view.camera.fx * scale)),
      fy(static_cast<float>(view.camera.fy * scale)),
      cx(static_cast<float>((view.camera.cx + 0.5) * scale - 0.5)),
      cy(static_cast<float>((view.camera.cy + 0.5) * scale - 0.5)),
      width(view.camera.width * scale),
      height(view.camera.height * scale) {
  if (!moved) return;
  const double* pose = view.cam_from_reference->data_ptr<double>() + 16 * frame;
  std::transform(pose, pose + 12, cam_from_reference.begin(),
                 [](double value) { return static_cast<float>(value); });
}

void project(const PointRow& points, int64_t count, const Projection& projection, float margin,
             const ProjectedRow& out) {
  (projection.moved ? project_moved : project_still)(points, count, projection, margin, out);
}

void count_fates(const Fate* fates, int64_t count, int64_t* dropped) {
  if (!any_dropped(fates, count)) return;
  for (int64_t reason = 0; reason < kDropReasons; ++reason) {
    dropped[reason] += count_equal(fates, count, static_cast<Fate>(reason + 1));
  }
}

}  // namespace momap::warping
