// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <momap/base/clones.h>
#include <momap/plugin/plugin.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "projection/branchless.h"
#include "projection/far_points.h"
#include "projection/inputs.h"
#include "projection/projection.h"
#include "splat.h"

namespace {

using momap::DropReason;
using momap::warping::Blend;
using momap::warping::choose;
using momap::warping::Fate;
using momap::warping::Projection;
using momap::warping::smaller;
using momap::warping::SplatSums;

constexpr float kNothing = std::numeric_limits<float>::max();

/// Smallest depth of the points that can be drawn; the largest number when none can.
MOMAP_CLONES float nearest_of(const float* z, const Fate* fates, int64_t count) {
  constexpr int64_t kLanes = 16;
  std::array<float, kLanes> lanes;
  lanes.fill(kNothing);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) {
      lanes[k] = smaller(choose(fates[i + k] == 0, z[i + k], kNothing), lanes[k]);
    }
  }
  float nearest = kNothing;
  for (; i < count; ++i) nearest = smaller(choose(fates[i] == 0, z[i], kNothing), nearest);
  for (const float lane : lanes) nearest = smaller(lane, nearest);
  return nearest;
}

/// The metric of each point, and NaN as the place of those that cannot be drawn.
MOMAP_CLONES void prepare(const Fate* fates, const float* z, int64_t count, float nearest, float* x,
                          float* metric) {
  constexpr float kNoPlace = std::numeric_limits<float>::quiet_NaN();
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const int32_t drawn = fates[i] == 0;
    metric[i] = choose(drawn, nearest / z[i], 0.0F);
    x[i] = choose(drawn, x[i], kNoPlace);
  }
}

/// Draws frames of one motion map, one after the other, in memory that is kept.
class FrameSplatter {
 public:
  FrameSplatter(int64_t points, int64_t pixels)
      : x_(points), y_(points), weights_(points), sums_(pixels) {}

  struct Picture {
    uint8_t* rgb;   // [H, W, 3]
    bool* covered;  // [H, W]
    float* depth;   // [H, W]
  };

  /// `colours` f32 [N, 4], the fourth is 1.
  void draw(const momap::warping::PointRow& points, const float* colours,
            const Projection& projection, Blend blend, double sharpness, float least_share,
            const Picture& picture, int64_t* dropped) {
    const auto count = static_cast<int64_t>(x_.size());
    // Points go through all that is done to them a few at a time, so that they stay in the cache.
    float nearest = kNothing;
    for (int64_t begin = 0; begin < count; begin += kRun) {
      const int64_t run = place(points, begin, projection);
      nearest = smaller(nearest, nearest_of(z_.data(), fates_.data(), run));
    }
    const auto scale = blend == Blend::softmax ? static_cast<float>(sharpness) : 1.0f;
    const int64_t height = projection.height, width = projection.width;
    momap::warping::Accumulator accumulator(sums_.data(), height, width);
    for (int64_t begin = 0; begin < count; begin += kRun) {
      const int64_t run = place(points, begin, projection);
      momap::warping::count_fates(fates_.data(), run, dropped);
      // The metric is inverse depth, `scale` for the nearest point of the frame.
      float* const weights = weights_.data() + begin;
      prepare(fates_.data(), z_.data(), run, scale * nearest, x_.data() + begin, weights);
      if (blend == Blend::softmax) {
        momap::warping::softmax_weights(weights, scale, run, weights);
      } else if (blend != Blend::linear) {
        std::fill_n(weights, run, 1.0f);
      }
      accumulator.add(
          {run, x_.data() + begin, y_.data() + begin, weights, colours + 4 * begin, z_.data()});
    }
    momap::warping::show(sums_.data(), height * width, blend == Blend::sum, least_share,
                         picture.rgb, picture.covered, picture.depth);
    const auto unseen = momap::warping::count_unseen(
        {count, x_.data(), y_.data(), weights_.data(), colours, nullptr}, sums_.data(), least_share,
        height, width);
    dropped[static_cast<int64_t>(DropReason::hidden)] += unseen.hidden;
    dropped[static_cast<int64_t>(DropReason::outside)] += unseen.outside;
  }

 private:
  static constexpr int64_t kRun = 1024;

  /// Projects a run of points; returns how many there are.
  int64_t place(const momap::warping::PointRow& points, int64_t begin,
                const Projection& projection) {
    const int64_t run = std::min(kRun, static_cast<int64_t>(x_.size()) - begin);
    // Beyond one pixel from the image no share of a point is inside.
    momap::warping::project({points.xyz + 3 * begin, points.valid + begin,
                             points.visible ? points.visible + begin : nullptr},
                            run, projection, 0.999f,
                            {x_.data() + begin, y_.data() + begin, z_.data(), fates_.data()});
    return run;
  }

  std::vector<float> x_, y_, weights_;
  std::array<float, kRun> z_;
  std::array<Fate, kRun> fates_;
  std::vector<SplatSums> sums_;
};

class SoftmaxSplat final : public momap::Warper {
 public:
  struct Params {
    std::string blend = "softmax";
    double sharpness = 50.0;
    double least_share = 0.1;
    bool respect_visible = false;
    std::string unknown_depth = "far";

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("blend", &Params::blend,
                "How points that meet in a pixel are mixed: sum of all, average, average weighted "
                "by inverse depth (linear), or by the exponential of inverse depth (softmax).")
              .one_of({"sum", "average", "linear", "softmax"}),
          param("sharpness", &Params::sharpness,
                "For softmax: factor of the inverse depth, which is 1 for the nearest point of a "
                "frame. Larger = the nearer point hides the farther one more fully.")
              .between(0, 1000),
          param("least_share", &Params::least_share,
                "A pixel is covered when the bilinear shares of its points add up to this.")
              .above(0)
              .between(0, 1),
          param("respect_visible", &Params::respect_visible,
                "Draw only points marked visible; otherwise depth alone decides what hides what."),
          momap::warping::unknown_depth_param(&Params::unknown_depth),
      };
    }
  };

  explicit SoftmaxSplat(Params params)
      : params_(std::move(params)),
        blend_(params_.blend == "sum"       ? Blend::sum
               : params_.blend == "average" ? Blend::average
               : params_.blend == "linear"  ? Blend::linear
                                            : Blend::softmax) {}

  momap::PartialClip warp(const momap::Image& image, const momap::MoMap& given,
                          const momap::View& view, const momap::Context& context) override {
    momap::warping::check_inputs("warping/softmax_splat", image, given, view);
    const momap::MoMap momap = momap::warping::to_draw(given, params_.unknown_depth);
    const int64_t frames = momap.frames(), points = momap.height() * momap.width();
    const int64_t height = view.camera.height, width = view.camera.width, pixels = height * width;
    momap::PartialClip out;
    out.frames = at::empty({frames, height, width, 3}, at::kByte);
    out.covered = at::empty({frames, height, width}, at::kBool);
    out.depth = at::empty({frames, height, width}, at::kFloat);
    out.dropped = at::zeros({frames, momap::kDropReasons}, at::kLong);
    // Red, green, blue and 1.
    const at::Tensor colours =
        at::constant_pad_nd(image.rgb.to(at::kFloat), {0, 1}, 1.0).contiguous();
    const at::Tensor xyz = momap.xyz.contiguous(), valid = momap.valid.contiguous();
    const at::Tensor visible = momap.visible.contiguous();
    const auto* positions = xyz.data_ptr<float>();
    const auto* colour = colours.data_ptr<float>();
    const bool* known = valid.data_ptr<bool>();
    const bool* seen = params_.respect_visible ? visible.data_ptr<bool>() : nullptr;
    auto* rgb = out.frames.data_ptr<uint8_t>();
    auto* covered = out.covered.data_ptr<bool>();
    auto* depth = out.depth.data_ptr<float>();
    auto* dropped = out.dropped.data_ptr<int64_t>();
    tbb::enumerable_thread_specific<FrameSplatter> splatters(points, pixels);
    tbb::parallel_for(int64_t{0}, frames, [&](int64_t t) {
      context.check_cancelled();
      splatters.local().draw(
          {positions + 3 * points * t, known, seen ? seen + points * t : nullptr}, colour,
          Projection(view, t), blend_, params_.sharpness, static_cast<float>(params_.least_share),
          {rgb + 3 * pixels * t, covered + pixels * t, depth + pixels * t},
          dropped + t * momap::kDropReasons);
    });
    return out;
  }

 private:
  Params params_;
  Blend blend_;
};

}  // namespace

MOMAP_PLUGIN(SoftmaxSplat, "warping/softmax_splat", 2,
             "Spreads each point bilinearly over four pixels and mixes by inverse depth "
             "(differentiable).");
