// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/grad_mode.h>
#include <momap/plugin/plugin.h>

#include <string>

#include "monocular/frame_depth.h"
#include "network.h"

namespace {

using momap::param;

class Meter final : public momap::Annotator {
 public:
  struct Params {
    std::string weights;
    int64_t width = 256, height = 192;
    double scale = 0.01;
    std::string align = "tracks";

    static auto schema() {
      return std::tuple{
          param("weights", &Params::weights,
                "Weights of a METER model as .npz (size s, xs or xxs, trained on indoor or street "
                "scenes).")
              .required()
              .file(),
          param("width", &Params::width,
                "Width of the picture the network sees: 256 for indoor weights, 640 for KITTI's.")
              .unit("px, a multiple of 64")
              .between(64, 4096),
          param("height", &Params::height, "Height of it: 192.")
              .unit("px, a multiple of 64")
              .between(64, 4096),
          param("scale", &Params::scale,
                "Metres per unit of output: 0.01 for indoor weights, which give centimetres. On "
                "another camera than the training's the scale is off by up to a factor of 2.")
              .unit("m")
              .above(0),
          param("align", &Params::align,
                "tracks: bring the frames to one scale by corners followed through the clip; none: "
                "leave each frame as the network gives it.")
              .one_of({"tracks", "none"}),
      };
    }
  };

  explicit Meter(Params params) : params_(std::move(params)), network_(params_.weights) {
    for (const auto& [name, size] :
         {std::pair{"width", params_.width}, {"height", params_.height}}) {
      if (size % 64 != 0) {
        throw momap::ConfigError(std::string(name) + " = " + std::to_string(size) +
                                 " is not allowed; expected a multiple of 64");
      }
    }
    format_.width = params_.width;
    format_.height = params_.height;
    format_.scale = params_.scale;
  }

  momap::Clip annotate(const momap::Clip& clip, const momap::Context& context) override {
    const auto network = [this](const at::Tensor& input) {
      const at::NoGradGuard no_grad;
      return network_(input);
    };
    return momap::with_depth(clip, format_, network, params_.align, context);
  }

 private:
  Params params_;
  momap::MeterNetwork network_;
  momap::NetworkFormat format_;
};

}  // namespace

MOMAP_PLUGIN(Meter, "annotation/meter", 1,
             "Depth of single frames by METER, a small network whose published weights the user "
             "brings (Papa, Russo, Amerini 2023).");
