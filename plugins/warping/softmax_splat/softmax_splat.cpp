// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <momap/plugin/plugin.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "projection/inputs.h"
#include "projection/projection.h"
#include "splat.h"
#include "taps.h"

namespace {

using momap::DropReason;
using momap::warping::Blend;
using momap::warping::Fate;
using momap::warping::Projection;
using momap::warping::SplatSums;

/// Draws frames of one motion map, one after the other, in memory that is kept.
class FrameSplatter {
 public:
  FrameSplatter(int64_t points, int64_t pixels)
      : u_(points),
        v_(points),
        z_(points),
        fates_(points),
        position_(2 * points),
        metric_(points),
        weights_(points),
        sums_(pixels),
        colour_(3 * pixels),
        depths_(pixels) {}

  struct Picture {
    uint8_t* rgb;   // [H, W, 3]
    bool* covered;  // [H, W]
    float* depth;   // [H, W]
  };

  void draw(const momap::warping::PointRow& points, const float* colours,
            const Projection& projection, Blend blend, double sharpness, float least_share,
            const Picture& picture, int64_t* dropped) {
    const auto count = static_cast<int64_t>(u_.size());
    // Beyond one pixel from the image no share of a point is inside.
    momap::warping::project(points, count, projection, 0.999f,
                            {u_.data(), v_.data(), z_.data(), fates_.data()});
    momap::warping::count_fates(fates_.data(), count, dropped);
    weigh(blend, sharpness);
    const int64_t height = projection.height, width = projection.width, pixels = height * width;
    momap::warping::splat_forward({count, colours, position_.data(), metric_.data()}, blend, height,
                                  width, sums_.data(), colour_.data(), weights_.data(), z_.data(),
                                  depths_.data());
    for (int64_t q = 0; q < pixels; ++q) {
      const float weight = sums_[q].weight;
      const bool shown = depths_[q].share >= least_share && weight > 0;
      picture.covered[q] = shown;
      picture.depth[q] = shown ? depths_[q].depth / weight : 0.0f;
      for (int c = 0; c < 3; ++c) {
        const float level = std::clamp(colour_[3 * q + c], 0.0f, 255.0f);
        picture.rgb[3 * q + c] = static_cast<uint8_t>(shown ? level + 0.5f : 0.0f);
      }
    }
    count_hidden(picture, height, width, dropped);
  }

 private:
  /// Positions, and the metric: inverse depth, 1 for the nearest point of the frame.
  void weigh(Blend blend, double sharpness) {
    float nearest = std::numeric_limits<float>::infinity();
    for (size_t i = 0; i < z_.size(); ++i) {
      if (fates_[i] == 0) nearest = std::min(nearest, z_[i]);
    }
    const auto scale = blend == Blend::softmax ? static_cast<float>(sharpness) : 1.0f;
    for (size_t i = 0; i < z_.size(); ++i) {
      const bool drawn = fates_[i] == 0;
      position_[2 * i] = drawn ? u_[i] : std::numeric_limits<float>::quiet_NaN();
      position_[2 * i + 1] = v_[i];
      metric_[i] = drawn ? scale * (nearest / z_[i]) : 0.0f;
    }
  }

  /// A point is hidden where it makes less than 1 % of every pixel it reaches.
  void count_hidden(const Picture& picture, int64_t height, int64_t width, int64_t* dropped) {
    int64_t hidden = 0, outside = 0;
    momap::warping::Taps taps;
    for (size_t i = 0; i < z_.size(); ++i) {
      if (fates_[i] != 0) continue;
      bool shown = false, reached = false;
      if (taps.find(u_[i], v_[i], height, width)) {
        for (int corner = 0; corner < 4 && !shown; ++corner) {
          if (!taps.inside && !taps.has(corner, height, width)) continue;
          const float b = taps.share(corner);
          const int64_t q = taps.at(corner, width);
          reached = reached || b > 0;
          shown = b > 0 && picture.covered[q] && b * weights_[i] >= 0.01f * sums_[q].weight;
        }
      }
      if (!shown) ++(reached ? hidden : outside);
    }
    dropped[static_cast<int64_t>(DropReason::hidden)] += hidden;
    dropped[static_cast<int64_t>(DropReason::outside)] += outside;
  }

  std::vector<float> u_, v_, z_;
  std::vector<Fate> fates_;
  std::vector<float> position_, metric_, weights_;
  std::vector<SplatSums> sums_;
  std::vector<float> colour_;
  std::vector<momap::warping::DepthSums> depths_;
};

class SoftmaxSplat final : public momap::Warper {
 public:
  struct Params {
    std::string blend = "softmax";
    double sharpness = 50.0;
    double least_share = 0.1;
    bool respect_visible = false;

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
      };
    }
  };

  explicit SoftmaxSplat(Params params)
      : params_(std::move(params)),
        blend_(params_.blend == "sum"       ? Blend::sum
               : params_.blend == "average" ? Blend::average
               : params_.blend == "linear"  ? Blend::linear
                                            : Blend::softmax) {}

  momap::PartialClip warp(const momap::Image& image, const momap::MoMap& momap,
                          const momap::View& view, const momap::Context& context) override {
    momap::warping::check_inputs("warping/softmax_splat", image, momap, view);
    const int64_t frames = momap.frames(), points = momap.height() * momap.width();
    const int64_t height = view.camera.height, width = view.camera.width, pixels = height * width;
    momap::PartialClip out;
    out.frames = at::empty({frames, height, width, 3}, at::kByte);
    out.covered = at::empty({frames, height, width}, at::kBool);
    out.depth = at::empty({frames, height, width}, at::kFloat);
    out.dropped = at::zeros({frames, momap::kDropReasons}, at::kLong);
    const at::Tensor colours = image.rgb.to(at::kFloat).contiguous();
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

MOMAP_PLUGIN(SoftmaxSplat, "warping/softmax_splat", 1,
             "Spreads each point bilinearly over four pixels and mixes by inverse depth "
             "(differentiable).");
