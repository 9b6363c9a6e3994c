// SPDX-License-Identifier: Apache-2.0
#include "points.h"

#include <fmt/format.h>
#include <momap/base/error.h>

#include <algorithm>
#include <cmath>

namespace momap::points {

std::vector<int64_t> chosen(const MoMap& momap, int64_t stride, int64_t first, int64_t end) {
  const at::Tensor xyz = momap.xyz.contiguous(), valid = momap.valid.contiguous();
  const int64_t height = momap.height(), width = momap.width();
  std::vector<int64_t> pixels;
  for (int64_t y = 0; y < height; y += stride) {
    for (int64_t x = 0; x < width; x += stride) {
      const int64_t pixel = y * width + x;
      bool usable = valid.data_ptr<bool>()[pixel];
      for (int64_t t = first; usable && t < end; ++t) {
        const float* p = xyz.data_ptr<float>() + 3 * (t * height * width + pixel);
        usable = std::isfinite(p[0]) && std::isfinite(p[1]) && std::isfinite(p[2]);
      }
      if (usable) pixels.push_back(pixel);
    }
  }
  return pixels;
}

std::vector<Colour> colours(const MoMap& momap, const Clip* image,
                            const std::vector<int64_t>& pixels, std::string_view owner) {
  static constexpr Colour kGrey{180, 180, 180};
  std::vector<Colour> out(pixels.size(), kGrey);
  if (!image) return out;
  if (image->height() != momap.height() || image->width() != momap.width()) {
    throw DataError(
        fmt::format("{}: the image is {} x {} px but the motion map {} x {}; give the clip that "
                    "the map belongs to",
                    owner, image->width(), image->height(), momap.width(), momap.height()));
  }
  const at::Tensor first = image->frames[0].contiguous();
  for (size_t n = 0; n < pixels.size(); ++n) {
    std::copy_n(first.data_ptr<uint8_t>() + 3 * pixels[n], 3, out[n].begin());
  }
  return out;
}

}  // namespace momap::points
