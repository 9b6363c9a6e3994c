// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>
#include <momap/data/tensor_file.h>

#include <filesystem>
#include <map>
#include <string>

#include "shared_data.h"

namespace diffusers::testing {

inline std::filesystem::path goldens() { return momap::testing::shared_folder() / "goldens"; }

inline std::map<std::string, at::Tensor> tensors(const std::filesystem::path& file) {
  return momap::read_safetensors(file).tensors;
}

/// max |found - expected| / max |expected|
inline double relative(const at::Tensor& found, const at::Tensor& expected) {
  if (found.sizes() != expected.sizes()) {
    ADD_FAILURE() << "shapes " << found.sizes() << " and " << expected.sizes();
    return 1;
  }
  const at::Tensor e = expected.to(at::kDouble);
  return ((found.detach().to(at::kDouble) - e).abs().max() / e.abs().max()).item<double>();
}

}  // namespace diffusers::testing

#define SKIP_WITHOUT_GOLDENS()                                     \
  if (!std::filesystem::exists(diffusers::testing::goldens())) {   \
    GTEST_SKIP() << diffusers::testing::goldens() << " is absent"; \
  }                                                                \
  static_assert(true, "")
