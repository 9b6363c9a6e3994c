// SPDX-License-Identifier: Apache-2.0
#include "dense_flow.h"

#include <momap/base/error.h>
#include <momap/stage/torch_threads.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <opencv2/optflow.hpp>
#include <opencv2/video/tracking.hpp>
#include <utility>

#include "raft_small.h"

namespace momap {
namespace {

// DIS refuses images smaller than its patches.
constexpr int kLeastSide = 32;

/// The flows of OpenCV, between grey images. An object of its own for each call: they keep buffers
/// and are not thread-safe.
class OpenCvFlow final : public DenseFlow {
 public:
  explicit OpenCvFlow(FlowChoice choice) : choice_(std::move(choice)) {}

  std::unique_ptr<const Frame> prepare(const cv::Mat& rgb) const override {
    auto frame = std::make_unique<Grey>();
    cv::Mat grey;
    cv::cvtColor(rgb, grey, cv::COLOR_RGB2GRAY);
    frame->size = rgb.size();
    cv::copyMakeBorder(grey, frame->padded, 0, std::max(0, kLeastSide - rgb.rows), 0,
                       std::max(0, kLeastSide - rgb.cols), cv::BORDER_REPLICATE);
    return frame;
  }

  cv::Mat between(const Frame& a, const Frame& b) const override {
    const auto& from = static_cast<const Grey&>(a);
    cv::Mat flow;
    make()->calc(from.padded, static_cast<const Grey&>(b).padded, flow);
    return from.size == flow.size() ? flow : flow(cv::Rect({0, 0}, from.size)).clone();
  }

 private:
  struct Grey final : Frame {
    cv::Mat padded;
    cv::Size size;
  };

  cv::Ptr<cv::DenseOpticalFlow> make() const {
    if (choice_.flow == "farneback") return cv::FarnebackOpticalFlow::create();
    if (choice_.flow == "deepflow") return cv::optflow::createOptFlow_DeepFlow();
    return cv::DISOpticalFlow::create(
        choice_.preset == "ultrafast" ? cv::DISOpticalFlow::PRESET_ULTRAFAST
        : choice_.preset == "fast"    ? cv::DISOpticalFlow::PRESET_FAST
                                      : cv::DISOpticalFlow::PRESET_MEDIUM);
  }

  FlowChoice choice_;
};

class RaftFlow final : public DenseFlow {
 public:
  explicit RaftFlow(const FlowChoice& choice)
      : network_(choice.weights), iterations_(choice.iterations) {}

  std::unique_ptr<const Frame> prepare(const cv::Mat& rgb) const override {
    keep_torch_on_this_thread();
    auto frame = std::make_unique<Seen>();
    frame->features = network_.features(rgb);
    return frame;
  }

  cv::Mat between(const Frame& a, const Frame& b) const override {
    return network_.flow(static_cast<const Seen&>(a).features, static_cast<const Seen&>(b).features,
                         iterations_);
  }

 private:
  struct Seen final : Frame {
    RaftSmall::Features features;
  };

  RaftSmall network_;
  int iterations_;
};

}  // namespace

std::unique_ptr<DenseFlow> make_flow(const FlowChoice& choice) {
  if (choice.flow != "raft_small") return std::make_unique<OpenCvFlow>(choice);
  if (choice.weights.empty()) {
    throw ConfigError(
        "flow = raft_small needs weights: an .npz of the published arrays of RAFT-small");
  }
  return std::make_unique<RaftFlow>(choice);
}

}  // namespace momap
