// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "scene.h"

namespace momap::synthetic {
namespace {

Pose looking(const Vec3& eye, const Vec3& target) {
  const Vec3 z = normalized(target - eye);
  const Vec3 x = normalized(cross(z, {0, 0, 1}));
  Pose pose;
  pose.rows = {{x, cross(z, x), z}};
  pose.t = -pose.rotate(eye);
  return pose;
}

// Sums of slow waves that start at 0: how a hand shakes.
class Shake {
 public:
  explicit Shake(Random& random) {
    for (Wave& wave : waves_) {
      wave.rate = 2 + 7 * random.uniform();
      wave.phase = 2 * kPi * random.uniform();
      wave.size = 0.4 + 0.6 * random.uniform();
    }
  }
  double at(double s) const {
    double sum = 0;
    for (const Wave& w : waves_) sum += w.size * (sine(w.rate * s + w.phase) - sine(w.phase));
    return sum / 3;
  }

 private:
  struct Wave {
    double rate, phase, size;
  };
  std::array<Wave, 3> waves_{};
};

struct Span {
  Vec3 middle;
  std::vector<Vec3> corners;  // of every moving part
};

Span span_of(const World& world) {
  Span span;
  Vec3 low{1e9, 1e9, 1e9}, high{-1e9, -1e9, -1e9};
  for (const Part& part : world.parts) {
    if (part.mover < 0) continue;
    for (size_t i = 0; i < part.mesh.vertices.size(); i += 3) {
      const Vec3 p = part.rest.apply(part.mesh.vertices[i].point);
      span.corners.push_back(p);
      low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
      high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
    }
  }
  span.middle = (low + high) * 0.5;
  return span;
}

}  // namespace

View make_view(const Order& order, const World& world, const Layout& layout, Random& random) {
  const auto between = [&](double low, double high) {
    return low + (high - low) * random.uniform();
  };
  const double field = between(layout.low_fov, layout.high_fov) * kPi / 180;
  const auto width = static_cast<double>(order.width), height = static_cast<double>(order.height);
  const double focal = 0.5 * std::min(width, height) * cosine(field / 2) / sine(field / 2);
  View view;
  view.camera = {focal, focal, (width - 1) / 2, (height - 1) / 2, order.width, order.height};

  static constexpr std::array<std::string_view, 4> kPaths{"static", "pan", "handheld", "dolly"};
  const std::string_view drawn = kPaths[static_cast<size_t>(random.below(kPaths.size()))];
  const std::string_view path = order.camera == "any" ? drawn : std::string_view(order.camera);

  const Span span = span_of(world);
  const double off_x = between(-0.08, 0.08), off_z = between(-0.05, 0.05);
  Vec3 target = layout.target, eye = layout.eye;
  if (!span.corners.empty()) {
    target = span.middle * 0.75 + layout.target * 0.25;
    eye.x = 0.6 * layout.eye.x + 0.4 * span.middle.x;
  }
  const Vec3 back = normalized(eye - target);
  const double reach = length(eye - target);
  target = target + Vec3{off_x, 0, off_z} * reach;
  // Near first, then back until all that may move is in view with some room around.
  const double room = path == "pan" ? 0.72 : 0.8;
  double distance = 0.62 * reach;
  for (int step = 0; step < 24; ++step, distance *= 1.06) {
    eye = target + back * distance;
    const Pose pose = looking(eye, target);
    const bool inside = std::ranges::all_of(span.corners, [&](const Vec3& corner) {
      const Vec3 p = pose.apply(corner);
      return p.z > 0.05 && std::abs(p.x) * focal < room * p.z * width / 2 &&
             std::abs(p.y) * focal < room * p.z * height / 2;
    });
    if (inside) break;
  }

  // Everything about the path is drawn whatever the path, so that it changes nothing else.
  const double sign = random.uniform() < 0.5 ? -1 : 1, amount = between(0.5, 1);
  const double sideways = between(-1, 1);
  std::vector<Shake> shakes;
  for (int i = 0; i < 6; ++i) shakes.emplace_back(random);
  const double clip = static_cast<double>(order.clock.frames) / order.clock.fps;
  for (int64_t t = 0; t < order.clock.frames; ++t) {
    const double s = static_cast<double>(t) / order.clock.fps, share = s / std::max(clip, 1.0);
    Vec3 from = eye, to = target;
    if (path == "pan") {
      const double turn = sign * amount * 0.22 * share;
      to = eye + rotation({0, 0, 1}, turn).apply(target - eye);
    } else if (path == "handheld") {
      const double a = 0.012 * distance, b = 0.02 * distance;
      from = from + Vec3{a * shakes[0].at(s), a * shakes[1].at(s), a * shakes[2].at(s)};
      to = to + Vec3{b * shakes[3].at(s), b * shakes[4].at(s), b * shakes[5].at(s)};
    } else if (path == "dolly") {
      const Vec3 ahead = normalized(target - eye), right = normalized(cross(ahead, {0, 0, 1}));
      from = from + (ahead * (sign * amount) + right * sideways) * (0.1 * distance * share);
    }
    view.cam_from_world.push_back(looking(from, to));
  }
  view.moves = path != "static" && order.clock.frames > 1;
  return view;
}

}  // namespace momap::synthetic
