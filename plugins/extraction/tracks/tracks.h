// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/data/momap.h>
#include <momap/params/params.h>
#include <momap/stage/stage.h>

#include <opencv2/core/types.hpp>
#include <string>
#include <tuple>
#include <vector>

namespace momap::tracks {

/// Points of frame 0, followed through a clip.
struct Tracks {
  int64_t points = 0, frames = 0;
  std::vector<cv::Point2f> places;  // [points, frames], px; places[n * frames] is the start
  std::vector<uint8_t> seen;        // [points, frames], 0: hidden, lost or outside

  Tracks(const std::vector<cv::Point2f>& starts, int64_t length)
      : points(static_cast<int64_t>(starts.size())),
        frames(length),
        places(starts.size() * static_cast<size_t>(length)),
        seen(places.size()) {
    for (size_t n = 0; n < starts.size(); ++n) {
      places[n * static_cast<size_t>(length)] = starts[n];
      seen[n * static_cast<size_t>(length)] = 1;
    }
  }
};

/// How tracks become dense.
struct DensifyParams {
  double spacing_px = 6;
  double depth_jump = 0.05;
  double static_px = 1.5;
  double static_depth = 0.03;

  static auto schema() {
    return std::tuple{
        param("spacing_px", &DensifyParams::spacing_px,
              "A point is followed from each square of the image of this side.")
            .unit("px")
            .between(2, 64),
        param("depth_jump", &DensifyParams::depth_jump,
              "A track whose depth changes by more than this share from one frame to the next "
              "landed on another surface.")
            .above(0),
        param("static_px", &DensifyParams::static_px,
              "A track that stays this close to that of a static point is static; 0: only exact "
              "ones.")
            .unit("px")
            .at_least(0),
        param("static_depth", &DensifyParams::static_depth, "The same for depth, as a share of it.")
            .at_least(0),
    };
  }
};

/// The best corner of each square of frame 0 with known depth and anything to follow, px.
std::vector<cv::Point2f> start_points(const Clip& clip, double spacing_px);

/// Lifts tracks by depth and poses, and gives each pixel the motion of the tracks around it on its
/// own surface (near in the image, in depth and in colour, and moving alike). Pixels without any
/// are not valid. Visible is what depth and poses say.
MoMap densify(const Clip& clip, const Tracks& tracks, const DensifyParams& params,
              const Context& context);

}  // namespace momap::tracks
