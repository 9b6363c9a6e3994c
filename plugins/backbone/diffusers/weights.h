// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace diffusers {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// The tensors of a network, handed out by name to the layers as they are built. What is wrong with
/// them is gathered and thrown at once.
class Weights {
 public:
  /// Stored tensors of any real type; handed out as copies of `type`.
  Weights(std::map<std::string, at::Tensor> stored, at::ScalarType type)
      : stored_(std::move(stored)), type_(type) {}

  /// Holds nothing and hands out undefined tensors: building a network with it finds the names and
  /// shapes it asks for, without memory for them.
  static Weights shapes_only() { return {}; }

  /// The tensor of this name. Undefined when it is missing or misshapen, which `check` then says.
  /// Attention layers are also found under the names of older releases (query, key, value,
  /// proj_attn).
  at::Tensor take(const std::string& name, const std::vector<int64_t>& shape);

  /// Leaves a stored tensor that the network has no use for without a complaint.
  void ignore(const std::string& name) { stored_.erase(name); }

  /// Throws ConfigError with everything that is missing, misshapen, not finite or left over, once
  /// all layers are built. `file` stands in front.
  void check(const std::string& file) const;

  /// What was handed out, in the order of the layers.
  const NamedTensors& taken() const { return taken_; }

  /// The shapes asked for, in the order of the layers.
  const std::vector<std::pair<std::string, std::vector<int64_t>>>& shapes() const {
    return shapes_;
  }

 private:
  Weights() = default;

  std::map<std::string, at::Tensor> stored_;
  at::ScalarType type_ = at::ScalarType::Undefined;
  NamedTensors taken_;
  std::vector<std::pair<std::string, std::vector<int64_t>>> shapes_;
  std::vector<std::string> wrong_;
};

}  // namespace diffusers
