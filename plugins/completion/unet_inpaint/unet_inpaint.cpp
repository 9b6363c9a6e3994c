// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>

#include <tuple>

#include "inpainter.h"

namespace {

using momap::ConfigError;
using momap::completion::BackgroundParams;
using momap::inpaint::Architecture;
using momap::inpaint::Inpainter;
using momap::inpaint::NamedTensors;

/// The filling of completion/background, repainted by a small network.
class UNetInpaint final : public momap::Completer {
 public:
  struct Params : BackgroundParams {
    std::string weights;
    int width = 32;
    int levels = 4;
    int crop_px = 128;
    int64_t seed = 0;

    static auto schema() {
      using momap::param;
      return std::tuple_cat(
          BackgroundParams::schema(),
          std::tuple{
              param("weights", &Params::weights,
                    "Checkpoint (safetensors) to load, such as "
                    "${share:models/inpaint/model.safetensors}; "
                    "empty: to be trained from `seed`.")
                  .file(),
              param("width", &Params::width,
                    "Channels at half resolution of a network without weights, a multiple of 8; "
                    "twice to `levels` times that below.")
                  .between(8, 256),
              param("levels", &Params::levels,
                    "Resolutions of a network without weights, each half of the one above.")
                  .between(1, 6),
              param("crop_px", &Params::crop_px,
                    "Side of the square around a hole that `momap train` shows.")
                  .unit("px")
                  .between(16, 1024)
                  .runtime_only(),
              param("seed", &Params::seed, "Of the first weights when there is no checkpoint."),
          });
    }
  };

  explicit UNetInpaint(Params params) : params_(std::move(params)) {
    if (params_.width % 8 != 0) {
      throw ConfigError(fmt::format(
          "completion/unet_inpaint: parameter 'width' = {} is not a multiple of 8", params_.width));
    }
    if (!params_.weights.empty()) inpainter_ = momap::inpaint::load_inpainter(params_.weights);
  }

  momap::Clip complete(const momap::PartialClip& partial, const momap::Context& context) override {
    need_weights();
    return momap::completion::complete_with_background(
        partial, "completion/unet_inpaint", params_,
        [&](const momap::completion::Picture& picture) { inpainter_->refine(picture); }, context);
  }

  NamedTensors parameters() const override {
    return inpainter_ ? inpainter_->parameters() : NamedTensors{};
  }

  void begin_training() override {
    if (inpainter_) return;
    inpainter_ = std::make_unique<Inpainter>(Architecture{params_.width, params_.levels},
                                             static_cast<uint64_t>(params_.seed));
  }

  at::Tensor loss(const momap::PartialClip& partial, const momap::Clip& truth,
                  uint64_t seed) const override {
    need_weights();
    return momap::inpaint::painting_loss(*inpainter_, partial, truth, params_.crop_px,
                                         params_.rounds, seed);
  }

  void save(const std::filesystem::path& path, const NamedTensors& parameters,
            const std::string& card) const override {
    need_weights();
    momap::inpaint::save_inpainter(path, inpainter_->architecture(), parameters, card);
  }

 private:
  void need_weights() const {
    if (inpainter_) return;
    throw ConfigError(
        "completion/unet_inpaint: parameter 'weights' is empty, so there is nothing to paint with; "
        "name a checkpoint (`momap train` writes one)");
  }

  Params params_;
  std::unique_ptr<Inpainter> inpainter_;
};

}  // namespace

MOMAP_PLUGIN(UNetInpaint, "completion/unet_inpaint", 1,
             "Repaints with a small network what completion/background filled.");
