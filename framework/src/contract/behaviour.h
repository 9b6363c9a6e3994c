// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/catalog.h>
#include <momap/data/tensor_file.h>
#include <momap/stage/stage.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "probe.h"

// What the plugins of each stage promise.

namespace momap::contract {

/// A promise that does not hold.
class Broken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Something that cannot be asked of this plugin, and why.
class NotAsked : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One call of a plugin on a probe: checks the promises of its stage and returns the result as
/// bytes to compare. Throws Broken or NotAsked; what the plugin throws passes through.
using Act = std::function<TensorFile(Stage&, const Probe&, const Context&)>;
Act act_of(const PluginInfo& plugin);

/// A further promise of the stage, kept or Broken.
struct Promise {
  std::string check;
  std::function<void(Stage&, const Context&)> keep;
};
using MakeStage = std::function<std::shared_ptr<Stage>(const ParamValues&)>;
std::vector<Promise> promises_of(const PluginInfo& plugin, const MakeStage& make);

/// Where two results differ, in words.
std::optional<std::string> difference(const TensorFile& a, const TensorFile& b);

}  // namespace momap::contract
