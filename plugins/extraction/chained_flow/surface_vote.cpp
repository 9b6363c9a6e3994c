// SPDX-License-Identifier: Apache-2.0
#include "surface_vote.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>

namespace momap {
namespace {

constexpr int kRadius = 4;            // px
constexpr float kMostVote = 3;        // one pixel does not outvote a surface
constexpr float kDepthScale = 0.02F;  // relative
constexpr float kGreyScale = 12;      // of 255

}  // namespace

cv::Mat vote_by_surface(const cv::Mat& votes, const cv::Mat& grey, const float* depth) {
  cv::Mat out(votes.size(), CV_32F, cv::Scalar(0));
  tbb::parallel_for(0, votes.rows, [&](int y) {
    for (int x = 0; x < votes.cols; ++x) {
      const float z = depth[y * votes.cols + x];
      if (!(z > 0)) continue;
      const float shade = grey.at<uint8_t>(y, x);
      float sum = 0, weights = 0;
      for (int v = std::max(0, y - kRadius); v <= std::min(votes.rows - 1, y + kRadius); ++v) {
        for (int u = std::max(0, x - kRadius); u <= std::min(votes.cols - 1, x + kRadius); ++u) {
          const float other = depth[v * votes.cols + u];
          if (!(other > 0)) continue;
          const float weight = std::exp(-std::abs(other - z) / (kDepthScale * z) -
                                        std::abs(grey.at<uint8_t>(v, u) - shade) / kGreyScale);
          sum += weight * std::clamp(votes.at<float>(v, u), -kMostVote, kMostVote);
          weights += weight;
        }
      }
      out.at<float>(y, x) = sum / weights;
    }
  });
  return out;
}

}  // namespace momap
