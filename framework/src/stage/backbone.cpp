// SPDX-License-Identifier: Apache-2.0
#include <momap/base/error.h>
#include <momap/stage/backbone.h>

namespace momap {

void Backbone::begin_training(const LatentSpec&, int64_t, const at::Tensor&) {
  throw ConfigError(
      "this backbone has nothing to train; name one that has, for example backbone/unet");
}

void Backbone::save(const std::filesystem::path&,
                    const std::vector<std::pair<std::string, at::Tensor>>&,
                    const std::string&) const {
  throw ConfigError(
      "this backbone has nothing to save; name one that has, for example backbone/unet");
}

}  // namespace momap
