// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include "../frame_by_frame.h"
#include "../pyramid/pyramid.h"

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
    const at::Tensor depth = partial.depth.contiguous().clone();  // filled along with the colours
    const int64_t height = partial.frames.size(1), width = partial.frames.size(2);
    return momap::completion::complete_frames(
        partial, "completion/pull_push", context,
        [&](int64_t t, uint8_t* rgb, const bool* covered) {
          float* metres = depth.data_ptr<float>() + height * width * t;
          momap::completion::fill({rgb, covered, metres, height, width},
                                  params_.background_preference);
        });
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(PullPush, "completion/pull_push", 2,
             "Fills holes from a pyramid of weighted means that favours what lies behind.");
