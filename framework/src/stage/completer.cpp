// SPDX-License-Identifier: Apache-2.0
#include <momap/base/error.h>
#include <momap/stage/completer.h>

namespace momap {
namespace {

[[noreturn]] void refuse() {
  throw ConfigError(
      "this completer has nothing to learn; name one that has, for example "
      "completion/unet_inpaint");
}

}  // namespace

at::Tensor Completer::loss(const PartialClip&, const Clip&, uint64_t) const { refuse(); }

void Completer::save(const std::filesystem::path&,
                     const std::vector<std::pair<std::string, at::Tensor>>&,
                     const std::string&) const {
  refuse();
}

}  // namespace momap
