// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>

namespace momap {

/// Flow between two frames in both directions, px.
struct FlowPair {
  cv::Mat forward;   // f32x2 [H, W], (u, v) from a to b on a's grid
  cv::Mat backward;  // f32x2 [H, W], from b to a on b's grid
};

/// A dense optical flow. All members may be called by several threads at once.
class DenseFlow {
 public:
  /// What is computed of a frame once, however many flows start or end there.
  class Frame {
   public:
    virtual ~Frame() = default;
  };

  virtual ~DenseFlow() = default;

  /// u8x3 RGB of any size.
  virtual std::unique_ptr<const Frame> prepare(const cv::Mat& rgb) const = 0;

  /// f32x2 [H, W], px, on a's grid. Both frames are of one size.
  virtual cv::Mat between(const Frame& a, const Frame& b) const = 0;

  FlowPair pair(const Frame& a, const Frame& b) const { return {between(a, b), between(b, a)}; }
};

struct FlowChoice {
  std::string flow = "dis";       ///< dis, farneback, deepflow or raft_small
  std::string preset = "medium";  ///< of dis: ultrafast, fast or medium
  std::string weights = {};       ///< of raft_small: .npz
  int iterations = 12;            ///< of raft_small
};

/// Throws ConfigError where raft_small has no (usable) weights.
std::unique_ptr<DenseFlow> make_flow(const FlowChoice& choice);

}  // namespace momap
