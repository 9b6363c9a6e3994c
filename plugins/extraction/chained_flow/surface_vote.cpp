// SPDX-License-Identifier: Apache-2.0
#include "surface_vote.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace momap {
namespace {

constexpr int kRadius = 4;            // px
constexpr float kMostVote = 3;        // one pixel does not outvote a surface
constexpr float kDepthScale = 0.02F;  // relative
constexpr float kGreyScale = 12;      // of 255

}  // namespace

cv::Mat vote_by_surface(const cv::Mat& votes, const cv::Mat& grey, const float* depth) {
  std::array<float, 256> like_grey;
  for (size_t d = 0; d < like_grey.size(); ++d) {
    like_grey[d] = std::exp(-static_cast<float>(d) / kGreyScale);
  }
  cv::Mat out(votes.size(), CV_32F, cv::Scalar(0));
  tbb::parallel_for(0, votes.rows, [&](int y) {
    for (int x = 0; x < votes.cols; ++x) {
      const float z = depth[y * votes.cols + x];
      if (!(z > 0)) continue;
      const int shade = grey.at<uint8_t>(y, x);
      const float per_depth = 1 / (kDepthScale * z);
      float sum = 0, weights = 0;
      const int left = std::max(0, x - kRadius), right = std::min(votes.cols - 1, x + kRadius);
      for (int v = std::max(0, y - kRadius); v <= std::min(votes.rows - 1, y + kRadius); ++v) {
        const float* near = depth + v * votes.cols;
        const auto* shades = grey.ptr<uint8_t>(v);
        const auto* vote = votes.ptr<float>(v);
        for (int u = left; u <= right; ++u) {
          if (!(near[u] > 0)) continue;
          const float away = (near[u] - z) * per_depth;
          const float weight =
              like_grey[static_cast<size_t>(std::abs(shades[u] - shade))] / (1 + away * away);
          sum += weight * std::clamp(vote[u], -kMostVote, kMostVote);
          weights += weight;
        }
      }
      out.at<float>(y, x) = sum / weights;
    }
  });
  return out;
}

}  // namespace momap
