// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <unordered_map>

namespace momap {

/// METER (Papa, Russo, Amerini: "METER: a mobile vision transformer architecture for monocular
/// depth estimation", 2023), for inference: a MobileViT encoder and a small convolutional decoder.
/// The sizes xxs, xs and s are told apart by the weights.
class MeterNetwork {
 public:
  /// Reads an .npz of the published model's arrays under their names ("encoder.conv1.0...").
  /// Throws ConfigError that names the array that is missing, has another shape, or is too much.
  explicit MeterNetwork(const std::filesystem::path& weights);

  /// f32 [B, 3, h, w], sides multiples of 64 -> features [B, C, h/32, w/32] of the encoder.
  at::Tensor encode(const at::Tensor& input) const;

  /// f32 [B, 3, h, w] -> depth f32 [B, 1, h/4, w/4], in the units it was trained for.
  at::Tensor operator()(const at::Tensor& input) const;

 private:
  struct Skips;
  at::Tensor encode(const at::Tensor& input, Skips& skips) const;
  at::Tensor separable(const at::Tensor& x, const std::string& name, int64_t stride) const;
  at::Tensor inverted_residual(const at::Tensor& x, const std::string& name, int64_t stride) const;
  at::Tensor mobile_vit(const at::Tensor& x, const std::string& name) const;
  at::Tensor transformer(const at::Tensor& x, const std::string& name) const;
  at::Tensor up(const at::Tensor& x, const at::Tensor& skip, const std::string& name) const;
  at::Tensor conv(const at::Tensor& x, const std::string& name, int64_t stride = 1,
                  int64_t padding = 0, int64_t groups = 1) const;
  const at::Tensor& array(const std::string& name) const;

  void fold_batch_norm(const std::string& convolution, const std::string& norm);

  std::unordered_map<std::string, at::Tensor> arrays_;  // batch normalisation is folded in
  std::set<std::string>* asked_ = nullptr;              // names looked up, while they are checked
};

}  // namespace momap
