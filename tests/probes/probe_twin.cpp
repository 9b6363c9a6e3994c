// SPDX-License-Identifier: Apache-2.0
// The same id as a plugin of probes.cpp.
#include <momap/plugin/plugin.h>

namespace {

class Tiny final : public momap::Annotator {
 public:
  struct Params {
    static auto schema() { return std::tuple{}; }
  };
  explicit Tiny(Params) {}
  momap::Clip annotate(const momap::Clip& clip, const momap::Context&) override { return clip; }
};

}  // namespace

MOMAP_PLUGIN(Tiny, "annotation/probe_pass", 1, "A twin.");
