// SPDX-License-Identifier: Apache-2.0
#include <momap/base/error.h>
#include <momap/stage/encoding.h>

namespace momap {
namespace {

[[noreturn]] void refuse() {
  throw ConfigError(
      "this encoding has nothing to learn; name one that has, for example encoding/svd or "
      "encoding/vae");
}

}  // namespace

at::Tensor Encoding::motion(const at::Tensor&, const LatentSpec&) const {
  throw ConfigError(
      "this encoding has no gradients for losses on decoded motion; set 'decoded_l1' and "
      "'perceptual' to 0, or name another encoding, for example encoding/dct");
}

std::vector<at::Tensor> Encoding::features(const at::Tensor&) const { return {}; }

void Encoding::measure(const MoMap&) { refuse(); }

void Encoding::begin_training() { refuse(); }

at::Tensor Encoding::loss(const MoMap&, const Condition&, uint64_t) const { refuse(); }

void Encoding::save(const std::filesystem::path&,
                    const std::vector<std::pair<std::string, at::Tensor>>&,
                    const std::string&) const {
  refuse();
}

}  // namespace momap
