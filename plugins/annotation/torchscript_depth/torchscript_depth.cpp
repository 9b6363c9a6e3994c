// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>
#include <network/scripted.h>

#include <string>

#include "monocular/frame_depth.h"

namespace {

using momap::param;

class TorchScriptDepth final : public momap::Annotator {
 public:
  struct Params : momap::NetworkFormat {
    std::string model;
    std::string align = "tracks";

    static auto schema() {
      return std::tuple_cat(
          std::tuple{param("model", &Params::model,
                           "The network as torch.jit.save wrote it; forward takes f32 [1, 3, h, w] "
                           "and gives the picture, or a tuple or list whose first entry it is.")
                         .required()
                         .file()},
          momap::NetworkFormat::schema(),
          std::tuple{param("align", &Params::align,
                           "tracks: bring the frames to one scale by corners followed through the "
                           "clip; none: leave each frame as the network gives it.")
                         .one_of({"tracks", "none"})});
    }
  };

  explicit TorchScriptDepth(Params params) : params_(std::move(params)), network_(params_.model) {
    params_.check();
  }

  momap::Clip annotate(const momap::Clip& clip, const momap::Context& context) override {
    const auto network = [this](const at::Tensor& input) {
      return network_.run({input}, "check width, height and multiple");
    };
    return momap::with_depth(clip, params_, network, params_.align, context);
  }

 private:
  Params params_;
  momap::network::Scripted network_;
};

}  // namespace

MOMAP_PLUGIN(TorchScriptDepth, "annotation/torchscript_depth", 1,
             "Depth of single frames by any network exported with torch.jit.save.");
