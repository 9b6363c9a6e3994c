// SPDX-License-Identifier: Apache-2.0
// Needs a library that is not on the search path.
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

extern "C" int vanishing();
extern "C" __attribute__((visibility("default"))) int use_it() { return vanishing(); }
MOMAP_PLUGIN(Tiny, "annotation/broken_dependency", 1, "Lacks a library.");
