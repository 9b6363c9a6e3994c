// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/plugin/plugin.h>
#include <momap/stage/torch_threads.h>
#include <network/scripted.h>
#include <plate/complete.h>

#include <string>
#include <tuple>

namespace {

using momap::ConfigError;
using momap::completion::BackgroundParams;
using momap::completion::Picture;

/// Any inpainting network. Where the view stands still it paints one plate for the whole clip, so
/// that what it paints does not flicker.
class TorchScriptInpaint final : public momap::Completer {
 public:
  struct Params : BackgroundParams {
    std::string model;
    std::string inputs = "image_and_mask";
    std::string range = "0..1";
    std::string holes = "black";
    bool mask_is_known = false;
    int multiple = 8;

    static auto schema() {
      using momap::param;
      return std::tuple_cat(
          std::tuple{
              param("model", &Params::model,
                    "The network as torch.jit.save wrote it; it gives f32 [1, 3, h, w], RGB in "
                    "the range of its input, or a tuple or list whose first entry that is.")
                  .required()
                  .file(),
              param("inputs", &Params::inputs,
                    "What forward takes: image f32 [1, 3, h, w] and mask f32 [1, 1, h, w] as two "
                    "arguments, or both in one as [1, 4, h, w], in the order named.")
                  .one_of({"image_and_mask", "image_mask_stacked", "mask_image_stacked"}),
              param("range", &Params::range, "Of the colours.").one_of({"0..1", "-1..1", "0..255"}),
              param("holes", &Params::holes,
                    "What the image shows in them: the lowest value, the middle, or the rough "
                    "filling of completion/background.")
                  .one_of({"black", "grey", "background"}),
              param("mask_is_known", &Params::mask_is_known,
                    "The mask is 1 where the image is known; otherwise where it is a hole."),
              param("multiple", &Params::multiple,
                    "The image's sides are rounded up to a multiple of this, its rim repeated.")
                  .unit("px")
                  .between(1, 512),
          },
          BackgroundParams::schema());
    }
  };

  explicit TorchScriptInpaint(Params params)
      : params_(std::move(params)), network_(params_.model) {}

  momap::Clip complete(const momap::PartialClip& partial, const momap::Context& context) override {
    return momap::completion::complete_with_background(
        partial, "completion/torchscript_inpaint", params_,
        [&](const Picture& picture) { repaint(picture); }, context);
  }

 private:
  // value = low + (high - low) * level / 255
  std::pair<double, double> range() const {
    return params_.range == "0..1"    ? std::pair{0.0, 1.0}
           : params_.range == "-1..1" ? std::pair{-1.0, 1.0}
                                      : std::pair{0.0, 255.0};
  }

  at::Tensor padded(const at::Tensor& map) const {
    const auto missing = [&](int64_t size) {
      return (params_.multiple - size % params_.multiple) % params_.multiple;
    };
    return at::replication_pad2d(map, {0, missing(map.size(3)), 0, missing(map.size(2))});
  }

  void repaint(const Picture& picture) const {
    momap::keep_torch_on_this_thread();
    const at::NoGradGuard no_grad;
    const int64_t height = picture.height, width = picture.width;
    const at::Tensor rgb = at::from_blob(picture.rgb, {height, width, 3}, at::kByte);
    const at::Tensor hole =
        at::from_blob(const_cast<uint8_t*>(picture.hole), {1, 1, height, width}, at::kByte)
            .to(at::kBool);
    if (!hole.any().item<bool>()) return;
    const auto [low, high] = range();
    at::Tensor image =
        rgb.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat).mul((high - low) / 255).add(low);
    if (params_.holes != "background") {
      image = image.masked_fill(hole, params_.holes == "black" ? low : 0.5 * (low + high));
    }
    const at::Tensor mask =
        (params_.mask_is_known ? hole.logical_not() : hole).to(at::kFloat).contiguous();
    std::vector<at::Tensor> inputs{padded(image.contiguous()), padded(mask)};
    if (params_.inputs == "image_mask_stacked") inputs = {at::cat({inputs[0], inputs[1]}, 1)};
    if (params_.inputs == "mask_image_stacked") inputs = {at::cat({inputs[1], inputs[0]}, 1)};
    const at::IntArrayRef sides = inputs[0].sizes().slice(2);
    const at::Tensor painted = network_.run(inputs, "check inputs and multiple");
    if (painted.sizes() != at::IntArrayRef({1, 3, sides[0], sides[1]})) {
      throw ConfigError(
          fmt::format("model = {}: gives {}; expected f32 [1, 3, {}, {}] as the image it was shown",
                      params_.model, painted.sizes().vec(), sides[0], sides[1]));
    }
    const at::Tensor levels = painted.narrow(2, 0, height)
                                  .narrow(3, 0, width)
                                  .to(at::kFloat)
                                  .sub(low)
                                  .mul(255 / (high - low));
    if (!at::isfinite(levels).all().item<bool>()) {
      throw momap::DataError(
          fmt::format("model = {}: gives values that are not finite; check range = {} and the "
                      "weights",
                      params_.model, params_.range));
    }
    const at::Tensor bytes = levels.round().clamp(0, 255).to(at::kByte)[0].permute({1, 2, 0});
    rgb.copy_(at::where(hole[0].permute({1, 2, 0}), bytes, rgb));
  }

  Params params_;
  momap::network::Scripted network_;
};

}  // namespace

MOMAP_PLUGIN(TorchScriptInpaint, "completion/torchscript_inpaint", 1,
             "Repaints holes with any network exported with torch.jit.save.");
