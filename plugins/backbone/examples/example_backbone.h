// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/stage/backbone.h>
#include <momap/store/example_file.h>

#include <filesystem>
#include <functional>
#include <string>

/// A backbone that knows the examples of a training run and predicts clean latents (x_0), on the
/// cosine schedule. All examples must be of one encoding, channels and stride.
class ExampleBackbone : public momap::Backbone {
 public:
  momap::BackboneSpec spec() const override { return spec_; }

 protected:
  /// Shows every example of the folder to `see`, in the order of their names, and takes the spec
  /// from them. `owner` begins messages. Throws ConfigError.
  void read(const std::string& owner, const std::filesystem::path& folder,
            const std::function<void(const momap::ExampleFile&)>& see);

  /// Throws DataError unless noisy is f32 [B, C, h, w] and `spatial` [B, C', h, w].
  void check(const at::Tensor& noisy, const at::Tensor& spatial) const;

  /// Height and width in cells of the latent for a condition.
  std::pair<int64_t, int64_t> cells(const momap::Condition& condition) const;

 private:
  std::string owner_;
  momap::BackboneSpec spec_;
};
