// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/npz.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace momap::lpips {

/// The convolutional part of SqueezeNet (Iandola et al. 2016), from a .npz of its weights: version
/// 1.1 with torchvision's names ("features.3.squeeze.weight"), or 1.0 with those of the published
/// Caffe model ("fire2/conv1x1_1.weight"). Which one is told by the names.
class SqueezeNet {
 public:
  /// Throws ConfigError naming file and array when weights are missing or of the wrong shape.
  explicit SqueezeNet(const std::filesystem::path& file);

  /// "squeezenet1_1" or "squeezenet1_0".
  const char* name() const { return caffe_ ? "squeezenet1_0" : "squeezenet1_1"; }

  /// Channels of each of the features.
  const std::vector<int64_t>& channels() const { return channels_; }

  /// Features f32 [1, C, h, w] of a picture u8 [H, W, 3] of at least `kSmallest` px a side, after
  /// the layers that are compared.
  std::vector<at::Tensor> features(const at::Tensor& rgb) const;

  static constexpr int64_t kSmallest = 35;

 private:
  struct Layer {
    enum class Kind { convolution, pool, fire };

    Kind kind = Kind::pool;
    std::vector<std::string> arrays = {};  // names without ".weight" and ".bias"
    bool compared = false;
  };

  static std::vector<Layer> layers_of_1_1();
  static std::vector<Layer> layers_of_1_0();

  // Reads the convolution `array` with this kernel size and number of inputs; returns its outputs.
  int64_t read(NpzFile& npz, const std::string& array, int64_t inputs, int64_t kernel);
  at::Tensor convolved(const at::Tensor& x, const std::string& array, int64_t stride,
                       int64_t padding) const;
  at::Tensor normalized(const at::Tensor& rgb) const;

  std::string file_;
  bool caffe_ = false;
  std::vector<Layer> layers_;
  std::vector<int64_t> channels_;
  std::map<std::string, at::Tensor> weights_;
};

}  // namespace momap::lpips
