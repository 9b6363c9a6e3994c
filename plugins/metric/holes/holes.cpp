// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/plugin/plugin.h>

#include <optional>

#include "../values.h"

namespace {

/// The mask of what warping showed, dense; none when the value does not carry one.
std::optional<at::Tensor> covered(const momap::Inputs& inputs, const char* port) {
  std::optional<at::Tensor> mask;
  if (const auto* partial = inputs.get<momap::PartialClip>(port)) {
    mask = partial->covered;
  } else {
    mask = inputs.get<momap::Clip>(port)->covered;
  }
  if (!mask) return mask;
  if (mask->scalar_type() != at::kBool || mask->dim() != 3) {
    throw momap::DataError(
        fmt::format("metric/holes: 'covered' of the {} is {} {}; expected bool [T, H, W]", port,
                    at::toString(mask->scalar_type()), mask->sizes().vec()));
  }
  return mask->contiguous();
}

/// Whether the holes of a warped clip are where they must be: its covered mask against the true one
/// (what warping by the true motion covers), over the frames after frame 0. F1 is of the holes'
/// complement, so a warp that covers nothing scores 0.
class Holes final : public momap::Metric {
 public:
  static constexpr const char* kInputs =
      "result: partial_clip | clip, reference: partial_clip | clip";

  struct Params {
    static auto schema() { return std::tuple{}; }
  };

  explicit Holes(Params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context&) override {
    const auto result = covered(inputs, "result"), reference = covered(inputs, "reference");
    std::string undefined;
    if (!result) undefined = "the result has no 'covered' mask";
    if (!reference) undefined = "the reference has no 'covered' mask";
    double both = 0, only_result = 0, only_reference = 0;
    if (undefined.empty()) {
      if (result->sizes() != reference->sizes()) {
        throw momap::DataError(fmt::format(
            "metric/holes: the result's mask is {} but the reference's {}; give both the same "
            "frames and size",
            result->sizes().vec(), reference->sizes().vec()));
      }
      const int64_t frame = result->size(1) * result->size(2);
      const bool *a = result->data_ptr<bool>(), *b = reference->data_ptr<bool>();
      for (int64_t i = frame; i < result->numel(); ++i) {
        both += a[i] && b[i];
        only_result += a[i] && !b[i];
        only_reference += !a[i] && b[i];
      }
      undefined = result->size(0) < 2 ? "the clip has no frame after frame 0, which is given"
                                      : "neither mask covers a pixel after frame 0";
    }
    using momap::metric::mean;
    using momap::metric::share;
    return {
        {mean(share("coverage_f1"), 2 * both, 2 * both + only_result + only_reference, undefined),
         mean(share("coverage_precision"), both, both + only_result,
              both + only_reference > 0 ? "the result covers no pixel after frame 0" : undefined),
         mean(share("coverage_recall"), both, both + only_reference,
              both + only_result > 0 ? "the reference covers no pixel after frame 0" : undefined)}};
  }
};

}  // namespace

MOMAP_PLUGIN(Holes, "metric/holes", 1,
             "F1, precision and recall of what a warp covers against what the true motion covers.");
