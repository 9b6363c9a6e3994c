// SPDX-License-Identifier: Apache-2.0
// Crashes while it is being loaded.
#include <momap/plugin/plugin.h>

#include <csignal>

namespace {

class Tiny final : public momap::Annotator {
 public:
  struct Params {
    static auto schema() { return std::tuple{}; }
  };
  explicit Tiny(Params) {}
  momap::Clip annotate(const momap::Clip& clip, const momap::Context&) override { return clip; }
};

[[maybe_unused]] const int crash = std::raise(SIGSEGV);

}  // namespace

MOMAP_PLUGIN(Tiny, "annotation/broken_constructor", 1, "Crashes.");
