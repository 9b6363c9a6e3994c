// SPDX-License-Identifier: Apache-2.0
#include "example_backbone.h"

#include <ATen/ops/ones.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>

void ExampleBackbone::read(const std::string& owner, const std::filesystem::path& folder,
                           const std::function<void(const momap::ExampleFile&)>& see) {
  owner_ = owner;
  if (folder.empty()) {
    throw momap::ConfigError(owner +
                             ": parameter 'examples' is empty; name the 'examples' folder of a "
                             "`momap train` run");
  }
  for (const auto& path : momap::example_files(folder)) {
    const momap::ExampleFile example = momap::read_example(path);
    const int64_t channels = example.latents.size(1);
    momap::LatentSpec latent = example.spec;
    latent.height = latent.width = 0;
    if (spec_.channels == 0) {
      spec_ = {momap::Prediction::x0, channels, latent, example.stride, at::ones({channels})};
    }
    if (channels != spec_.channels || latent != spec_.latent || example.stride != spec_.stride) {
      throw momap::ConfigError(fmt::format(
          "{}: {} holds {} channels of {} ('{}', {} frames, stride {}), the examples before it {} "
          "of {} ('{}', {} frames, stride {}); use the examples of one recipe",
          owner, momap::shown(path), channels, latent.encoding, latent.normalization, latent.frames,
          example.stride, spec_.channels, spec_.latent.encoding, spec_.latent.normalization,
          spec_.latent.frames, spec_.stride));
    }
    see(example);
  }
}

void ExampleBackbone::check(const at::Tensor& noisy, const at::Tensor& spatial) const {
  if (noisy.dim() == 4 && noisy.size(1) == spec_.channels && spatial.dim() == 4 &&
      spatial.sizes().slice(2) == noisy.sizes().slice(2) && spatial.size(0) == noisy.size(0))
    return;
  throw momap::DataError(fmt::format(
      "{}: the latent has shape [{}] and the condition [{}], expected [B, {}, h, w] and "
      "[B, C', h, w]",
      owner_, fmt::join(noisy.sizes(), ", "), fmt::join(spatial.sizes(), ", "), spec_.channels));
}

std::pair<int64_t, int64_t> ExampleBackbone::cells(const momap::Condition& condition) const {
  const auto in_cells = [&](int64_t pixels) { return (pixels + spec_.stride - 1) / spec_.stride; };
  return {in_cells(condition.image.size(0)), in_cells(condition.image.size(1))};
}
