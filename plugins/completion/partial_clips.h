// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ATen.h>
#include <momap/data/partial_clip.h>

// Inputs for the tests of completers.

namespace momap::testing {

/// Frames of one colour, all covered, at 3 m.
inline PartialClip plain(int64_t frames, int64_t height, int64_t width, int64_t level) {
  return {at::full({frames, height, width, 3}, level, at::kByte),
          at::ones({frames, height, width}, at::kBool), at::full({frames, height, width}, 3.0f),
          at::zeros({frames, kDropReasons}, at::kLong), 12.5};
}

/// Noise, half of it covered at random.
inline PartialClip noisy(int64_t frames, int64_t height, int64_t width) {
  PartialClip partial = plain(frames, height, width, 0);
  uint32_t state = 99;
  const auto next = [&] { return (state = state * 1664525u + 1013904223u) >> 24; };
  for (int64_t i = 0; i < partial.frames.numel(); ++i) {
    partial.frames.data_ptr<uint8_t>()[i] = static_cast<uint8_t>(next());
  }
  for (int64_t i = 0; i < partial.covered.numel(); ++i) {
    partial.covered.data_ptr<bool>()[i] = next() < 128;
  }
  return partial;
}

}  // namespace momap::testing
