// SPDX-License-Identifier: Apache-2.0
// Calls what nobody defines.
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

namespace momap {
int nobody_defines_this();
}

extern "C" __attribute__((visibility("default"))) int use_it() {
  return momap::nobody_defines_this();
}
MOMAP_PLUGIN(Tiny, "annotation/broken_symbol", 1, "Lacks a symbol.");
