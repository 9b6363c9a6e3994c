// SPDX-License-Identifier: Apache-2.0
#include "points.h"

#include <optional>

#include "../motion.h"
#include "../poses.h"

namespace momap::tapvid3d {
namespace {

constexpr std::string_view kOwner = "metric/tapvid3d";

/// The up to four valid pixels around a place of the reference frame, with bilinear weights.
class Neighbours {
 public:
  Neighbours(const metric::Motion& motion, double x, double y) {
    const double left = std::floor(x), top = std::floor(y);
    for (int corner = 0; corner < 4; ++corner) {
      const bool right = corner % 2 == 1, below = corner >= 2;
      const double cx = left + (right ? 1 : 0), cy = top + (below ? 1 : 0);
      const double weight = (1 - std::abs(x - cx)) * (1 - std::abs(y - cy));
      const auto px = static_cast<int64_t>(cx), py = static_cast<int64_t>(cy);
      if (weight <= 0 || px < 0 || py < 0 || px >= motion.width() || py >= motion.height()) {
        continue;
      }
      const int64_t pixel = py * motion.width() + px;
      if (!motion.valid(pixel)) continue;
      pixels_[count_] = pixel, weights_[count_++] = weight;
      sum_ += weight;
    }
  }

  bool empty() const { return count_ == 0; }

  std::array<float, 3> position(const metric::Motion& motion, int64_t t) const {
    std::array<double, 3> sum{};
    for (int n = 0; n < count_; ++n) {
      const float* p = motion.at(t, pixels_[n]);
      if (!std::isfinite(p[0] + p[1] + p[2])) motion.refuse_not_finite();
      for (int c = 0; c < 3; ++c) sum[c] += weights_[n] / sum_ * p[c];
    }
    return {static_cast<float>(sum[0]), static_cast<float>(sum[1]), static_cast<float>(sum[2])};
  }

  /// At least half of the weight is seen.
  bool visible(const metric::Motion& motion, int64_t t) const {
    double seen = 0;
    for (int n = 0; n < count_; ++n) seen += motion.visible(t, pixels_[n]) ? weights_[n] : 0;
    return seen >= 0.5 * sum_;
  }

 private:
  std::array<int64_t, 4> pixels_{};
  std::array<double, 4> weights_{};
  int count_ = 0;
  double sum_ = 0;
};

void predict(const metric::Motion& result, double x, double y, const metric::CameraFrames& frames,
             Observation* of_frames) {
  const Neighbours around(result, x, y);
  for (int64_t t = 0; t < result.frames(); ++t) {
    Observation& seen = of_frames[t];
    seen.has_prediction = !around.empty();
    if (!seen.has_prediction) continue;
    seen.predicted = frames(t, around.position(result, t).data());
    seen.predicted_visible = around.visible(result, t);
  }
}

double focal_of(const Camera& camera) { return std::sqrt(camera.fx * camera.fy); }

Points from_tracks(const Clip& clip, const metric::Motion& result) {
  const Tracks& tracks = *clip.tracks;
  Points points;
  points.frames = tracks.frames();
  if (!clip.camera) {
    throw DataError(fmt::format(
        "{}: the reference clip has tracks but no camera; thresholds are in px of it", kOwner));
  }
  points.focal = focal_of(*clip.camera);
  if (result.frames() != points.frames || result.height() != clip.height() ||
      result.width() != clip.width()) {
    throw DataError(fmt::format(
        "{}: the result is [{}, {}, {}] but the tracks are of [{}, {}, {}] ([T, H, W]); give both "
        "the same frames and size",
        kOwner, result.frames(), result.height(), result.width(), points.frames, clip.height(),
        clip.width()));
  }
  const metric::CameraFrames camera_frames(&clip);
  const at::Tensor xyz = tracks.xyz.contiguous(), visible = tracks.visible.contiguous(),
                   valid = tracks.valid.contiguous(), queries = tracks.queries.contiguous();
  const int64_t count = tracks.count();
  for (int64_t n = 0; n < count; ++n) {
    const double* query = queries.data_ptr<double>() + 3 * n;
    if (std::lround(query[2]) != 0) continue;
    const size_t first = points.observations.size();
    points.observations.resize(first + points.frames);
    Observation* of_frames = &points.observations[first];
    predict(result, query[0], query[1], camera_frames, of_frames);
    for (int64_t t = 0; t < points.frames; ++t) {
      const int64_t at = t * count + n;
      of_frames[t].known = valid.data_ptr<bool>()[at];
      if (!of_frames[t].known) continue;
      of_frames[t].truth = camera_frames(t, xyz.data_ptr<float>() + 3 * at);
      of_frames[t].visible = visible.data_ptr<bool>()[at];
    }
  }
  points.none_because = "no track of the reference is asked for in frame 0";
  return points;
}

Points from_motion(const metric::Motion& reference, const Clip* clip,
                   const metric::Motion& result) {
  result.require_size_of(reference);
  Points points;
  points.frames = reference.frames();
  points.focal = focal_of(reference.camera());
  const metric::CameraFrames camera_frames(clip);
  for (int64_t i = 0; i < reference.pixels(); ++i) {
    if (!reference.valid(i)) continue;
    const size_t first = points.observations.size();
    points.observations.resize(first + points.frames);
    Observation* of_frames = &points.observations[first];
    const int64_t row = i / reference.width(), column = i % reference.width();
    predict(result, static_cast<double>(column), static_cast<double>(row), camera_frames,
            of_frames);
    for (int64_t t = 0; t < points.frames; ++t) {
      of_frames[t].known = true;
      of_frames[t].truth = camera_frames(t, reference.at(t, i));
      of_frames[t].visible = reference.visible(t, i);
    }
  }
  points.none_because = "no pixel of the reference is valid";
  return points;
}

}  // namespace

Points read_points(const Inputs& inputs) {
  const auto* clip = inputs.get<Clip>("reference");
  const metric::Motion result(*inputs.get<MoMap>("result"), "the result", kOwner);
  if (clip && clip->tracks) return from_tracks(*clip, result);
  return from_motion(metric::reference_motion(inputs, kOwner), clip, result);
}

}  // namespace momap::tapvid3d
