// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/camera.h>

#include <cstdint>
#include <vector>

namespace momap::warping {

struct Limits {
  float edge_tolerance;    // relative depth step between neighbours of one surface
  float max_footprint_px;  // a surface stretched further than this per source pixel is torn
};

/// Two neighbours that lie on one surface; kept at the left and at the upper pixel of the pair.
enum Link : uint8_t { kRight = 1, kDown = 2 };

/// What is the same for all frames of a motion map: the reference image and its surfaces.
struct Reference {
  /// `xyz` f32 [H, W, 3] of frame 0, `camera` the one it is seen by.
  Reference(const uint8_t* rgb, const float* xyz, const bool* valid, const Camera& camera,
            float edge_tolerance);

  int64_t height, width;
  /// Row y of the image, red in the lowest byte. The pixel before and the one after can be read.
  const uint32_t* colours(int64_t y) const { return colour_.data() + 1 + y * width; }

  std::vector<float> depth;     // [H, W], metres; 0 = unknown
  std::vector<uint8_t> strays;  // [H, W], 1: a valid point that frame 0 does not show at its pixel
  std::vector<uint8_t> links;   // [H, W], see Link

 private:
  std::vector<uint32_t> colour_;
};

}  // namespace momap::warping
