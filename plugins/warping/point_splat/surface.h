// SPDX-License-Identifier: Apache-2.0
#pragma once

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
  Reference(const uint8_t* rgb, const float* xyz, const bool* valid, int64_t rows, int64_t columns,
            float edge_tolerance);

  int64_t height, width;
  /// Row y of the image, red in the lowest byte. The pixel before and the one after can be read.
  const uint32_t* colours(int64_t y) const { return colour_.data() + 1 + y * width; }

  std::vector<float> depth;    // [H, W], metres; 0 = unknown
  std::vector<uint8_t> links;  // [H, W], see Link

 private:
  std::vector<uint32_t> colour_;
};

}  // namespace momap::warping
