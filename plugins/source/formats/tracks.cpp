// SPDX-License-Identifier: Apache-2.0
#include "tracks.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <cmath>

namespace momap::formats {
namespace {

// One point's view of the raw tensors.
class Track {
 public:
  Track(const RawTracks& raw, int64_t n) : raw_(raw), n_(n), count_(raw.xyz.size(1)) {}

  Eigen::Vector3d point(int64_t t) const {
    const float* p = raw_.xyz.data_ptr<float>() + 3 * (t * count_ + n_);
    return {p[0], p[1], p[2]};
  }
  bool valid(int64_t t) const {
    return raw_.valid.data_ptr<bool>()[t * count_ + n_] && point(t).allFinite();
  }
  bool seen(int64_t t) const {
    return valid(t) && raw_.visible.data_ptr<bool>()[t * count_ + n_] && point(t).z() > 0;
  }

  // x px, y px, frame; nullopt when it is never seen.
  std::optional<Eigen::Vector3d> query(const Camera& camera) const {
    const double* given = raw_.queries.data_ptr<double>() + 3 * n_;
    if (given[2] >= 0) return Eigen::Vector3d(given[0], given[1], given[2]);
    for (int64_t t = 0; t < raw_.xyz.size(0); ++t) {
      if (!seen(t)) continue;
      const Eigen::Vector3d p = point(t);
      return Eigen::Vector3d(camera.fx * p.x() / p.z() + camera.cx,
                             camera.fy * p.y() / p.z() + camera.cy, static_cast<double>(t));
    }
    return std::nullopt;
  }

 private:
  const RawTracks& raw_;
  int64_t n_, count_;
};

}  // namespace

std::optional<Tracks> tracks_in_first_frame(const RawTracks& raw,
                                            const std::vector<Eigen::Isometry3d>& cam_from_world,
                                            const Camera& camera) {
  const int64_t frames = raw.xyz.size(0);
  std::vector<std::pair<int64_t, Eigen::Vector3d>> kept;  // track and its query
  for (int64_t n = 0; n < raw.xyz.size(1); ++n) {
    if (const auto query = Track(raw, n).query(camera)) kept.emplace_back(n, *query);
  }
  if (kept.empty()) return std::nullopt;
  const auto count = static_cast<int64_t>(kept.size());
  Tracks tracks{.xyz = at::zeros({frames, count, 3}, at::kFloat),
                .visible = at::empty({frames, count}, at::kBool),
                .valid = at::empty({frames, count}, at::kBool),
                .queries = at::empty({count, 3}, at::kDouble)};
  for (int64_t t = 0; t < frames; ++t) {
    const Eigen::Isometry3d first_from_this =
        cam_from_world[0] * cam_from_world[static_cast<size_t>(t)].inverse();
    for (int64_t k = 0; k < count; ++k) {
      const auto& [n, query] = kept[static_cast<size_t>(k)];
      const Track track(raw, n);
      const bool valid = track.valid(t);
      tracks.valid.data_ptr<bool>()[t * count + k] = valid;
      tracks.visible.data_ptr<bool>()[t * count + k] = track.seen(t);
      if (valid) {
        const Eigen::Vector3f p = (first_from_this * track.point(t)).cast<float>();
        std::copy(p.data(), p.data() + 3, tracks.xyz.data_ptr<float>() + 3 * (t * count + k));
      }
      if (t == 0)
        std::copy(query.data(), query.data() + 3, tracks.queries.data_ptr<double>() + 3 * k);
    }
  }
  return tracks;
}

}  // namespace momap::formats
