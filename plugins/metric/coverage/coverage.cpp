// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/plugin/plugin.h>

#include <numeric>

namespace {

using momap::DataError;
using momap::Direction;
using momap::ScoreValue;

/// What the two accepted kinds have in common.
struct Coverage {
  std::optional<at::Tensor> covered;  // bool [T, H, W]
  std::optional<at::Tensor> dropped;  // i64 [T, kDropReasons]
};

Coverage read(const momap::Inputs& inputs) {
  if (const auto* partial = inputs.get<momap::PartialClip>("result")) {
    return {partial->covered.contiguous(), partial->dropped.contiguous()};
  }
  const auto& clip = *inputs.get<momap::Clip>("result");
  if (!clip.covered) return {};
  return {clip.covered->contiguous(), std::nullopt};
}

void check(const Coverage& coverage) {
  const at::Tensor& covered = *coverage.covered;
  if (covered.scalar_type() != at::kBool || covered.dim() != 3) {
    throw DataError(
        fmt::format("metric/coverage: 'covered' of the result is {} {}; expected bool [T, H, W]",
                    at::toString(covered.scalar_type()), covered.sizes().vec()));
  }
  if (coverage.dropped &&
      (coverage.dropped->scalar_type() != at::kLong ||
       coverage.dropped->sizes() != at::IntArrayRef({covered.size(0), momap::kDropReasons}))) {
    throw DataError(fmt::format(
        "metric/coverage: 'dropped' of the result is {} {}; expected i64 [{}, {}], one a frame and "
        "reason",
        at::toString(coverage.dropped->scalar_type()), coverage.dropped->sizes().vec(),
        covered.size(0), momap::kDropReasons));
  }
}

/// How much of a warped clip could be shown. Frame 0 is given, so only later frames count.
class CoverageMetric final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "result: clip | partial_clip";

  struct Params {
    static auto schema() { return std::tuple{}; }
  };

  explicit CoverageMetric(Params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context&) override {
    ScoreValue share{"coverage", "", Direction::higher_is_better, std::nullopt, ""};
    ScoreValue holes{"hole_ratio", "", Direction::lower_is_better, std::nullopt, ""};
    ScoreValue dropped{"dropped_points", "", Direction::lower_is_better, std::nullopt, ""};
    share.worst = 0, holes.worst = dropped.worst = 1;

    const Coverage coverage = read(inputs);
    if (!coverage.covered) {
      share.undefined_reason = "the result has no 'covered' mask";
    } else {
      check(coverage);
      const at::Tensor& covered = *coverage.covered;
      const int64_t frames = covered.size(0), pixels = covered.size(1) * covered.size(2);
      if (frames < 2 || pixels == 0) {
        share.undefined_reason = "the clip has no frame after frame 0, which is given";
      } else {
        const auto later = static_cast<double>((frames - 1) * pixels);
        const bool* mask = covered.data_ptr<bool>();
        const auto shown = std::accumulate(mask + pixels, mask + frames * pixels, int64_t{0});
        share.value = static_cast<double>(shown) / later;
        holes.value = (later - static_cast<double>(shown)) / later;
        if (coverage.dropped) {
          const auto* counts = coverage.dropped->data_ptr<int64_t>();
          const auto sum = std::accumulate(counts + momap::kDropReasons,
                                           counts + frames * momap::kDropReasons, int64_t{0});
          dropped.value = static_cast<double>(sum) / later;
        } else {
          dropped.undefined_reason = "a clip does not carry the count; score the partial_clip";
        }
      }
    }
    if (!share.value) holes.undefined_reason = dropped.undefined_reason = share.undefined_reason;
    return {{share, holes, dropped}};
  }
};

}  // namespace

MOMAP_PLUGIN(CoverageMetric, "metric/coverage", 2,
             "Share of pixels that warping showed, and of points it did not draw, after frame 0.");
