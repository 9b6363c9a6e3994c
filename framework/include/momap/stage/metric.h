// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/score.h>
#include <momap/stage/inputs.h>
#include <momap/stage/stage.h>

namespace momap {

/// Scores a result against a reference. Declares its ports: `static constexpr const char* kInputs =
/// "result: clip, ..."`. An undefined value is reported with its reason.
class Metric : public Stage {
 public:
  virtual Score score(const Inputs& inputs, const Context& context) = 0;
};

}  // namespace momap
