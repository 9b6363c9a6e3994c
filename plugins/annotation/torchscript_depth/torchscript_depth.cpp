// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <string>

#include "monocular/frame_depth.h"

namespace {

using momap::ConfigError;
using momap::param;

// What LibTorch says first; the rest is its own stack.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

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

  explicit TorchScriptDepth(Params params) : params_(std::move(params)) {
    params_.check();
    const std::filesystem::path path(params_.model);
    momap::check_exists(path, "model = " + momap::shown(path));
    try {
      module_ = torch::jit::load(params_.model, at::kCPU);
      module_.eval();
    } catch (const std::exception& e) {
      throw ConfigError(fmt::format(
          "model = {}: cannot be read as TorchScript: {}; expected a file of torch.jit.save",
          momap::shown(path), first_line(e.what())));
    }
  }

  momap::Clip annotate(const momap::Clip& clip, const momap::Context& context) override {
    const auto network = [this](const at::Tensor& input) { return run(input); };
    return momap::with_depth(clip, params_, network, params_.align, context);
  }

 private:
  at::Tensor run(const at::Tensor& input) const {
    const at::NoGradGuard no_grad;
    at::IValue output;
    try {
      torch::jit::Module module = module_;  // a handle: forward is not const
      output = module.forward({input});
    } catch (const std::exception& e) {
      throw ConfigError(
          fmt::format("model = {}: fails on f32 {}: {}; check width, height and multiple",
                      params_.model, input.sizes(), first_line(e.what())));
    }
    if (output.isTuple() && !output.toTupleRef().elements().empty()) {
      output = output.toTupleRef().elements()[0];
    } else if (output.isTensorList() && !output.toTensorList().empty()) {
      output = output.toTensorList().get(0);
    }
    if (!output.isTensor()) {
      throw ConfigError(fmt::format(
          "model = {}: gives {}; expected a tensor, or a tuple or list that begins with one",
          params_.model, output.tagKind()));
    }
    return output.toTensor();
  }

  Params params_;
  torch::jit::Module module_;
};

}  // namespace

MOMAP_PLUGIN(TorchScriptDepth, "annotation/torchscript_depth", 1,
             "Depth of single frames by any network exported with torch.jit.save.");
