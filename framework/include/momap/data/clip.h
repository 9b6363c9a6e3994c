// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/camera.h>
#include <momap/data/future.h>
#include <momap/data/image.h>
#include <momap/data/tracks.h>

#include <optional>
#include <string>
#include <vector>

namespace momap {

/// A short video (or a photograph: T = 1) and whatever is known about it. Absent knowledge is
/// absent, never zeros.
struct Clip {
  at::Tensor frames;                // u8 [T, H, W, 3], RGB
  double fps = 0;                   // 0 = unknown
  std::optional<at::Tensor> depth;  // f32 [T, H, W], metres along z; 0 or NaN = unknown there
  std::optional<Camera> camera;     // the same intrinsics for all frames
  std::optional<at::Tensor> cam_from_world;  // f64 [T, 4, 4], rigid; world unit = metre
  std::optional<at::Tensor> segments;        // i32 [H, W], object ids in frame 0; 0 = background
  std::vector<std::string> segment_names;    // name of segment id i, when known
  std::string caption;                       // "" = none
  std::optional<at::Tensor>
      covered;  // bool [T, H, W], shown by warping (false: filled by completion)

  // What a data set knows to be true. Extraction and generation never see it.
  std::vector<Future> truth;  // [0]: what the frames show; more where other futures were possible
  std::vector<Joint> joints;  // how parts of `segments` are held
  std::optional<at::Tensor> flow;      // f32 [T-1, H, W, 2], px from frame t to t+1; NaN = unknown
  std::optional<at::Tensor> occluded;  // bool [T-1, H, W], the point is hidden in frame t+1
  std::optional<Tracks> tracks;        // single points

  int64_t length() const { return frames.size(0); }
  int64_t height() const { return frames.size(1); }
  int64_t width() const { return frames.size(2); }

  /// Frame t, sharing memory.
  Image image(int64_t t) const { return {frames[t]}; }
};

}  // namespace momap
