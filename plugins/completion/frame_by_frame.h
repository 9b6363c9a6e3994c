// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/base/error.h>
#include <momap/data/clip.h>
#include <momap/data/partial_clip.h>
#include <momap/stage/stage.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace momap::completion {

/// Throws DataError when frames, coverage and depth do not fit together; `owner` is the plugin that
/// asks.
inline void check_shapes(const PartialClip& partial, std::string_view owner) {
  const auto refuse = [&](const char* name, const at::Tensor& tensor, const char* expected) {
    throw DataError(fmt::format("{}: '{}' of the partial clip is {} {}; expected {}", owner, name,
                                at::toString(tensor.scalar_type()), tensor.sizes().vec(),
                                expected));
  };
  const at::Tensor& frames = partial.frames;
  if (frames.scalar_type() != at::kByte || frames.dim() != 4 || frames.size(3) != 3) {
    refuse("frames", frames, "u8 [T, H, W, 3]");
  }
  const auto grid = frames.sizes().slice(0, 3);
  if (partial.covered.scalar_type() != at::kBool || partial.covered.sizes() != grid) {
    refuse("covered", partial.covered, "bool [T, H, W] as the frames");
  }
  if (partial.depth.scalar_type() != at::kFloat || partial.depth.sizes() != grid) {
    refuse("depth", partial.depth, "f32 [T, H, W] as the frames");
  }
}

/// For every frame the frame it is filled from: itself, or the nearest in time (the earlier of two)
/// when nothing of it is covered. Throws DataError when no frame has a covered pixel.
inline std::vector<int64_t> evidence_frames(const PartialClip& partial, std::string_view owner) {
  const int64_t frames = partial.covered.size(0);
  const int64_t pixels = partial.covered.size(1) * partial.covered.size(2);
  const at::Tensor covered = partial.covered.contiguous();
  std::vector<int64_t> with_evidence;
  for (int64_t t = 0; t < frames; ++t) {
    const bool* mask = covered.data_ptr<bool>() + t * pixels;
    if (std::find(mask, mask + pixels, true) != mask + pixels) with_evidence.push_back(t);
  }
  if (with_evidence.empty()) {
    throw DataError(fmt::format(
        "{}: no pixel of any of the {} frames is covered, so there is nothing to fill from; "
        "check that the motion map has valid points in front of the camera",
        owner, frames));
  }
  std::vector<int64_t> source(frames);
  for (int64_t t = 0; t < frames; ++t) {
    source[t] =
        *std::min_element(with_evidence.begin(), with_evidence.end(),
                          [t](int64_t a, int64_t b) { return std::abs(a - t) < std::abs(b - t); });
  }
  return source;
}

/// Completes a clip whose frames are filled apart: `fill(t, rgb, covered)` writes the holes of
/// frame t in place (u8 [H, W, 3] and bool [H, W]), frames side by side. Frames without a covered
/// pixel repeat the nearest filled one.
template <class Fill>
Clip complete_frames(const PartialClip& partial, std::string_view owner, const Context& context,
                     const Fill& fill) {
  check_shapes(partial, owner);
  const std::vector<int64_t> evidence = evidence_frames(partial, owner);
  Clip clip;
  clip.frames = partial.frames.contiguous().clone();
  clip.fps = partial.fps;
  clip.covered = partial.covered.contiguous().clone();
  const int64_t frames = clip.length(), pixels = clip.height() * clip.width();
  auto* rgb = clip.frames.data_ptr<uint8_t>();
  const auto* covered = clip.covered->data_ptr<bool>();
  tbb::parallel_for(int64_t{0}, frames, [&](int64_t t) {
    context.check_cancelled();
    if (evidence[t] == t) fill(t, rgb + 3 * pixels * t, covered + pixels * t);
  });
  for (int64_t t = 0; t < frames; ++t) {
    if (evidence[t] == t) continue;
    std::copy_n(rgb + 3 * pixels * evidence[t], 3 * pixels, rgb + 3 * pixels * t);
  }
  return clip;
}

}  // namespace momap::completion
