// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/camera.h>
#include <momap/data/clip.h>

#include <optional>
#include <string>

namespace momap {

/// What a backbone may see of a scene.
struct Condition {
  at::Tensor image;   // u8 [H, W, 3], the reference view
  at::Tensor points;  // f32 [H, W, 3], metres, the reference depth unprojected; z = 0: unknown
  Camera camera;      // of the reference view
  std::optional<at::Tensor> segments;  // i32 [H, W]
  std::string text;                    // the prompt; "" = none

  /// From frame 0 of a clip. Throws DataError when it has no depth or camera.
  static Condition from(const Clip& clip);
};

}  // namespace momap
