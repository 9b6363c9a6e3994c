// SPDX-License-Identifier: Apache-2.0
#include "flow/convolution.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "flow/correlation.h"

namespace {

using momap::FeatureMap;

at::Tensor pattern(at::IntArrayRef shape, double step) {
  int64_t count = 1;
  for (const int64_t n : shape) count *= n;
  return at::sin(at::arange(count, at::kDouble) * step).to(at::kFloat).reshape(shape);
}

FeatureMap map_of(const at::Tensor& x) {  // [C, h, w]
  FeatureMap map(x.size(1), x.size(2), x.size(0));
  for (int64_t i = 0; i < map.pixels(); ++i) {
    for (int64_t c = 0; c < map.channels; ++c) {
      map.at(i)[c] = x.data_ptr<float>()[c * map.pixels() + i];
    }
  }
  return map;
}

at::Tensor tensor_of(const FeatureMap& map) {  // [C, h, w]
  at::Tensor x = at::empty({map.channels, map.height, map.width});
  for (int64_t i = 0; i < map.pixels(); ++i) {
    for (int64_t c = 0; c < map.channels; ++c) {
      x.data_ptr<float>()[c * map.pixels() + i] = map.at(i)[c];
    }
  }
  return x;
}

TEST(Convolution3x3, EqualsTheDirectSumForAnySize) {
  for (const auto& [height, width, in, out] :
       {std::array{1, 1, 1, 1}, {2, 5, 3, 2}, {13, 9, 17, 33}, {40, 31, 178, 192}}) {
    const at::Tensor x = pattern({in, height, width}, 0.7), w = pattern({out, in, 3, 3}, 1.3);
    const at::Tensor direct =
        at::conv2d(x.unsqueeze(0).to(at::kDouble), w.to(at::kDouble), {}, 1, 1)[0];
    FeatureMap result(height, width, out);
    momap::Convolution3x3 convolution(w);
    convolution(map_of(x), result);
    const double error =
        ((tensor_of(result) - direct).norm() / (direct.norm() + 1e-9)).item<double>();
    EXPECT_LT(error, 1e-5) << height << " x " << width << ", " << in << " to " << out;
  }
}

TEST(PackedMatrix, MultipliesAnyNumberOfRowsAndColumns) {
  for (const int64_t rows : {1, 3, 4, 11, 12, 13, 29}) {
    for (const int64_t columns : {1, 16, 17, 40, 64}) {
      const at::Tensor left = pattern({rows, 19}, 0.3), right = pattern({19, columns}, 0.9);
      const momap::PackedMatrix packed(right.data_ptr<float>(), 19, columns, columns, 1);
      at::Tensor out = at::empty({rows, packed.columns()});
      packed.product(left.data_ptr<float>(), 19, rows, out.data_ptr<float>(), packed.columns());
      EXPECT_TRUE(at::allclose(out.narrow(1, 0, columns), at::mm(left, right), 1e-5, 1e-5));
    }
  }
}

// By the definition: bilinear samples of the pooled correlations, zero outside.
TEST(CorrelationVolume, LooksUpPooledProductsAroundAPlace) {
  const at::Tensor a = pattern({20, 11, 13}, 0.37), b = pattern({20, 11, 13}, 0.61);
  const FeatureMap from = map_of(a), to = map_of(b);
  const momap::CorrelationVolume volume(from, to);
  std::vector<std::array<float, 2>> coords;
  for (int64_t i = 0; i < from.pixels(); ++i) {
    coords.push_back({static_cast<float>(i % 17) * 0.9F - 1, static_cast<float>(i % 14) - 0.7F});
  }
  coords[5] = {1e9F, -1e9F};
  FeatureMap out(11, 13, momap::CorrelationVolume::kChannels);
  volume.look_up(coords, out);
  at::Tensor level =
      (at::mm(a.flatten(1).t(), b.flatten(1)) / std::sqrt(20.0)).reshape({143, 1, 11, 13});
  for (int64_t l = 0; l < 4; ++l) {
    if (l > 0) level = at::avg_pool2d(level, 2);
    const int64_t height = level.size(2), width = level.size(3);
    for (int64_t i = 5; i < 143; i += 29) {
      for (int64_t k = 0; k < 49; ++k) {
        const auto scale = static_cast<double>(1 << l);
        const double x = coords[i][0] / scale + static_cast<double>(k / 7 - 3);
        const double y = coords[i][1] / scale + static_cast<double>(k % 7 - 3);
        double expected = 0;
        for (int corner = 0; corner < 4; ++corner) {
          const double cx = std::floor(x) + corner % 2, cy = std::floor(y) + corner / 2;
          if (cx < 0 || cy < 0 || cx >= width || cy >= height) continue;
          expected += (1 - std::abs(x - cx)) * (1 - std::abs(y - cy)) *
                      level[i][0][static_cast<int64_t>(cy)][static_cast<int64_t>(cx)].item<float>();
        }
        ASSERT_NEAR(out.at(i)[l * 49 + k], expected, 3e-3) << i << " " << l << " " << k;
      }
    }
  }
}

}  // namespace
