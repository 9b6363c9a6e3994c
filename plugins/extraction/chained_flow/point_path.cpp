// SPDX-License-Identifier: Apache-2.0
#include "point_path.h"

#include <algorithm>
#include <cmath>

namespace momap {
namespace {

// Neighbouring depths that differ by more belong to different surfaces.
constexpr double kDepthEdge = 0.03;
constexpr size_t kVelocitySteps = 7;
constexpr double kDriftPx = 1;
// Log-likelihoods of one frame: of a look that differs by d grey levels -min(d / kGreyScale,
// kWorst).
constexpr double kGreyScale = 8, kWorst = 3;
constexpr double kHidden = 1;       // of being hidden: as likely as a difference of 8 grey levels
constexpr double kNoiseMargin = 4;  // deviations that are still noise

struct Corners {
  size_t i00, i01, i10, i11;
  double u, v;  // weights of the right and the lower ones
};

// The four pixels around a place, clamped to the image.
Corners corners_around(const cv::Point2d& at, int64_t width, int64_t height) {
  const double x = std::clamp(at.x, 0.0, static_cast<double>(width - 1));
  const double y = std::clamp(at.y, 0.0, static_cast<double>(height - 1));
  const auto x0 = static_cast<int64_t>(x), y0 = static_cast<int64_t>(y);
  const int64_t x1 = std::min(x0 + 1, width - 1), y1 = std::min(y0 + 1, height - 1);
  return {static_cast<size_t>(y0 * width + x0), static_cast<size_t>(y0 * width + x1),
          static_cast<size_t>(y1 * width + x0), static_cast<size_t>(y1 * width + x1),
          x - static_cast<double>(x0),          y - static_cast<double>(y0)};
}

cv::Point2d flow_at(const cv::Mat& flow, const cv::Point2d& at) {
  const Corners c = corners_around(at, flow.cols, flow.rows);
  const auto* f = flow.ptr<cv::Point2f>();
  const auto mix = [&](auto part) {
    return (1 - c.v) * ((1 - c.u) * part(f[c.i00]) + c.u * part(f[c.i01])) +
           c.v * ((1 - c.u) * part(f[c.i10]) + c.u * part(f[c.i11]));
  };
  return {mix([](const cv::Point2f& p) { return static_cast<double>(p.x); }),
          mix([](const cv::Point2f& p) { return static_cast<double>(p.y); })};
}

bool is_depth(double z) { return z > 0 && std::isfinite(z); }

cv::Vec3d transform(const cv::Matx44d& m, const cv::Vec3d& p) {
  return {m(0, 0) * p[0] + m(0, 1) * p[1] + m(0, 2) * p[2] + m(0, 3),
          m(1, 0) * p[0] + m(1, 1) * p[1] + m(1, 2) * p[2] + m(1, 3),
          m(2, 0) * p[0] + m(2, 1) * p[1] + m(2, 2) * p[2] + m(2, 3)};
}

}  // namespace

PathFinder::PathFinder(const Evidence& evidence, const PathOptions& options)
    : evidence_(evidence),
      options_(options),
      depth_tolerance_(std::min(
          options.depth_jump, std::max(options.static_depth, kNoiseMargin * evidence.depth_noise))),
      frames_(evidence.grey.size()),
      pixel_(frames_),
      depth_(frames_),
      visible_(frames_),
      known_(frames_),
      position_(frames_) {
  for (const double noise : evidence.place_noise) {
    px_tolerance_.push_back(std::max(options.static_px, kNoiseMargin * noise));
  }
}

bool PathFinder::settle(bool moves) {
  if (moves) {
    lift();
    fill_gaps();
  } else {
    hold();
  }
  return std::any_of(visible_.begin() + 1, visible_.end(), [](uint8_t seen) { return seen; });
}

void PathFinder::begin(int64_t x, int64_t y) {
  first_x_ = x;
  first_y_ = y;
  pixel_[0] = cv::Point2d(static_cast<double>(x), static_cast<double>(y));
  depth_[0] = evidence_.depth[0][y * evidence_.camera.width + x];
  visible_[0] = 1;
}

bool PathFinder::stands_still(int64_t x, int64_t y) {
  begin(x, y);
  for (size_t t = 1; t < frames_; ++t) {
    const cv::Vec3d expected = static_point_in(t);
    const cv::Point2d at = expected[2] > 0 ? project(expected) : cv::Point2d(-1, -1);
    visible_[t] = inside(at);
    if (!visible_[t]) continue;
    const cv::Mat& flow = (t == 1 ? evidence_.steps[0] : evidence_.direct[t]).forward;
    if (flow.empty()) return false;
    const auto& moved = flow.at<cv::Point2f>(static_cast<int>(y), static_cast<int>(x));
    const cv::Point2d miss = pixel_[0] + cv::Point2d(moved) - at;
    if (!(miss.dot(miss) <= px_tolerance_[t] * px_tolerance_[t]) ||
        sight(t, at, expected[2], 0) != Sight::there)
      return false;
  }
  return frames_ > 1;
}

void PathFinder::follow(int64_t x, int64_t y) {
  begin(x, y);
  const cv::Point2d first = pixel_[0];
  double last_depth = depth_[0];
  // A step to a place whose depth cannot be that of the point is a step onto another surface.
  const auto same_surface = [&](size_t t, const cv::Point2d& at, double& z) {
    z = depth_at(t, at, last_depth);
    return z == 0 || std::abs(z - last_depth) <= options_.depth_jump * last_depth;
  };
  for (size_t t = 1; t < frames_; ++t) {
    cv::Point2d at, straight;
    double z = 0, straight_z = 0;
    bool seen = visible_[t - 1] && step(evidence_.steps[t - 1], pixel_[t - 1], at) &&
                same_surface(t, at, z);
    const bool found_straight = !evidence_.direct[t].forward.empty() &&
                                step(evidence_.direct[t], first, straight) &&
                                same_surface(t, straight, straight_z);
    // The flow straight from frame 0 has no drift, but more often goes astray: trust it where the
    // chain agrees, and where there is no chain but the look is right.
    const bool takes_straight =
        found_straight && (seen ? cv::norm(straight - at) <= kDriftPx
                                : appearance_difference(t, straight) <= options_.appearance);
    if (takes_straight) {
      seen = true;
      at = straight;
      z = straight_z;
    }
    visible_[t] = seen;
    pixel_[t] = at;
    depth_[t] = seen ? z : 0;
    if (seen && z > 0) last_depth = z;
  }
}

bool PathFinder::step(const FlowPair& pair, const cv::Point2d& from, cv::Point2d& to) const {
  const cv::Point2d there = flow_at(pair.forward, from);
  to = from + there;
  if (!inside(to)) return false;
  const cv::Point2d back = flow_at(pair.backward, to);
  const double allowed = options_.fb_abs_px + options_.fb_rel * (cv::norm(there) + cv::norm(back));
  return cv::norm(there + back) <= allowed;
}

// Frame by frame, how much better the track explains the look and depth than a point that stands
// still does. Where the two coincide they explain it alike.
double PathFinder::motion_evidence() const {
  if (options_.static_px == 0) return 1;
  const auto look = [&](size_t t, const cv::Point2d& at) {
    return -std::min(appearance_difference(t, at) / kGreyScale, kWorst);
  };
  double ratio = kStandsStill;  // most points do
  for (size_t t = 1; t < frames_; ++t) {
    const cv::Vec3d expected = static_point_in(t);
    const cv::Point2d at = expected[2] > 0 ? project(expected) : cv::Point2d(-1, -1);
    const bool is_inside = inside(at);
    if (visible_[t] && is_inside && cv::norm(at - pixel_[t]) <= px_tolerance_[t] &&
        (depth_[t] == 0 || std::abs(depth_[t] - expected[2]) <= depth_tolerance_ * expected[2])) {
      continue;
    }
    const Sight seen = is_inside ? sight(t, at, expected[2], 1) : Sight::covered;
    const double still = seen == Sight::gone      ? -kWorst
                         : seen == Sight::covered ? -kHidden
                                                  : look(t, at);
    ratio += (visible_[t] ? look(t, pixel_[t]) : -kHidden) - still;
  }
  return ratio;
}

// A point that stands still keeps its place of frame 0; the depth of each frame says whether it is
// seen.
void PathFinder::hold() {
  const cv::Vec3d first = static_point_in(0);
  for (size_t t = 0; t < frames_; ++t) {
    position_[t] = first;
    if (t == 0) continue;
    const cv::Vec3d expected = static_point_in(t);
    const cv::Point2d at = expected[2] > 0 ? project(expected) : cv::Point2d(-1, -1);
    if (!inside(at)) {
      visible_[t] = 0;
      continue;
    }
    const Sight seen = sight(t, at, expected[2], 0);
    if (seen == Sight::covered) {
      visible_[t] = 0;
    } else if (seen == Sight::there && !visible_[t]) {
      visible_[t] = appearance_difference(t, at) <= options_.appearance;
    }
  }
}

void PathFinder::lift() {
  const Camera& camera = evidence_.camera;
  for (size_t t = 0; t < frames_; ++t) {
    known_[t] = visible_[t] && depth_[t] > 0;
    if (!known_[t]) continue;
    const double z = depth_[t];
    const cv::Vec3d here((pixel_[t].x - camera.cx) / camera.fx * z,
                         (pixel_[t].y - camera.cy) / camera.fy * z, z);
    position_[t] = transform(evidence_.first_from_camera[t], here);
  }
}

// Out of sight (or without depth) a point goes straight from where it was last known to where it is
// known again; one that does not come back goes on with its last velocity, which decays.
void PathFinder::fill_gaps() {
  size_t last = 0;
  for (size_t t = 1; t < frames_; ++t) {
    if (!known_[t]) continue;
    for (size_t k = last + 1; k < t; ++k) {
      const double share = static_cast<double>(k - last) / static_cast<double>(t - last);
      position_[k] = position_[last] * (1 - share) + position_[t] * share;
    }
    last = t;
  }
  // The median of the last steps: one jump of depth must not send the point away.
  cv::Vec3d velocity(0, 0, 0);
  const size_t steps = std::min(last, kVelocitySteps);
  for (int c = 0; c < 3 && steps > 0; ++c) {
    scratch_.clear();
    for (size_t t = last - steps + 1; t <= last; ++t) {
      scratch_.push_back(position_[t][c] - position_[t - 1][c]);
    }
    const auto middle = scratch_.begin() + static_cast<std::ptrdiff_t>(steps / 2);
    std::nth_element(scratch_.begin(), middle, scratch_.end());
    velocity[c] = *middle;
  }
  for (size_t t = last + 1; t < frames_; ++t) {
    velocity *= options_.occluded_damping;
    position_[t] = position_[t - 1] + velocity;
  }
}

// Depth at a sub-pixel place; across an edge the neighbour closest to the expected depth. 0 =
// unknown.
double PathFinder::depth_at(size_t t, const cv::Point2d& at, double expected) const {
  const Corners c = corners_around(at, evidence_.camera.width, evidence_.camera.height);
  const float* depth = evidence_.depth[t];
  const double z[4] = {depth[c.i00], depth[c.i01], depth[c.i10], depth[c.i11]};
  double least = 0, most = 0, closest = 0;
  bool all_known = true;
  for (const double value : z) {
    if (!is_depth(value)) {
      all_known = false;
      continue;
    }
    least = least == 0 ? value : std::min(least, value);
    most = std::max(most, value);
    if (closest == 0 || std::abs(value - expected) < std::abs(closest - expected)) closest = value;
  }
  if (!all_known || most > (1 + kDepthEdge) * least) return closest;
  return (1 - c.v) * ((1 - c.u) * z[0] + c.u * z[1]) + c.v * ((1 - c.u) * z[2] + c.u * z[3]);
}

// Looks at the pixels around a place and `margin` beyond: the surface may pass between them.
PathFinder::Sight PathFinder::sight(size_t t, const cv::Point2d& at, double expected,
                                    int margin) const {
  const int64_t width = evidence_.camera.width, height = evidence_.camera.height;
  const auto x = static_cast<int64_t>(std::floor(at.x)), y = static_cast<int64_t>(std::floor(at.y));
  double least = 0, most = 0;
  for (int64_t v = std::max<int64_t>(0, y - margin); v <= std::min(height - 1, y + 1 + margin);
       ++v) {
    for (int64_t u = std::max<int64_t>(0, x - margin); u <= std::min(width - 1, x + 1 + margin);
         ++u) {
      const double z = evidence_.depth[t][v * width + u];
      if (!is_depth(z)) continue;
      least = least == 0 ? z : std::min(least, z);
      most = std::max(most, z);
    }
  }
  if (most == 0) return Sight::unknown;
  if (most < (1 - depth_tolerance_) * expected) return Sight::covered;
  if (least > (1 + depth_tolerance_) * expected) return Sight::gone;
  return Sight::there;
}

// Mean grey difference of the 3x3 patch around the point from that in frame 0, of 255.
double PathFinder::appearance_difference(size_t t, const cv::Point2d& at) const {
  const int64_t width = evidence_.camera.width, height = evidence_.camera.height;
  const uint8_t* first = evidence_.grey[0].ptr<uint8_t>();
  const uint8_t* here = evidence_.grey[t].ptr<uint8_t>();
  double sum = 0;
  for (int64_t dy = -1; dy <= 1; ++dy) {
    for (int64_t dx = -1; dx <= 1; ++dx) {
      const int64_t x = std::clamp<int64_t>(first_x_ + dx, 0, width - 1);
      const int64_t y = std::clamp<int64_t>(first_y_ + dy, 0, height - 1);
      const Corners c = corners_around(
          {at.x + static_cast<double>(dx), at.y + static_cast<double>(dy)}, width, height);
      const double value = (1 - c.v) * ((1 - c.u) * here[c.i00] + c.u * here[c.i01]) +
                           c.v * ((1 - c.u) * here[c.i10] + c.u * here[c.i11]);
      sum += std::abs(value - first[y * width + x]);
    }
  }
  return sum / 9;
}

bool PathFinder::inside(const cv::Point2d& at) const {
  return at.x >= -0.5 && at.y >= -0.5 && at.x < static_cast<double>(evidence_.camera.width) - 0.5 &&
         at.y < static_cast<double>(evidence_.camera.height) - 0.5;
}

cv::Vec3d PathFinder::static_point_in(size_t t) const {
  const Camera& camera = evidence_.camera;
  const double z = depth_[0];
  const cv::Vec3d first((pixel_[0].x - camera.cx) / camera.fx * z,
                        (pixel_[0].y - camera.cy) / camera.fy * z, z);
  return transform(evidence_.camera_from_first[t], first);
}

cv::Point2d PathFinder::project(const cv::Vec3d& point) const {
  const Camera& camera = evidence_.camera;
  return {camera.fx * point[0] / point[2] + camera.cx, camera.fy * point[1] / point[2] + camera.cy};
}

}  // namespace momap
