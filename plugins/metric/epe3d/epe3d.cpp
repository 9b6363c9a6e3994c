// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/plugin/plugin.h>

#include <array>
#include <cmath>

#include "../moving_threshold.h"

namespace {

using momap::DataError;
using momap::Direction;
using momap::MoMap;
using momap::ScoreValue;

constexpr std::array kThresholdsMetres{0.03, 0.05, 0.10, 0.30};

/// Sum of distances and how many.
struct Mean {
  double sum = 0;
  int64_t count = 0;

  void add(double value) {
    sum += value;
    ++count;
  }
};

/// The reference motion: a motion map, or what is true of a clip (its first future, the one its
/// frames show).
const MoMap& reference_of(const momap::Inputs& inputs) {
  if (const auto* momap = inputs.get<MoMap>("reference")) return *momap;
  const auto& clip = *inputs.get<momap::Clip>("reference");
  if (clip.truth.empty()) {
    throw DataError(
        "metric/epe3d: the reference clip has no true motion; take a source that knows it, such as "
        "a "
        "synthetic one, or give a motion map");
  }
  return clip.truth.front().motion;
}

void check_shapes(const MoMap& momap, const char* port) {
  const auto grid = momap.xyz.sizes();
  const bool fits =
      momap.xyz.dim() == 4 && grid[3] == 3 && momap.xyz.scalar_type() == at::kFloat &&
      momap.valid.scalar_type() == at::kBool && momap.valid.sizes() == grid.slice(1, 2) &&
      momap.visible.scalar_type() == at::kBool && momap.visible.sizes() == grid.slice(0, 3);
  if (!fits) {
    throw DataError(fmt::format(
        "metric/epe3d: {}: xyz {}, visible {}, valid {} do not fit; expected f32 [T, H, W, 3], "
        "bool [T, H, W], bool [H, W]",
        port, momap.xyz.sizes().vec(), momap.visible.sizes().vec(), momap.valid.sizes().vec()));
  }
}

double distance(const float* a, const float* b) {
  const double dx = static_cast<double>(a[0]) - b[0];
  const double dy = static_cast<double>(a[1]) - b[1];
  const double dz = static_cast<double>(a[2]) - b[2];
  return std::sqrt(dx * dx + dy * dy + dz * dz);
}

/// 3D end-point error over the points that are valid in the reference and visible there, in the
/// frames after frame 0.
///
/// Distances need a prediction, so EPE counts points that are valid in the result too; `coverage`
/// says how many of the reference's pixels those are, and a point without a prediction is within no
/// threshold of APD. A point moves when the peak of its true displacement from frame 0 reaches
/// `moving_threshold_m`.
class Epe3d final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "result: momap, reference: momap | clip";

  struct Params {
    double moving_threshold_m = momap::metric::kMovingThreshold;

    static auto schema() {
      return std::tuple{
          momap::metric::moving_threshold(&Params::moving_threshold_m),
      };
    }
  };

  explicit Epe3d(Params params) : params_(params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const MoMap& result = *inputs.get<MoMap>("result");
    const MoMap& reference = reference_of(inputs);
    check_shapes(result, "result");
    check_shapes(reference, "reference");
    if (result.xyz.sizes() != reference.xyz.sizes()) {
      throw DataError(fmt::format(
          "metric/epe3d: the result is {} but the reference {} ([T, H, W, 3]); give both the "
          "same frames and size",
          result.xyz.sizes().vec(), reference.xyz.sizes().vec()));
    }
    return scores(tally(result, reference, context));
  }

 private:
  struct Tally {
    Mean all, still, moving;
    std::array<int64_t, kThresholdsMetres.size()> within{};
    int64_t points = 0;            // (frame, pixel) pairs valid and visible in the reference
    int64_t reference_pixels = 0;  // valid in the reference
    int64_t predicted_pixels = 0;  // of these, valid in the result
    int64_t frames = 0;
  };

  Tally tally(const MoMap& result, const MoMap& reference, const momap::Context& context) const {
    const int64_t frames = reference.frames(), width = reference.width();
    const int64_t pixels = reference.height() * width;
    const at::Tensor p_xyz = result.xyz.contiguous(), g_xyz = reference.xyz.contiguous();
    const at::Tensor p_valid = result.valid.contiguous(), g_valid = reference.valid.contiguous();
    const at::Tensor g_visible = reference.visible.contiguous();
    const auto *p = p_xyz.data_ptr<float>(), *g = g_xyz.data_ptr<float>();
    const auto *has_prediction = p_valid.data_ptr<bool>(), *has_truth = g_valid.data_ptr<bool>();
    const auto* visible = g_visible.data_ptr<bool>();

    Tally tally;
    tally.frames = frames;
    for (int64_t i = 0; i < pixels; ++i) {
      if (i % width == 0) context.check_cancelled();
      if (!has_truth[i]) continue;
      ++tally.reference_pixels;
      tally.predicted_pixels += has_prediction[i];
      double peak = 0;
      Mean errors;
      for (int64_t t = 1; t < frames; ++t) {
        const int64_t at = t * pixels + i;
        peak = std::max(peak, distance(g + 3 * at, g + 3 * i));
        if (!visible[at]) continue;
        ++tally.points;
        if (!has_prediction[i]) continue;
        const double error = distance(p + 3 * at, g + 3 * at);
        if (!std::isfinite(error)) {
          throw DataError(fmt::format(
              "metric/epe3d: frame {}, pixel x = {}, y = {}: a position is not finite although "
              "marked valid; the step that made the motion map is at fault",
              t, i % width, i / width));
        }
        errors.add(error);
        for (size_t k = 0; k < kThresholdsMetres.size(); ++k) {
          tally.within[k] += error < kThresholdsMetres[k];
        }
      }
      for (Mean* mean :
           {&tally.all, peak >= params_.moving_threshold_m ? &tally.moving : &tally.still}) {
        mean->sum += errors.sum;
        mean->count += errors.count;
      }
    }
    return tally;
  }

  momap::Score scores(const Tally& tally) const {
    momap::Score score;
    const auto add = [&](std::string name, const char* unit, Direction direction, double sum,
                         int64_t count, const std::string& reason) {
      ScoreValue value{std::move(name), unit, direction, std::nullopt, ""};
      if (direction == Direction::higher_is_better) value.worst = 0;
      if (count > 0) {
        value.value = sum / static_cast<double>(count);
      } else {
        value.undefined_reason = reason;
      }
      score.values.push_back(std::move(value));
    };
    const std::string no_points =
        tally.frames < 2 ? "the motion map has no frame after frame 0"
                         : "no point is valid and visible in the reference after frame 0";
    const auto no_common = [&](const char* kind) {
      return tally.points == 0
                 ? no_points
                 : fmt::format("no {}point visible in the reference has a prediction", kind);
    };
    const auto lower = Direction::lower_is_better, higher = Direction::higher_is_better;
    add("epe3d", "m", lower, tally.all.sum, tally.all.count, no_common(""));
    add("epe3d_moving", "m", lower, tally.moving.sum, tally.moving.count, no_common("moving "));
    add("epe3d_static", "m", lower, tally.still.sum, tally.still.count, no_common("static "));
    for (size_t k = 0; k < kThresholdsMetres.size(); ++k) {
      add(fmt::format("apd_{:.0f}cm", 100 * kThresholdsMetres[k]), "", higher,
          static_cast<double>(tally.within[k]), tally.points, no_points);
    }
    add("coverage", "", higher, static_cast<double>(tally.predicted_pixels), tally.reference_pixels,
        "no pixel of the reference is valid");
    return score;
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(Epe3d, "metric/epe3d", 1,
             "3D end-point error against true motion, moving and static apart, and shares within "
             "thresholds.");
