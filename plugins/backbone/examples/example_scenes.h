// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <momap/data/condition.h>
#include <momap/store/example_file.h>

#include <filesystem>
#include <string>
#include <vector>

// Plain scenes for tests: an image of one grey, a wall at 1 m, latents that are constant.

namespace momap::testing {

inline Camera scene_camera(int64_t height, int64_t width) {
  return {10, 10, 0, 0, static_cast<int>(width), static_cast<int>(height)};
}

inline Condition scene_condition(int grey, const std::string& text, int64_t height = 16,
                                 int64_t width = 16) {
  return {at::full({height, width, 3}, grey, at::kByte), at::ones({height, width, 3}),
          scene_camera(height, width), std::nullopt, text};
}

/// A 16 x 16 scene with a future for each of `values`, stride 4.
inline void write_scene(const std::filesystem::path& path, int grey,
                        const std::vector<float>& values, const std::vector<std::string>& captions,
                        int64_t channels = 2) {
  ExampleFile example;
  example.reference.frames = at::full({1, 16, 16, 3}, grey, at::kByte);
  example.reference.depth = at::ones({1, 16, 16});
  example.reference.camera = scene_camera(16, 16);
  std::vector<at::Tensor> latents;
  for (const float value : values) latents.push_back(at::full({1, channels, 4, 4}, value));
  example.latents = at::cat(latents);
  example.valid = at::ones({static_cast<int64_t>(values.size()), 4, 4});
  example.captions = captions;
  example.spec = {"encoding/test", 1, "words", 5, 16, 16};
  example.stride = 4;
  write_example(path, example);
}

}  // namespace momap::testing
