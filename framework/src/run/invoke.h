// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/datum.h>
#include <momap/graph/graph.h>
#include <momap/stage/backbone.h>
#include <momap/stage/stage.h>

#include <filesystem>
#include <memory>
#include <vector>

namespace momap {

/// What one step is given for one sample.
struct Call {
  const Step* step = nullptr;
  Stage* object = nullptr;  ///< of the step's stage
  int64_t sample_index = 0;
  std::vector<std::vector<const Data*>> in;  ///< per port, per producer; a backbone port is empty
  const Backbone* backbone = nullptr;
  std::filesystem::path stem;  ///< for outputs: file to write, without extension
};

struct CallResult {
  Data data;
  std::vector<std::filesystem::path> files;  ///< written by an output step
};

/// Runs one step on one sample. Where inputs hold K values (K futures) the plugin is called K
/// times, except through ports declared with `*`. Throws DataError when inputs hold different
/// numbers of values.
CallResult invoke(const Call& call, const Context& context);

}  // namespace momap
