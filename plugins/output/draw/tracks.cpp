// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "draw.h"

namespace momap::draw {
namespace {

constexpr int kSubpixelBits = 4;  // OpenCV draws at 1/16 px

/// Colours of time, first to last frame, without the dark ends of the palette.
std::vector<cv::Scalar> rainbow(int64_t frames) {
  cv::Mat levels(1, static_cast<int>(frames), CV_8U), colours;
  for (int t = 0; t < levels.cols; ++t) {
    levels.at<uint8_t>(t) = cv::saturate_cast<uint8_t>(30 + 205 * t / std::max(1, levels.cols - 1));
  }
  cv::applyColorMap(levels, colours, cv::COLORMAP_TURBO);
  std::vector<cv::Scalar> out;
  for (int t = 0; t < colours.cols; ++t) {
    const cv::Vec3b bgr = colours.at<cv::Vec3b>(t);
    out.emplace_back(bgr[2], bgr[1], bgr[0]);
  }
  return out;
}

/// Some position of the path is more than half a pixel from its start.
bool moves_visibly(const std::vector<cv::Point2f>& path) {
  return std::any_of(path.begin(), path.end(), [&](const cv::Point2f& at) {
    return std::hypot(at.x - path[0].x, at.y - path[0].y) > 0.5f;
  });
}

/// In OpenCV's fixed point; far positions are cut so that it does not overflow.
cv::Point fixed(cv::Point2f position, int scale) {
  constexpr double kFar = 1 << 20;
  const auto coordinate = [&](float value) {
    const double enlarged = (value + 0.5) * scale - 0.5;
    return static_cast<int>(std::lround(std::clamp(enlarged, -kFar, kFar) * (1 << kSubpixelBits)));
  };
  return {coordinate(position.x), coordinate(position.y)};
}

}  // namespace

Tracks tracks_of(const MoMap& momap, int64_t spacing_px) {
  const int64_t height = momap.height(), width = momap.width();
  constexpr int64_t kAlongShortSide = 24;
  const int64_t spacing =
      spacing_px > 0 ? spacing_px : std::max<int64_t>(4, std::min(height, width) / kAlongShortSide);
  const at::Tensor xyz = momap.xyz.contiguous(), valid = momap.valid.contiguous();
  const auto* points = xyz.data_ptr<float>();
  const bool* known = valid.data_ptr<bool>();
  const Camera& camera = momap.camera;
  constexpr float kNoValue = std::numeric_limits<float>::quiet_NaN();

  Tracks tracks{momap.frames(), {}};
  for (int64_t y = std::min(spacing, height) / 2; y < height; y += spacing) {
    for (int64_t x = std::min(spacing, width) / 2; x < width; x += spacing) {
      if (!known[y * width + x]) continue;
      std::vector<cv::Point2f> path;
      for (int64_t t = 0; t < tracks.frames; ++t) {
        const float* p = points + 3 * ((t * height + y) * width + x);
        const cv::Point2d at(camera.fx * p[0] / p[2] + camera.cx,
                             camera.fy * p[1] / p[2] + camera.cy);
        const bool seen = p[2] > 0 && std::isfinite(at.x) && std::isfinite(at.y);
        path.push_back(seen ? cv::Point2f(at) : cv::Point2f(kNoValue, kNoValue));
      }
      tracks.paths.push_back(std::move(path));
    }
  }
  return tracks;
}

cv::Mat track_ground(const MoMap& momap, const Clip* image, int scale) {
  cv::Mat ground;
  if (image) {
    if (image->height() != momap.height() || image->width() != momap.width()) {
      throw DataError(
          fmt::format("the image is {} x {} px but the motion map {} x {}; give the clip that the "
                      "map belongs to",
                      image->width(), image->height(), momap.width(), momap.height()));
    }
    ground = photograph(image->frames, 0) * 0.6;
  } else {
    cv::cvtColor(depth_picture(momap), ground, cv::COLOR_RGB2GRAY);
    cv::cvtColor(ground * 0.4, ground, cv::COLOR_GRAY2RGB);
  }
  if (scale > 1) cv::resize(ground, ground, {}, scale, scale, cv::INTER_CUBIC);
  return ground;
}

void draw_tracks(cv::Mat& picture, const Tracks& tracks, int64_t t, int scale) {
  const std::vector<cv::Scalar> colours = rainbow(tracks.frames);
  const int thickness = std::max(1, std::min(picture.rows, picture.cols) / 250);
  // Time by time, so that the newest lies on top wherever paths cross.
  for (int64_t s = 1; s <= t; ++s) {
    for (const auto& path : tracks.paths) {
      if (!moves_visibly(path)) continue;
      const cv::Point2f a = path[s - 1], b = path[s];
      if (std::isnan(a.x) || std::isnan(b.x)) continue;
      cv::line(picture, fixed(a, scale), fixed(b, scale), colours[s], thickness, cv::LINE_AA,
               kSubpixelBits);
    }
  }
  const int dot = thickness << kSubpixelBits;
  for (const auto& path : tracks.paths) {
    if (std::isnan(path[t].x)) continue;
    // Points at rest are small and pale, so that they do not drown what moves.
    const bool moves = moves_visibly(path);
    cv::circle(picture, fixed(path[t], scale), moves ? dot * 3 / 2 : dot / 2,
               moves ? colours[t] : cv::Scalar::all(200), cv::FILLED, cv::LINE_AA, kSubpixelBits);
  }
}

}  // namespace momap::draw
