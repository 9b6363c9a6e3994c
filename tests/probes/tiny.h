// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/plugin/plugin.h>

namespace {

/// The smallest plugin there is; the broken libraries hold it to show what else is wrong with them.
class Tiny final : public momap::Annotator {
 public:
  struct Params {
    static auto schema() { return std::tuple{}; }
  };
  explicit Tiny(Params) {}
  momap::Clip annotate(const momap::Clip& clip, const momap::Context&) override { return clip; }
};

}  // namespace
