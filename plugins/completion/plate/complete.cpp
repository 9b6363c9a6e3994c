// SPDX-License-Identifier: Apache-2.0
#include "complete.h"

#include <ATen/ops/any.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "../frame_by_frame.h"
#include "../pyramid/pyramid.h"
#include "plate.h"
#include "textures.h"

namespace momap::completion {
namespace {

/// From the nearest frame that shows the background there, otherwise from the plate.
void fill_from(const Plate& plate, double depth_tolerance, const PartialClip& partial, int64_t t,
               uint8_t* rgb) {
  const int64_t frames = partial.frames.size(0);
  const int64_t pixels = partial.frames.size(1) * partial.frames.size(2);
  const auto* all = partial.frames.data_ptr<uint8_t>();
  const auto* covered = partial.covered.data_ptr<bool>();
  const auto* depth = partial.depth.data_ptr<float>();
  for (int64_t i = 0; i < pixels; ++i) {
    if (covered[t * pixels + i]) continue;
    const uint8_t* from = &plate.rgb[3 * i];
    const auto nearest = static_cast<float>(1 - depth_tolerance) * plate.depth[i];
    const auto shows = [&](int64_t other) {
      const int64_t at = other * pixels + i;
      return other >= 0 && other < frames && covered[at] && depth[at] >= nearest;
    };
    for (int64_t step = 1; step < frames; ++step) {
      if (!shows(t - step) && !shows(t + step)) continue;
      from = all + 3 * ((shows(t - step) ? t - step : t + step) * pixels + i);
      break;
    }
    std::copy_n(from, 3, rgb + 3 * i);
  }
}

/// What is covered and has no depth counts as lying behind all else.
void push_back_unknown(PartialClip& partial) {
  auto* depth = partial.depth.data_ptr<float>();
  const auto* covered = partial.covered.data_ptr<bool>();
  const auto usable = [&](int64_t i) { return depth[i] > 0 && std::isfinite(depth[i]); };
  float farthest = 0;
  for (int64_t i = 0; i < partial.depth.numel(); ++i) {
    if (covered[i] && usable(i)) farthest = std::max(farthest, depth[i]);
  }
  for (int64_t i = 0; i < partial.depth.numel(); ++i) {
    if (covered[i] && !usable(i)) depth[i] = farthest > 0 ? farthest : 1;
  }
}

}  // namespace

Clip complete_with_background(const PartialClip& given, std::string_view owner,
                              const BackgroundParams& params, const Refine& refine,
                              const Context& context) {
  check_shapes(given, owner);
  PartialClip partial = given;
  partial.frames = given.frames.contiguous();
  partial.covered = given.covered.contiguous();
  partial.depth = given.depth.contiguous().clone();
  push_back_unknown(partial);
  const int64_t height = partial.frames.size(1), width = partial.frames.size(2);
  const auto improve = [&](const Picture& picture) {
    continue_textures(picture, params.rounds);
    if (refine) refine(picture);
  };
  std::optional<Plate> plate;
  const bool any = partial.covered.any().item<bool>();
  if (any && steadiness(partial) >= params.steady_share) {
    plate = make_plate(partial, context);
    improve({plate->rgb.data(), plate->hole.data(), plate->sure.data(), plate->depth.data(), height,
             width});
  }
  return complete_frames(
      partial, owner, context, [&](int64_t t, uint8_t* rgb, const bool* covered) {
        if (plate) return fill_from(*plate, params.depth_tolerance, partial, t, rgb);
        float* depth = partial.depth.data_ptr<float>() + height * width * t;
        fill({rgb, covered, depth, height, width}, kBackgroundPreference);
        const std::vector<uint8_t> sure(covered, covered + height * width);
        std::vector<uint8_t> hole(sure.size());
        std::ranges::transform(sure, hole.begin(), [](uint8_t is_sure) { return 1 - is_sure; });
        improve({rgb, hole.data(), sure.data(), depth, height, width});
      });
}

}  // namespace momap::completion
