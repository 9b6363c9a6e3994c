// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

namespace momap {

/// Named tensors and text, as a safetensors file holds them.
struct TensorFile {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads a safetensors file, memory-mapped; tensors are views that keep the mapping alive. Every
/// length and offset is checked against the file. Throws ConfigError with file, key, expected and
/// found.
TensorFile read_safetensors(const std::filesystem::path& path);

/// Writes a safetensors file aside, syncs and renames it. Tensors of bool, u8, i32, i64, f16, bf16,
/// f32, f64.
void write_safetensors(const std::filesystem::path& path, const TensorFile& content);

}  // namespace momap
