// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/mapped_file.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace momap {

/// Named tensors and text, as a safetensors file holds them.
struct TensorFile {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Whether a reader looks at every value for ones that mean nothing (a BOOL that is neither 0 nor
/// 1, NaN in a valid pixel). Bytes whose checksum shows that they are as they were written need not
/// be looked at again. Lengths, types and shapes are always checked.
enum class ValueCheck { all, none };

/// Reads a safetensors file, memory-mapped; tensors are views that keep the mapping alive. Every
/// length and offset is checked against the file. Throws ConfigError with file, key, expected and
/// found.
TensorFile read_safetensors(const std::filesystem::path& path);

/// The same for a safetensors file that is part of another: `size` bytes from `offset` of `file`.
/// `owner` begins the messages.
TensorFile read_safetensors(const std::shared_ptr<MappedFile>& file, uint64_t offset, uint64_t size,
                            const std::string& owner, ValueCheck values = ValueCheck::all);

/// Writes a safetensors file aside, syncs and renames it. Tensors of bool, u8, i32, i64, f16, bf16,
/// f32, f64.
void write_safetensors(const std::filesystem::path& path, const TensorFile& content);

/// What `write_safetensors` writes.
std::vector<std::byte> safetensors_bytes(const TensorFile& content);

/// The format's name of an element type ("F32"), and back; nothing for a name that is not known.
/// Throws std::invalid_argument for a type that cannot be stored.
std::string safetensors_type(at::ScalarType type);
std::optional<at::ScalarType> safetensors_type(std::string_view name);

}  // namespace momap
