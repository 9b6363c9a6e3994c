// SPDX-License-Identifier: Apache-2.0
#include <momap/data/opencv.h>
#include <momap/harvest/quality.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>
#include <vector>

namespace momap {
namespace {

constexpr double kStill = 0.01;  // of the depth
constexpr size_t kFewest = 8;    // values a median is taken of
constexpr int kMostCorners = 300;
constexpr double kBackTrack = 1.0;  // px, a corner that does not track back to itself is left out

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// One path of a map.
struct Path {
  const float* xyz;     // of frame 0
  const bool* visible;  // of frame 0
  int64_t frames, pixels;

  const float* at(int64_t t) const { return xyz + t * pixels * 3; }
  bool seen(int64_t t) const { return visible[t * pixels]; }

  bool is_still() const {
    const float* start = at(0);
    const double limit = kStill * std::abs(start[2]);
    for (int64_t t = 1; t < frames; ++t) {
      const float* p = at(t);
      const double x = p[0] - start[0], y = p[1] - start[1], z = p[2] - start[2];
      if (x * x + y * y + z * z > limit * limit) return false;
    }
    return true;
  }
};

// Where frame t's camera sees a point of the reference frame.
cv::Point2d seen_at(const Clip& clip, const Camera& camera, int64_t t, const float* point) {
  double p[3] = {point[0], point[1], point[2]};
  if (clip.cam_from_world) {
    const auto poses = clip.cam_from_world->contiguous();
    const double* first = poses.data_ptr<double>();
    const double* now = first + 16 * t;
    double world[3];
    for (int r = 0; r < 3; ++r) {
      world[r] = 0;
      for (int c = 0; c < 3; ++c) world[r] += first[4 * c + r] * (p[c] - first[4 * c + 3]);
    }
    for (int r = 0; r < 3; ++r) {
      p[r] = now[4 * r + 3];
      for (int c = 0; c < 3; ++c) p[r] += now[4 * r + c] * world[c];
    }
  }
  return {camera.fx * p[0] / p[2] + camera.cx, camera.fy * p[1] / p[2] + camera.cy};
}

// Still points of the last frame: where the pose puts them and where they are found.
std::optional<double> camera_residual(const Clip& clip, const MoMap& map, const cv::Mat& still) {
  if (!clip.camera || clip.length() < 2 || clip.length() != map.frames()) return std::nullopt;
  const auto frames = clip.frames.contiguous();
  const int64_t last = clip.length() - 1;
  cv::Mat first_gray, last_gray;
  cv::cvtColor(as_mat(frames[0]), first_gray, cv::COLOR_RGB2GRAY);
  cv::cvtColor(as_mat(frames[last]), last_gray, cv::COLOR_RGB2GRAY);
  std::vector<cv::Point2f> corners, found, back;
  cv::goodFeaturesToTrack(first_gray, corners, kMostCorners, 0.01, 5, still);
  if (corners.size() < kFewest) return std::nullopt;
  std::vector<uint8_t> forward_ok, back_ok;
  cv::calcOpticalFlowPyrLK(first_gray, last_gray, corners, found, forward_ok, cv::noArray());
  cv::calcOpticalFlowPyrLK(last_gray, first_gray, found, back, back_ok, cv::noArray());
  const auto xyz = map.xyz.contiguous();
  const float* points = xyz.data_ptr<float>();
  std::vector<double> distances;
  for (size_t i = 0; i < corners.size(); ++i) {
    if (!forward_ok[i] || !back_ok[i] || cv::norm(back[i] - corners[i]) > kBackTrack) continue;
    const auto x = static_cast<int64_t>(std::lround(corners[i].x));
    const auto y = static_cast<int64_t>(std::lround(corners[i].y));
    const float* point = points + 3 * (y * map.width() + x);
    if (!(point[2] > 0)) continue;
    const auto start = seen_at(clip, *clip.camera, 0, point);
    const auto there = seen_at(clip, *clip.camera, last, point);
    const cv::Point2d moved = there - start;
    const cv::Point2d tracked(found[i].x - corners[i].x, found[i].y - corners[i].y);
    const double distance = cv::norm(moved - tracked);
    if (std::isfinite(distance)) distances.push_back(distance);
  }
  if (distances.size() < kFewest) return std::nullopt;
  return median(distances);
}

}  // namespace

std::map<std::string, double> measure_quality(const Clip& clip, const MoMap& map) {
  const auto xyz = map.xyz.contiguous(), visible = map.visible.contiguous(),
             valid = map.valid.contiguous();
  const int64_t pixels = map.height() * map.width(), frames = map.frames();
  const bool* known = valid.data_ptr<bool>();
  int64_t count = 0, seen = 0, still_count = 0;
  std::vector<double> jitters;
  cv::Mat still(static_cast<int>(map.height()), static_cast<int>(map.width()), CV_8U,
                cv::Scalar(0));
  for (int64_t p = 0; p < pixels; ++p) {
    if (!known[p]) continue;
    ++count;
    const Path path{xyz.data_ptr<float>() + 3 * p, visible.data_ptr<bool>() + p, frames, pixels};
    double jitter = 0;
    int64_t steps = 0;
    for (int64_t t = 0; t < frames; ++t) {
      seen += path.seen(t);
      if (t < 2 || !path.seen(t) || !path.seen(t - 1) || !path.seen(t - 2)) continue;
      const double z = path.at(t - 1)[2];
      if (!(z > 0)) continue;
      jitter += std::abs(path.at(t)[2] - 2 * z + path.at(t - 2)[2]) / z;
      ++steps;
    }
    if (steps > 0) jitters.push_back(jitter / static_cast<double>(steps));
    if (path.is_still()) {
      ++still_count;
      still.data[p] = 255;
    }
  }
  std::map<std::string, double> figures;
  if (pixels > 0) figures["valid_share"] = static_cast<double>(count) / static_cast<double>(pixels);
  if (count > 0) {
    figures["visible_share"] =
        static_cast<double>(seen) / static_cast<double>(count) / static_cast<double>(frames);
    figures["static_share"] = static_cast<double>(still_count) / static_cast<double>(count);
  }
  if (jitters.size() >= kFewest) figures["depth_jitter"] = median(jitters);
  if (const auto residual = camera_residual(clip, map, still)) {
    figures["camera_residual_px"] = *residual;
  }
  return figures;
}

std::optional<Verdict> judge(const std::map<std::string, double>& figures,
                             const QualityOptions& options) {
  const auto least = [&](const char* figure, double threshold) {
    const auto found = figures.find(figure);
    return threshold > 0 && (found == figures.end() || found->second < threshold);
  };
  const auto most = [&](const char* figure, double threshold, double off) {
    const auto found = figures.find(figure);
    return threshold != off && found != figures.end() && found->second > threshold;
  };
  const auto value = [&](const char* figure) {
    const auto found = figures.find(figure);
    return found == figures.end() ? 0.0 : found->second;
  };
  if (least("valid_share", options.min_valid_share)) {
    return Verdict{"min_valid_share", value("valid_share"), options.min_valid_share};
  }
  if (least("visible_share", options.min_visible_share)) {
    return Verdict{"min_visible_share", value("visible_share"), options.min_visible_share};
  }
  if (most("depth_jitter", options.max_depth_jitter, 0)) {
    return Verdict{"max_depth_jitter", value("depth_jitter"), options.max_depth_jitter};
  }
  if (most("static_share", options.max_static_share, 1)) {
    return Verdict{"max_static_share", value("static_share"), options.max_static_share};
  }
  if (most("camera_residual_px", options.max_camera_residual_px, 0)) {
    return Verdict{"max_camera_residual_px", value("camera_residual_px"),
                   options.max_camera_residual_px};
  }
  return std::nullopt;
}

}  // namespace momap
