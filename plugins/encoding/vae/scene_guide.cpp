// SPDX-License-Identifier: Apache-2.0
#include "scene_guide.h"

#include <ATen/Functions.h>
#include <momap/base/random.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <vector>

namespace vae {
namespace {

constexpr float kDepthRange = 2;  // natural logarithms
constexpr int64_t kMarks = 3;     // numbers a segment

void mark_segments(const at::Tensor& given, float* out) {
  const at::Tensor segments = given.contiguous();
  const auto* const ids = segments.data_ptr<int32_t>();
  const int64_t pixels = segments.numel();
  std::unordered_map<int32_t, std::array<float, kMarks>> marks;
  for (int64_t i = 0; i < pixels; ++i) {
    if (ids[i] == 0) continue;  // background
    const auto [found, is_new] = marks.try_emplace(ids[i]);
    if (is_new) {
      momap::Random random(static_cast<uint64_t>(static_cast<uint32_t>(ids[i])));
      for (float& mark : found->second) mark = static_cast<float>(2 * random.uniform() - 1);
    }
    for (int64_t m = 0; m < kMarks; ++m) out[m * pixels + i] = found->second[m];
  }
}

}  // namespace

at::Tensor scene_guide(const momap::Condition& condition) {
  const at::Tensor points = condition.points.contiguous();
  const int64_t height = points.size(0), width = points.size(1), pixels = height * width;
  const auto* const xyz = points.data_ptr<float>();
  at::Tensor guide = at::zeros({1, kGuideChannels, height, width}, at::kFloat);
  auto* const out = guide.data_ptr<float>();
  std::vector<float> logs;
  for (int64_t i = 0; i < pixels; ++i) {
    const float z = xyz[3 * i + 2];
    if (!(z > 0) || !std::isfinite(z)) continue;
    out[i] = std::log(z);
    out[pixels + i] = 1;
    logs.push_back(out[i]);
  }
  if (!logs.empty()) {
    const auto middle = logs.begin() + static_cast<std::ptrdiff_t>(logs.size() / 2);
    std::nth_element(logs.begin(), middle, logs.end());
    for (int64_t i = 0; i < pixels; ++i) {
      if (out[pixels + i] > 0) out[i] = std::clamp(out[i] - *middle, -kDepthRange, kDepthRange);
    }
  }
  if (condition.segments) mark_segments(*condition.segments, out + 2 * pixels);
  return guide;
}

}  // namespace vae
