// SPDX-License-Identifier: Apache-2.0
// An id whose stage does not exist.
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

MOMAP_PLUGIN(Tiny, "anotation/broken_stage", 1, "Misspelt stage.");
