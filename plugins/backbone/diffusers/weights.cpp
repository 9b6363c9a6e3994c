// SPDX-License-Identifier: Apache-2.0
#include "weights.h"

#include <ATen/ops/isfinite.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/base/error.h>
#include <momap/base/text.h>

#include <array>

namespace diffusers {
namespace {

constexpr size_t kMostListed = 50;

// The name an older release gave to the same tensor, or "".
std::string legacy_name(const std::string& name) {
  constexpr std::array<std::pair<const char*, const char*>, 4> kRenamed{
      {{".to_q.", ".query."},
       {".to_k.", ".key."},
       {".to_v.", ".value."},
       {".to_out.0.", ".proj_attn."}}};
  for (const auto& [now, then] : kRenamed) {
    if (const size_t at = name.find(now); at != std::string::npos) {
      return std::string(name).replace(at, std::string_view(now).size(), then);
    }
  }
  return "";
}

}  // namespace

at::Tensor Weights::take(const std::string& name, const std::vector<int64_t>& shape) {
  shapes_.emplace_back(name, shape);
  if (type_ == at::ScalarType::Undefined) return {};
  auto found = stored_.find(name);
  if (found == stored_.end()) found = stored_.find(legacy_name(name));
  if (found == stored_.end()) {
    wrong_.push_back(fmt::format("tensor '{}' [{}] is missing", name, fmt::join(shape, ", ")));
    return {};
  }
  const at::Tensor stored = found->second;
  stored_.erase(found);
  if (!stored.is_floating_point() || stored.sizes() != at::IntArrayRef(shape)) {
    wrong_.push_back(fmt::format("tensor '{}' is {} [{}]; expected real [{}]", name,
                                 c10::toString(stored.scalar_type()),
                                 fmt::join(stored.sizes().vec(), ", "), fmt::join(shape, ", ")));
    return {};
  }
  if (!at::isfinite(stored).all().item<bool>()) {
    wrong_.push_back(fmt::format("tensor '{}' has values that are not finite", name));
    return {};
  }
  taken_.emplace_back(name, stored.to(type_, /*non_blocking=*/false, /*copy=*/true));
  return taken_.back().second;
}

void Weights::check(const std::string& file) const {
  std::vector<std::string> wrong = wrong_;
  for (const auto& [name, tensor] : stored_) {
    wrong.push_back(fmt::format("tensor '{}' [{}] is not part of this network",
                                momap::printable(name), fmt::join(tensor.sizes().vec(), ", ")));
  }
  if (wrong.empty()) return;
  if (wrong.size() > kMostListed) {
    const size_t more = wrong.size() - kMostListed;
    wrong.resize(kMostListed);
    wrong.push_back(fmt::format("and {} more", more));
  }
  throw momap::ConfigError(fmt::format(
      "{}: does not hold the network that its config.json describes:\n  {}\n  do config.json and "
      "weights belong together?",
      file, momap::join(wrong, "\n  ")));
}

}  // namespace diffusers
