// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <fmt/format.h>
#include <momap/base/random.h>
#include <momap/plugin/plugin.h>

#include <algorithm>
#include <cmath>

namespace {

using momap::DataError;
using momap::Random;

/// Shows the image as it is in every frame, with holes as discs leave that move: a test of
/// completion on photographs, where what is truly seen in the holes is known.
class Cutout final : public momap::Warper {
 public:
  static constexpr bool kUsesSeed = true;

  struct Params {
    double share = 0.15;
    double least_px = 4;
    double most_px = 14;
    double radius_px = 60;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("share", &Params::share, "Of the pixels that are holes.").above(0).below(0.9),
          param("least_px", &Params::least_px, "Shortest way that a disc moves.")
              .unit("px")
              .above(0)
              .between(1, 1000),
          param("most_px", &Params::most_px, "Longest way that a disc moves.")
              .unit("px")
              .between(1, 1000),
          param("radius_px", &Params::radius_px, "Of the largest disc; the smallest has a quarter.")
              .unit("px")
              .between(4, 4000),
      };
    }
  };

  explicit Cutout(Params params) : params_(params) {
    if (params_.least_px <= params_.most_px) return;
    throw momap::ConfigError(
        fmt::format("warping/cutout: parameter 'least_px' = {} is above 'most_px' = {}",
                    params_.least_px, params_.most_px));
  }

  momap::PartialClip warp(const momap::Image& image, const momap::MoMap& momap,
                          const momap::View& view, const momap::Context& context) override {
    const int64_t frames = momap.frames(), height = image.height(), width = image.width();
    if (momap.height() != height || momap.width() != width || height * width == 0) {
      throw DataError(
          fmt::format("warping/cutout: image is {} x {} px but the motion map {} x {}; resize the "
                      "clip before its motion is extracted or generated",
                      width, height, momap.width(), momap.height()));
    }
    if (view.cam_from_reference || view.camera.width != width || view.camera.height != height) {
      throw DataError(
          "warping/cutout: shows the image as it is; leave out 'view' or take another warper");
    }
    momap::PartialClip out;
    out.frames = image.rgb.unsqueeze(0).repeat({frames, 1, 1, 1});
    out.covered = at::ones({frames, height, width}, at::kBool);
    out.depth = at::ones({frames, height, width}, at::kFloat);  // nothing is nearer
    out.dropped = at::zeros({frames, momap::kDropReasons}, at::kLong);
    for (int64_t t = 0; t < frames; ++t) {
      Random random(context.seed, static_cast<uint64_t>(t));
      auto* covered = out.covered.data_ptr<bool>() + t * height * width;
      const auto wanted =
          static_cast<int64_t>(std::ceil(params_.share * static_cast<double>(height * width)));
      // A picture smaller than a disc may never lose as much as asked.
      for (int64_t cut = 0, tries = 0; cut < wanted && tries < 100'000; ++tries) {
        cut += cut_crescent(covered, height, width, random);
      }
    }
    return out;
  }

 private:
  /// What a disc uncovers that moves. Returns the number of pixels that became holes.
  int64_t cut_crescent(bool* covered, int64_t height, int64_t width, Random& random) const {
    const double radius = params_.radius_px * (0.25 + 0.75 * random.uniform());
    const double x = random.uniform() * static_cast<double>(width);
    const double y = random.uniform() * static_cast<double>(height);
    const double way = params_.least_px + (params_.most_px - params_.least_px) * random.uniform();
    // A direction without sine and cosine, whose last bits differ between machines.
    double dx = 0, dy = 0, length = 0;
    do {
      dx = 2 * random.uniform() - 1;
      dy = 2 * random.uniform() - 1;
      length = std::sqrt(dx * dx + dy * dy);
    } while (length > 1 || length < 0.1);
    const double to_x = x + way * dx / length, to_y = y + way * dy / length;
    const auto inside = [&](double cx, double cy, int64_t u, int64_t v) {
      const double a = static_cast<double>(u) - cx, b = static_cast<double>(v) - cy;
      return a * a + b * b <= radius * radius;
    };
    const auto first = [&](double centre) {
      return std::max<int64_t>(0, static_cast<int64_t>(std::floor(centre - radius)));
    };
    const auto last = [&](double centre, int64_t size) {
      return std::min(size - 1, static_cast<int64_t>(std::ceil(centre + radius)));
    };
    int64_t count = 0;
    for (int64_t v = first(y); v <= last(y, height); ++v) {
      for (int64_t u = first(x); u <= last(x, width); ++u) {
        bool& is_covered = covered[v * width + u];
        if (!is_covered || !inside(x, y, u, v) || inside(to_x, to_y, u, v)) continue;
        is_covered = false;
        ++count;
      }
    }
    return count;
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(Cutout, "warping/cutout", 1,
             "Shows the image with holes as moving discs leave: a test of completion.");
