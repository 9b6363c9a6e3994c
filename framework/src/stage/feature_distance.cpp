// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <momap/stage/feature_distance.h>

namespace momap {

at::Tensor feature_distance(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  const auto unit = [](const at::Tensor& x) {
    return x / (x.square().sum(1, true) + 1e-10).sqrt();
  };
  at::Tensor sum;
  for (size_t layer = 0; layer < a.size(); ++layer) {
    const at::Tensor distance =
        (unit(a[layer]) - unit(b[layer])).square().sum(1).mean(at::IntArrayRef{1, 2});
    sum = sum.defined() ? sum + distance : distance;
  }
  return sum / static_cast<double>(a.size());
}

}  // namespace momap
