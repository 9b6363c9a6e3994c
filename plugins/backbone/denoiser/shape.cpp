// SPDX-License-Identifier: Apache-2.0
#include "shape.h"

#include <fmt/format.h>

#include "conditioning.h"

namespace denoiser {

std::vector<ShapeNumber> condition_numbers() {
  return {{"text_width", 1, 1024, 64},
          {"detail", 1, 8, 1, 1},
          {"tokens", 1, 256, kMaxTokens, kMaxTokens},
          {"text_layers", 0, 8, 0, 0}};
}

Shape given(const Shape& values) {
  Shape out = values;
  std::erase_if(out, [](const auto& value) { return value.second == 0; });
  return out;
}

std::string fault_of(const ShapeNumber& number, int64_t value) {
  if (value < number.lowest || value > number.highest) {
    return fmt::format("'{}' = {} is not between {} and {}", number.name, value, number.lowest,
                       number.highest);
  }
  if (value % number.multiple != 0) {
    return fmt::format("'{}' = {} is not a multiple of {}", number.name, value, number.multiple);
  }
  return "";
}

std::string fault_of(const Shape& shape) {
  const int64_t detail = shape.at("detail"), text_width = shape.at("text_width");
  if ((detail & (detail - 1)) != 0) return fmt::format("'detail' = {} is not 1, 2, 4 or 8", detail);
  if (shape.at("text_layers") > 0 && text_width % 8 != 0) {
    return fmt::format("'text_width' = {} is not a multiple of 8, which 'text_layers' = {} needs",
                       text_width, shape.at("text_layers"));
  }
  return "";
}

}  // namespace denoiser
