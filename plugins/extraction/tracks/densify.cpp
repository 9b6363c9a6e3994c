// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <momap/data/geometry.h>
#include <momap/data/opencv.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core/matx.hpp>
#include <opencv2/imgproc.hpp>

#include "lifting/clip_geometry.h"
#include "tracks.h"

namespace momap::tracks {
namespace {

// How near a track must be to speak for a pixel: deviations of the weight's normal curves.
constexpr double kReachInSpacings = 1.0;
constexpr float kLogDepth = 0.05F;
constexpr float kOtherColour = 0.05F;  // what a track of quite another colour still counts
constexpr float kColour = 30;          // levels, Euclidean over the channels
constexpr int kFarthestInReaches = 6;  // beyond, no track counts
constexpr float kTooLittle = 1e-6F;    // weight of the nearest track, below which a pixel has none
constexpr float kCountless = 1e-3F;    // of its weight: others with less are left out
// Tracks move alike when they are this near to the most trusted one: px of its own path, share.
constexpr float kAlike_px = 1.0F, kAlikeShare = 0.2F;
constexpr double kStaticFrames = 0.9;  // share of the frames where it is seen

cv::Vec3d moved(const cv::Matx44d& m, const cv::Vec3d& p) {
  const cv::Vec4d q = m * cv::Vec4d(p[0], p[1], p[2], 1);
  return {q[0], q[1], q[2]};
}

/// The clip as lifting needs it.
class Scene {
 public:
  explicit Scene(const Clip& clip)
      : camera(*clip.camera),
        width(static_cast<int>(clip.width())),
        height(static_cast<int>(clip.height())),
        poses(frame_poses(clip)),
        depth_(clip.depth->contiguous()) {}

  bool inside(const cv::Point2d& p) const {
    return p.x >= -0.5 && p.y >= -0.5 && p.x < width - 0.5 && p.y < height - 0.5;
  }

  /// Depth at a place: linear within a surface, that of the nearest pixel at its edge; 0: unknown.
  double depth_at(size_t t, const cv::Point2d& p) const {
    constexpr double kEdge = 0.03;
    const float* const z = depth_.data_ptr<float>() + static_cast<int64_t>(t) * height * width;
    const auto at = [&](int y, int x) {
      const float d = z[std::clamp(y, 0, height - 1) * width + std::clamp(x, 0, width - 1)];
      return d > 0 && std::isfinite(d) ? static_cast<double>(d) : 0.0;
    };
    const int x0 = static_cast<int>(std::floor(p.x)), y0 = static_cast<int>(std::floor(p.y));
    const double u = p.x - x0, v = p.y - y0;
    const double corner[4] = {at(y0, x0), at(y0, x0 + 1), at(y0 + 1, x0), at(y0 + 1, x0 + 1)};
    const auto [low, high] = std::minmax_element(corner, corner + 4);
    if (!(*low > 0) || *high - *low > kEdge * *low) {
      return at(static_cast<int>(std::lround(p.y)), static_cast<int>(std::lround(p.x)));
    }
    return (1 - v) * ((1 - u) * corner[0] + u * corner[1]) +
           v * ((1 - u) * corner[2] + u * corner[3]);
  }

  cv::Vec3d lifted(const cv::Point2d& p, double z) const {
    return {(p.x - camera.cx) / camera.fx * z, (p.y - camera.cy) / camera.fy * z, z};
  }
  cv::Point2d projected(const cv::Vec3d& p) const {
    return {camera.fx * p[0] / p[2] + camera.cx, camera.fy * p[1] / p[2] + camera.cy};
  }

  const Camera camera;
  const int width, height;
  const FramePoses poses;

 private:
  at::Tensor depth_;  // [T, H, W]
};

/// The path of a track: displacement from its start, over its depth there.
struct Path {
  cv::Point2f start;
  float log_depth = 0;
  std::vector<cv::Vec3f> motion;  // [frames]
  bool known = false;             // its start has a depth, and it is seen again
};

Path lift(const Scene& scene, const Tracks& tracks, size_t n, const DensifyParams& params) {
  const auto frames = static_cast<size_t>(tracks.frames);
  const cv::Point2f* const places = tracks.places.data() + n * frames;
  const uint8_t* const seen = tracks.seen.data() + n * frames;
  Path path;
  path.start = places[0];
  const double z0 = scene.depth_at(0, places[0]);
  if (!(z0 > 0)) return path;
  path.log_depth = static_cast<float>(std::log(z0));
  path.motion.assign(frames, {});
  path.known = frames == 1;
  const cv::Vec3d start = scene.lifted(places[0], z0);
  double before = z0;
  size_t last = 0;  // frame whose place is known
  int compared = 0, still = 0;
  for (size_t t = 1; t < frames; ++t) {
    const cv::Point2d place = places[t];
    if (!seen[t] || !scene.inside(place)) continue;
    const double z = scene.depth_at(t, place);
    if (!(z > 0) || std::abs(z - before) > params.depth_jump * std::min(z, before)) continue;
    before = z;
    const cv::Vec3d now = moved(scene.poses.first_from_camera[t], scene.lifted(place, z));
    path.motion[t] = (now - start) / z0;
    for (size_t between = last + 1; between < t; ++between) {
      const float share = static_cast<float>(between - last) / static_cast<float>(t - last);
      path.motion[between] = path.motion[last] + share * (path.motion[t] - path.motion[last]);
    }
    last = t;
    const cv::Vec3d there = moved(scene.poses.camera_from_first[t], start);
    const cv::Point2d static_place = scene.projected(there);
    ++compared;
    still += there[2] > 0 && cv::norm(static_place - place) <= params.static_px &&
             std::abs(there[2] - z) <= params.static_depth * z;
  }
  path.known = path.known || last > 0;
  for (size_t t = last + 1; t < frames; ++t) path.motion[t] = path.motion[last];
  if (compared > 0 && still >= kStaticFrames * compared) {
    std::fill(path.motion.begin(), path.motion.end(), cv::Vec3f());
  }
  return path;
}

/// Paths by where they start.
class Neighbourhood {
 public:
  Neighbourhood(const std::vector<Path>& paths, int width, int height, double cell_px)
      : cell_(cell_px),
        columns_(static_cast<int>(width / cell_px) + 1),
        rows_(static_cast<int>(height / cell_px) + 1),
        cells_(static_cast<size_t>(columns_ * rows_)) {
    for (size_t n = 0; n < paths.size(); ++n) {
      if (paths[n].known) cells_[cell_of(paths[n].start)].push_back(static_cast<int>(n));
    }
  }

  /// Those in the squares up to `around` cells away.
  void near(const cv::Point2f& place, int around, std::vector<int>& out) const {
    out.clear();
    const int x = static_cast<int>(place.x / cell_), y = static_cast<int>(place.y / cell_);
    for (int j = std::max(0, y - around); j <= std::min(rows_ - 1, y + around); ++j) {
      for (int i = std::max(0, x - around); i <= std::min(columns_ - 1, x + around); ++i) {
        const auto& cell = cells_[static_cast<size_t>(j * columns_ + i)];
        out.insert(out.end(), cell.begin(), cell.end());
      }
    }
  }

 private:
  size_t cell_of(const cv::Point2f& p) const {
    return static_cast<size_t>(static_cast<int>(p.y / cell_) * columns_ +
                               static_cast<int>(p.x / cell_));
  }

  double cell_;
  int columns_, rows_;
  std::vector<std::vector<int>> cells_;
};

float furthest(const std::vector<cv::Vec3f>& a, const std::vector<cv::Vec3f>& b) {
  float most = 0;
  for (size_t t = 0; t < a.size(); ++t)
    most = std::max(most, static_cast<float>(cv::norm(a[t] - b[t])));
  return most;
}

float length_of(const std::vector<cv::Vec3f>& path) {
  float most = 0;
  for (const cv::Vec3f& p : path) most = std::max(most, static_cast<float>(cv::norm(p)));
  return most;
}

/// Says which tracks speak for a pixel, and how much.
class Speakers {
 public:
  /// Of one thread: the tracks around, and what each counts.
  struct Scratch {
    std::vector<int> candidates;
    std::vector<float> weights;
  };

  Speakers(const std::vector<Path>& paths, const cv::Mat& colour, double spacing_px,
           const Camera& camera)
      : paths_(paths),
        colour_(colour),
        reach_(static_cast<float>(kReachInSpacings * spacing_px)),
        alike_(kAlike_px / static_cast<float>(camera.fx)),
        near_(paths, colour.cols, colour.rows, spacing_px) {
    for (const Path& path : paths) lengths_.push_back(length_of(path.motion));
  }

  /// The motion of a pixel over its depth, [frames]; false: nothing around it is known.
  bool motion(int x, int y, float log_depth, Scratch& scratch, std::vector<cv::Vec3f>& out) const {
    const cv::Point2f here(static_cast<float>(x), static_cast<float>(y));
    for (int around = 2; around <= kFarthestInReaches; around += 2) {
      near_.near(here, around, scratch.candidates);
      scratch.weights.clear();
      for (const int n : scratch.candidates) {
        scratch.weights.push_back(weight(here, log_depth, paths_[static_cast<size_t>(n)]));
      }
      const auto best = std::ranges::max_element(scratch.weights);
      if (best == scratch.weights.end() || *best < kTooLittle) continue;
      blend(scratch, static_cast<size_t>(best - scratch.weights.begin()), out);
      return true;
    }
    return false;
  }

 private:
  float weight(const cv::Point2f& here, float log_depth, const Path& path) const {
    const cv::Point2f away = (path.start - here) / reach_;
    const float depth = (path.log_depth - log_depth) / kLogDepth;
    const auto& mine = colour_.at<cv::Vec3b>(here);
    const auto& theirs = colour_.at<cv::Vec3b>(path.start);
    const float colour =
        static_cast<float>(cv::norm(cv::Vec3f(mine) - cv::Vec3f(theirs))) / kColour;
    const float alike = kOtherColour + (1 - kOtherColour) * std::exp(-0.5F * colour * colour);
    return alike * std::exp(-0.5F * (away.dot(away) + depth * depth));
  }

  // The mean of the candidates that move like the one that counts most.
  void blend(const Scratch& scratch, size_t best, std::vector<cv::Vec3f>& out) const {
    const auto most_trusted = static_cast<size_t>(scratch.candidates[best]);
    const auto& trusted = paths_[most_trusted].motion;
    const float limit = alike_ + kAlikeShare * lengths_[most_trusted];
    out.assign(trusted.size(), {});
    float sum = 0;
    for (size_t i = 0; i < scratch.candidates.size(); ++i) {
      const auto n = static_cast<size_t>(scratch.candidates[i]);
      if (scratch.weights[i] < kCountless * scratch.weights[best]) continue;
      if (furthest(paths_[n].motion, trusted) > limit) continue;
      sum += scratch.weights[i];
      for (size_t t = 0; t < out.size(); ++t) out[t] += scratch.weights[i] * paths_[n].motion[t];
    }
    for (cv::Vec3f& p : out) p /= sum;
  }

  const std::vector<Path>& paths_;
  const cv::Mat& colour_;
  float reach_, alike_;
  Neighbourhood near_;
  std::vector<float> lengths_;
};

}  // namespace

MoMap densify(const Clip& clip, const Tracks& tracks, const DensifyParams& params,
              const Context& context) {
  const Scene scene(clip);
  const auto frames = static_cast<size_t>(tracks.frames);
  std::vector<Path> paths(static_cast<size_t>(tracks.points));
  tbb::parallel_for(size_t{0}, paths.size(),
                    [&](size_t n) { paths[n] = lift(scene, tracks, n, params); });

  const int64_t pixels = int64_t{scene.height} * scene.width;
  MoMap map;
  map.camera = scene.camera;
  map.xyz = unproject((*clip.depth)[0], scene.camera)
                .unsqueeze(0)
                .repeat({tracks.frames, 1, 1, 1})
                .contiguous();
  map.visible = at::zeros({tracks.frames, scene.height, scene.width}, at::kBool);
  map.valid = at::zeros({scene.height, scene.width}, at::kBool);
  auto* const xyz = map.xyz.data_ptr<float>();
  auto* const visible = map.visible.data_ptr<bool>();
  auto* const valid = map.valid.data_ptr<bool>();
  const at::Tensor first = clip.frames[0].contiguous();
  const cv::Mat colour = as_mat(first);
  const Speakers speakers(paths, colour, params.spacing_px, scene.camera);
  tbb::parallel_for(0, scene.height, [&](int y) {
    context.check_cancelled();
    Speakers::Scratch scratch;
    std::vector<cv::Vec3f> motion;
    for (int x = 0; x < scene.width; ++x) {
      const int64_t i = int64_t{y} * scene.width + x;
      const float z0 = xyz[3 * i + 2];
      if (!(z0 > 0) || !std::isfinite(z0)) continue;
      if (!speakers.motion(x, y, std::log(z0), scratch, motion)) continue;
      valid[i] = true;
      for (size_t t = 0; t < frames; ++t) {
        float* const p = xyz + 3 * (static_cast<int64_t>(t) * pixels + i);
        if (t > 0) {
          for (int c = 0; c < 3; ++c) p[c] += motion[t][c] * z0;
        }
        const cv::Vec3d there =
            moved(scene.poses.camera_from_first[t], cv::Vec3d(p[0], p[1], p[2]));
        if (!(there[2] > 0)) continue;
        const cv::Point2d place = scene.projected(there);
        if (!scene.inside(place)) continue;
        const double z = scene.depth_at(t, place);
        visible[static_cast<int64_t>(t) * pixels + i] =
            z > 0 && there[2] <= z * (1 + params.depth_jump / 2);
      }
    }
  });
  return map;
}

}  // namespace momap::tracks
