// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace momap {

struct Image {
  at::Tensor rgb;  // u8 [H, W, 3]

  int64_t height() const { return rgb.size(0); }
  int64_t width() const { return rgb.size(1); }
};

}  // namespace momap
