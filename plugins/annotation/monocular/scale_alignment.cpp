// SPDX-License-Identifier: Apache-2.0
#include "scale_alignment.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <momap/base/error.h>
#include <momap/base/random.h>
#include <momap/data/opencv.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "tracking/tracks.h"

namespace momap {
namespace {

constexpr size_t kFewestPoints = 8;
constexpr int kPairs = 4000;
// Corners are followed from one keyframe as long as so many of them last.
constexpr int64_t kFewestCorners = 100;

double distance(const double* a, const double* b) {
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

// Corners seen in both frames, as points in space by the depth of each frame: x, y, z a point.
struct Points {
  std::vector<double> from, to;
};

class Unprojection {
 public:
  explicit Unprojection(const Clip& clip)
      : depth_(clip.depth->contiguous()), camera_(*clip.camera) {}

  // False where the depth is unknown.
  bool add(int64_t frame, const cv::Point2f& px, std::vector<double>& points) const {
    const auto x = static_cast<int64_t>(std::lround(px.x)),
               y = static_cast<int64_t>(std::lround(px.y));
    if (x < 0 || y < 0 || x >= depth_.size(2) || y >= depth_.size(1)) return false;
    const double z = depth_.data_ptr<float>()[(frame * depth_.size(1) + y) * depth_.size(2) + x];
    if (!(z > 0)) return false;
    points.insert(points.end(),
                  {(px.x - camera_.cx) / camera_.fx * z, (px.y - camera_.cy) / camera_.fy * z, z});
    return true;
  }

 private:
  at::Tensor depth_;
  Camera camera_;
};

Points matched(const KeyframeTracks& tracks, int64_t frame, const Unprojection& unprojection) {
  Points points;
  const auto& before = tracks.positions(tracks.keyframe());
  const auto& now = tracks.positions(frame);
  const auto& alive = tracks.alive(frame);
  for (size_t i = 0; i < now.size(); ++i) {
    if (!alive[i] || !unprojection.add(tracks.keyframe(), before[i], points.from)) continue;
    if (!unprojection.add(frame, now[i], points.to)) points.from.resize(points.to.size());
  }
  return points;
}

}  // namespace

double relative_scale(const std::vector<double>& from, const std::vector<double>& to) {
  const size_t count = from.size() / 3;
  if (count < kFewestPoints) return 0;
  Random random(count);
  std::vector<std::pair<double, double>> pairs;  // distance in `from`, log ratio
  for (int k = 0; k < kPairs; ++k) {
    const auto i = 3 * static_cast<size_t>(random.below(static_cast<int64_t>(count)));
    const auto j = 3 * static_cast<size_t>(random.below(static_cast<int64_t>(count)));
    const double a = distance(&from[i], &from[j]), b = distance(&to[i], &to[j]);
    if (a > 0 && b > 0) pairs.emplace_back(a, std::log(b / a));
  }
  if (pairs.size() < kFewestPoints) return 0;
  // Near pairs tell little: their distance is of the size of the depth's noise.
  const auto middle = [](auto& values, auto projection) {
    const auto half = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, half, {}, projection);
    return *half;
  };
  const double typical = middle(pairs, [](const auto& pair) { return pair.first; }).first;
  std::erase_if(pairs, [&](const auto& pair) { return pair.first < typical; });
  return std::exp(middle(pairs, [](const auto& pair) { return pair.second; }).second);
}

at::Tensor align_scales(const Clip& clip, const Context& context) {
  if (!clip.camera) {
    throw DataError(
        "the clip has no camera, which bringing the frames to one scale needs; use a source or "
        "annotation that gives one, or align: none");
  }
  std::vector<cv::Mat> grey(static_cast<size_t>(clip.length()));
  const at::Tensor frames = clip.frames.contiguous();
  for (int64_t t = 0; t < clip.length(); ++t) {
    cv::cvtColor(as_mat(frames[t]), grey[static_cast<size_t>(t)], cv::COLOR_RGB2GRAY);
  }
  const Unprojection unprojection(clip);
  std::vector<double> log_factor(static_cast<size_t>(clip.length()), 0);
  std::optional<KeyframeTracks> tracks(std::in_place, grey, 0, TrackOptions{});
  for (int64_t t = 1; t < clip.length(); ++t) {
    context.check_cancelled();
    tracks->advance();
    if (tracks->alive_count(t) < kFewestCorners && t - 1 > tracks->keyframe()) {
      tracks.emplace(grey, t - 1, TrackOptions{});
      tracks->advance();
    }
    const Points points = matched(*tracks, t, unprojection);
    const double grown = relative_scale(points.from, points.to);
    const auto i = static_cast<size_t>(t);
    log_factor[i] = grown > 0
                        ? log_factor[static_cast<size_t>(tracks->keyframe())] - std::log(grown)
                        : log_factor[i - 1];
  }
  double mean = 0;
  for (const double value : log_factor) mean += value / static_cast<double>(log_factor.size());
  std::vector<double> factors;
  for (const double value : log_factor) factors.push_back(std::exp(value - mean));
  return *clip.depth * at::tensor(factors, at::kFloat).reshape({clip.length(), 1, 1});
}

}  // namespace momap
