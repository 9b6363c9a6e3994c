// SPDX-License-Identifier: Apache-2.0
#include "conditioning.h"

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <momap/base/error.h>

#include <algorithm>
#include <cmath>

namespace denoiser {
namespace {

bool known(const float* point) {
  return point[2] > 0 && std::isfinite(point[0]) && std::isfinite(point[1]) &&
         std::isfinite(point[2]);
}

double median_log_depth(const float* points, int64_t pixels) {
  std::vector<float> logs;
  logs.reserve(static_cast<size_t>(pixels));
  for (int64_t i = 0; i < pixels; ++i) {
    if (known(points + 3 * i)) logs.push_back(std::log(points[3 * i + 2]));
  }
  if (logs.empty()) return 0;
  const auto middle = logs.begin() + static_cast<std::ptrdiff_t>(logs.size() / 2);
  std::nth_element(logs.begin(), middle, logs.end());
  return *middle;
}

void check_sizes(const momap::Condition& condition) {
  const auto image = condition.image.sizes();
  const auto fits = [&](const at::Tensor& other) {
    return other.size(0) == image[0] && other.size(1) == image[1];
  };
  if (!fits(condition.points) || (condition.segments && !fits(*condition.segments))) {
    throw momap::DataError(
        fmt::format("the condition's image is {}x{} px, its points or segments are "
                    "not; all must be of one size",
                    image[1], image[0]));
  }
}

// Means over cells of stride x stride pixels, [1, kConditionChannels, ceil(H / stride), ceil(W /
// stride)].
at::Tensor spatial_grid(const momap::Condition& condition, int64_t stride) {
  const int64_t height = condition.image.size(0);
  const int64_t width = condition.image.size(1);
  const int64_t h = (height + stride - 1) / stride;
  const int64_t w = (width + stride - 1) / stride;
  const at::Tensor image = condition.image.contiguous();
  const at::Tensor points = condition.points.contiguous();
  const at::Tensor segments = condition.segments ? condition.segments->contiguous() : at::Tensor();
  const uint8_t* const rgb = image.data_ptr<uint8_t>();
  const float* const xyz = points.data_ptr<float>();
  const int32_t* const ids = segments.defined() ? segments.data_ptr<int32_t>() : nullptr;
  const double median = median_log_depth(xyz, height * width);

  at::Tensor spatial = at::empty({1, kConditionChannels, h, w}, at::kFloat);
  float* const out = spatial.data_ptr<float>();
  for (int64_t cell_y = 0; cell_y < h; ++cell_y) {
    for (int64_t cell_x = 0; cell_x < w; ++cell_x) {
      double sum[kConditionChannels] = {};
      const int64_t y_end = std::min(height, (cell_y + 1) * stride);
      const int64_t x_end = std::min(width, (cell_x + 1) * stride);
      for (int64_t y = cell_y * stride; y < y_end; ++y) {
        for (int64_t x = cell_x * stride; x < x_end; ++x) {
          const int64_t i = y * width + x;
          for (int c = 0; c < 3; ++c) sum[c] += rgb[3 * i + c] / 127.5 - 1;
          if (const float* const p = xyz + 3 * i; known(p)) {
            sum[3] += p[0] / p[2];
            sum[4] += p[1] / p[2];
            sum[5] += std::log(p[2]) - median;
            sum[6] += 1;
          }
          if (ids) {
            const bool edge = (x + 1 < width && ids[i + 1] != ids[i]) ||
                              (y + 1 < height && ids[i + width] != ids[i]);
            sum[7] += edge;
          }
        }
      }
      const auto area = static_cast<double>((y_end - cell_y * stride) * (x_end - cell_x * stride));
      const double with_depth = std::max(1.0, sum[6]);
      for (int64_t c = 0; c < kConditionChannels; ++c) {
        const double count = c >= 3 && c < 6 ? with_depth : area;
        out[(c * h + cell_y) * w + cell_x] = static_cast<float>(sum[c] / count);
      }
    }
  }
  return spatial;
}

}  // namespace

std::vector<int64_t> tokenize(const std::string& text, int64_t limit) {
  constexpr uint64_t kStart = 0xcbf29ce484222325;
  constexpr uint64_t kPrime = 0x100000001b3;
  std::vector<int64_t> tokens;
  uint64_t hash = kStart;
  bool inside = false;
  const auto finish = [&] {
    if (inside && static_cast<int64_t>(tokens.size()) < limit) {
      tokens.push_back(1 + static_cast<int64_t>(hash % (kVocabulary - 1)));
    }
    hash = kStart;
    inside = false;
  };
  for (const char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<unsigned char>(byte - 'A' + 'a');
    if ((byte >= 'a' && byte <= 'z') || byte >= 0x80) {
      hash = (hash ^ byte) * kPrime;
      inside = true;
    } else {
      finish();
    }
  }
  finish();
  return tokens;
}

momap::Conditioning make_conditioning(const momap::Condition& condition, int64_t stride,
                                      int64_t detail, int64_t tokens) {
  check_sizes(condition);
  at::Tensor spatial = spatial_grid(condition, stride / detail);
  if (detail > 1) {
    const auto missing = [&](int64_t side) {
      return (detail - spatial.size(side) % detail) % detail;
    };
    spatial =
        at::pixel_unshuffle(at::constant_pad_nd(spatial, {0, missing(3), 0, missing(2)}), detail);
  }
  at::Tensor ids = at::zeros({1, tokens}, at::kLong);
  const std::vector<int64_t> words = tokenize(condition.text, tokens);
  std::copy(words.begin(), words.end(), ids.data_ptr<int64_t>());
  return {spatial, ids};
}

}  // namespace denoiser
