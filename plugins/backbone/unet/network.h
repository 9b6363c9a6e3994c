// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <checkpoint.h>

#include <memory>
#include <vector>

namespace unet {

/// Width (channels at full resolution; twice, three, four times that below), levels (resolutions,
/// each half of the one above), residual blocks a level, and how many of the lowest levels attend
/// to themselves and the text.
std::vector<denoiser::ShapeNumber> shape_numbers();

/// A U-Net with self- and text attention at its lowest levels (Ronneberger 2015, Ho 2020).
class Network final : public denoiser::Network {
 public:
  Network(const denoiser::Shape& shape, uint64_t seed);
  ~Network() override;

  at::Tensor forward(const at::Tensor& noisy, const at::Tensor& noise_level,
                     const at::Tensor& spatial, const at::Tensor& tokens) const override;
  const denoiser::NamedTensors& parameters() const override;

 private:
  struct Layers;
  int64_t width_, levels_;
  std::unique_ptr<Layers> layers_;
};

}  // namespace unet
