// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/data/partial_clip.h>
#include <momap/params/params.h>
#include <momap/stage/stage.h>

#include <cstdint>
#include <functional>
#include <string_view>

namespace momap::completion {

struct BackgroundParams {
  double steady_share = 0.7;
  double depth_tolerance = 0.05;
  int rounds = 48;

  static auto schema() {
    return std::tuple{
        param("steady_share", &BackgroundParams::steady_share,
              "The view stands still when, where colours differ from place to place, at least this "
              "share of pixels keeps its colour from frame to frame.")
            .between(0, 1),
        param("depth_tolerance", &BackgroundParams::depth_tolerance,
              "What another frame shows in place of a hole is background unless it is nearer "
              "than the plate by more than this share of depth.")
            .between(0, 1),
        param("rounds", &BackgroundParams::rounds,
              "How often textures and edges are carried on into what was filled; 0 leaves it "
              "smooth, which is faster.")
            .between(0, 1000),
    };
  }
};

/// A picture whose holes are filled in a first, rough way.
struct Picture {
  uint8_t* rgb;         // [H, W, 3]; only holes may be changed
  const uint8_t* hole;  // [H, W], 0 or 1
  const uint8_t* sure;  // [H, W], 1: what is shown lies around the hole, not in front of it
  const float* depth;   // [H, W], metres
  int64_t height, width;
};

/// Fills them better still; unset: the filling stands.
using Refine = std::function<void(const Picture&)>;

/// Fills holes with what lies behind: in a view that stands still from one plate for the whole
/// clip, so that what is filled in does not flicker; in one that moves each frame from the far
/// side of its own depth edges. Then textures are carried on, and `refine` has the last word.
Clip complete_with_background(const PartialClip& partial, std::string_view owner,
                              const BackgroundParams& params, const Refine& refine,
                              const Context& context);

}  // namespace momap::completion
