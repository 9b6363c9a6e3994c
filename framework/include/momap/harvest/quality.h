// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/data/momap.h>
#include <momap/params/params.h>

#include <map>
#include <optional>
#include <string>

namespace momap {

/// What a sample must be like to be kept.
struct QualityOptions {
  double min_valid_share = 0;
  double min_visible_share = 0;
  double max_depth_jitter = 0;
  double max_static_share = 1;
  double max_camera_residual_px = 0;

  static auto schema() {
    return std::tuple{
        param("min_valid_share", &QualityOptions::min_valid_share,
              "Least share of pixels with evidence for their path.")
            .between(0, 1),
        param("min_visible_share", &QualityOptions::min_visible_share,
              "Least share of frames in which a valid point is seen, mean over points: the "
              "tracking's confidence.")
            .between(0, 1),
        param("max_depth_jitter", &QualityOptions::max_depth_jitter,
              "Most depth jitter: second difference of z over time by z, median over visible "
              "points; 0 = any.")
            .at_least(0),
        param("max_static_share", &QualityOptions::max_static_share,
              "Most share of valid points that stay within 1 % of their depth of where they began.")
            .between(0, 1),
        param("max_camera_residual_px", &QualityOptions::max_camera_residual_px,
              "Most distance between where the camera's pose puts still points in the last frame "
              "and where they are found there, median; 0 = any.")
            .unit("px")
            .at_least(0),
    };
  }
};

/// Figures of a sample by name: valid_share, visible_share, depth_jitter, static_share,
/// camera_residual_px. What cannot be measured (too few points, no camera) is absent.
std::map<std::string, double> measure_quality(const Clip& clip, const MoMap& map);

/// The first rule that the figures break.
struct Verdict {
  std::string rule;
  double value = 0;
  double threshold = 0;
};
std::optional<Verdict> judge(const std::map<std::string, double>& figures,
                             const QualityOptions& options);

}  // namespace momap
