// SPDX-License-Identifier: Apache-2.0
// Ends the process while it is being loaded.
#include <momap/plugin/plugin.h>

#include <cstdlib>

namespace {

class Tiny final : public momap::Annotator {
 public:
  struct Params {
    static auto schema() { return std::tuple{}; }
  };
  explicit Tiny(Params) {}
  momap::Clip annotate(const momap::Clip& clip, const momap::Context&) override { return clip; }
};

[[maybe_unused]] const int gone = (std::_Exit(0), 0);

}  // namespace

MOMAP_PLUGIN(Tiny, "annotation/broken_exit", 1, "Exits.");
