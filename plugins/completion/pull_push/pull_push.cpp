// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>
#include <tbb/parallel_for.h>

#include <algorithm>

#include "../evidence.h"
#include "pyramid.h"

namespace {

class PullPush final : public momap::Completer {
 public:
  struct Params {
    int background_preference = 4;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("background_preference", &Params::background_preference,
                "Power of depth by which far colours outweigh near ones in a hole; 0 = all alike.")
              .between(0, 8),
      };
    }
  };

  explicit PullPush(Params params) : params_(params) {}

  momap::Clip complete(const momap::PartialClip& partial, const momap::Context& context) override {
    constexpr const char* kOwner = "completion/pull_push";
    momap::completion::check_shapes(partial, kOwner);
    const std::vector<int64_t> evidence = momap::completion::evidence_frames(partial, kOwner);

    momap::Clip clip;
    clip.frames = partial.frames.contiguous().clone();
    clip.fps = partial.fps;
    clip.covered = partial.covered.contiguous().clone();
    const int64_t frames = clip.length(), height = clip.height(), width = clip.width();
    const int64_t pixels = height * width;
    const at::Tensor depth = partial.depth.contiguous();
    auto* rgb = clip.frames.data_ptr<uint8_t>();
    const auto* covered = clip.covered->data_ptr<bool>();
    const auto* metres = depth.data_ptr<float>();

    tbb::parallel_for(int64_t{0}, frames, [&](int64_t t) {
      context.check_cancelled();
      if (evidence[t] != t) return;
      momap::pull_push::fill(
          {rgb + 3 * pixels * t, covered + pixels * t, metres + pixels * t, height, width},
          params_.background_preference);
    });
    for (int64_t t = 0; t < frames; ++t) {
      if (evidence[t] == t) continue;
      std::copy_n(rgb + 3 * pixels * evidence[t], 3 * pixels, rgb + 3 * pixels * t);
    }
    return clip;
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(PullPush, "completion/pull_push", 1,
             "Fills holes from a pyramid of weighted means that favours what lies behind.");
