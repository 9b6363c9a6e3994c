// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <opencv2/core/mat.hpp>
#include <string>
#include <utility>

#include "convolution.h"

namespace momap {

/// RAFT-small (Teed, Deng: "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow", ECCV
/// 2020) for inference.
class RaftSmall {
 public:
  /// Reads an .npz of the published arrays under their names ("fnet.conv1.weight"). Throws
  /// ConfigError that names the array that is missing, has another shape, or is too much.
  explicit RaftSmall(const std::filesystem::path& weights);

  /// What is computed of a picture once, however many flows start or end there; an eighth of its
  /// padded size.
  struct Features {
    FeatureMap matching;         // 128 channels
    FeatureMap hidden, context;  // 96, 64
    cv::Size size;               // of the picture, px
    int left = 0, top = 0;       // padding, px
  };

  /// u8x3 RGB.
  Features features(const cv::Mat& rgb) const;

  /// Flow f32x2 of the size of the pictures, px, after so many iterations.
  cv::Mat flow(const Features& from, const Features& to, int iterations) const;

  /// The same at an eighth of the padded size, in its px.
  cv::Mat coarse_flow(const Features& from, const Features& to, int iterations) const;

 private:
  struct Dense {  // a product over channels (1x1, or patches laid out), with bias
    PackedMatrix matrix;
    std::vector<float> bias;
  };

  void read(const std::filesystem::path& weights);
  at::Tensor encode(const at::Tensor& picture, const std::string& net) const;
  at::Tensor conv(const at::Tensor& x, const std::string& name, int64_t stride = 1) const;
  const at::Tensor& array(const std::string& name) const { return arrays_.at(name); }
  std::vector<float> bias(const std::string& name) const;

  std::map<std::string, at::Tensor> arrays_;
  Dense from_correlation_, from_flow_;
  // Gates z and r together; what only depends on the context is computed once a pair.
  Convolution3x3 gates_, candidate_, gates_of_context_, candidate_of_context_;
  Convolution3x3 flow_features_, motion_, head_, step_;
  std::vector<float> gates_bias_, candidate_bias_, flow_features_bias_, motion_bias_, head_bias_,
      step_bias_;
};

}  // namespace momap
