// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace denoiser {

/// A number that decides names and shapes of a network's parameters: a parameter of the plugin, and
/// `architecture.<name>` in its checkpoints.
struct ShapeNumber {
  std::string name;
  int64_t lowest, highest;
  int64_t fresh;                    ///< of a network without weights, where it is not given
  std::optional<int64_t> before{};  ///< what checkpoints from before it was added mean
  int64_t multiple = 1;             ///< it must be one of this
};

/// The numbers of one network, by name; and `channels`, those of the latent.
using Shape = std::map<std::string, int64_t>;

/// How many pixels finer than the latent the scene is seen, along each side; how many words count,
/// how wide their embeddings are, and how many layers of attention go between them.
std::vector<ShapeNumber> condition_numbers();

/// Those that a user set; 0 is what is not.
Shape given(const Shape& values);

/// What is wrong with a number, or "".
std::string fault_of(const ShapeNumber& number, int64_t value);

/// What of `condition_numbers` does not go together, or "".
std::string fault_of(const Shape& shape);

}  // namespace denoiser
