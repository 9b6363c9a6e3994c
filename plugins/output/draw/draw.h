// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/data/momap.h>
#include <momap/data/partial_clip.h>

#include <opencv2/core.hpp>
#include <vector>

// Pictures for people, shared by the image and the video output. All are RGB, CV_8UC3, of the size
// of the value.

namespace momap::draw {

/// The frame as it is.
cv::Mat photograph(const at::Tensor& frames, int64_t t);

/// `scale` times as large, without inventing values between pixels.
cv::Mat enlarged(const cv::Mat& picture, int scale);

/// The frame with a grey checkerboard where nothing is covered.
cv::Mat with_holes_marked(const PartialClip& partial, int64_t t);

/// The projected displacement from frame 0 to t on the colour wheel: hue is the direction (red
/// right, then through yellow, green, blue counted clockwise as seen), saturation the length, white
/// is rest. `full_px` is the length of full saturation; 0 takes the 99th percentile, at least 1 px.
/// Pixels without a path are a checkerboard.
cv::Mat displacement_picture(const MoMap& momap, int64_t t, double full_px);

/// Depth of frame 0 on a logarithmic scale, near is red and far is blue.
cv::Mat depth_picture(const MoMap& momap);

/// Paths of a grid of points over all frames, projected into the reference camera.
struct Tracks {
  int64_t frames = 0;
  std::vector<std::vector<cv::Point2f>> paths;  // px; NaN where a point cannot be projected
};

/// One path every `spacing_px` pixels; 0 chooses about 24 along the shorter side.
Tracks tracks_of(const MoMap& momap, int64_t spacing_px);

/// What tracks are drawn on: frame 0 of `image`, dimmed; without an image the depth in grey.
/// Enlarged `scale` times.
cv::Mat track_ground(const MoMap& momap, const Clip* image, int scale);

/// Draws the paths from frame 0 to t, coloured by time, with a dot at t (small and pale where
/// nothing moves). `scale`: px of the picture per px of the map.
void draw_tracks(cv::Mat& picture, const Tracks& tracks, int64_t t, int scale);

}  // namespace momap::draw
