// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/stage/stage.h>

#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <string_view>
#include <vector>

namespace momap::formats {

// All readers throw DataError with the file's name; images of more than 100 megapixels are refused
// before they are decoded.

/// A photograph or drawing (png, jpg, ppm, webp, ...): u8 [H, W, 3], RGB; alpha is dropped.
at::Tensor read_rgb(const std::filesystem::path& path);

/// The same from bytes in memory; `owner` starts every message.
at::Tensor decode_rgb(std::string_view bytes, const std::string& owner);

/// As stored, channels in OpenCV's order. Throws when it is not of the OpenCV type, which
/// `expected` says in words.
cv::Mat read_image(const std::filesystem::path& path, int type, const char* expected);

/// A 16-bit grey png as depth along z: f32 [H, W], value / `per_metre`; 0 and `unknown` become 0.
at::Tensor read_depth_png(const std::filesystem::path& path, double per_metre,
                          uint16_t unknown = 0);

/// Object ids: i32 [H, W] from the indices of a palette png or the values of a grey one.
at::Tensor read_labels(const std::filesystem::path& path);

/// An 8-bit grey mask: bool [H, W], true where it is not 0.
at::Tensor read_mask(const std::filesystem::path& path);

/// Reads `count` tensors of one shape with `read(i)` and stacks them along a new first axis;
/// several at once. `place(i)` names one in the message when shapes differ.
at::Tensor read_stack(int64_t count, const std::function<at::Tensor(int64_t)>& read,
                      const std::function<std::string(int64_t)>& place, const Context& context);

/// u8 [T, H, W, 3] from T images of one size.
at::Tensor read_frames(const std::vector<std::filesystem::path>& paths, const Context& context);

/// Throws DataError when a map [H, W] or [H, W, C] is not of the frames' size.
void require_size(const at::Tensor& map, int64_t height, int64_t width,
                  const std::filesystem::path& path);

}  // namespace momap::formats
