// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/tensor_file.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace momap::network {

/// Reads the metadata and the tensors of a checkpoint (safetensors) and gathers what is wrong with
/// them, so that all of it is said at once.
class CheckpointReader {
 public:
  /// `owner` is the plugin that reads, for the message. Throws ConfigError for a file that cannot
  /// be read.
  CheckpointReader(const std::filesystem::path& path, std::string owner);

  std::string text(const std::string& key);
  int64_t number(const std::string& key, int64_t lowest, int64_t highest);
  /// For what older checkpoints do not say.
  int64_t number_or(const std::string& key, int64_t otherwise, int64_t lowest, int64_t highest);

  /// Copies the tensor of this name into `target`, which has its shape.
  void tensor(const std::string& name, const at::Tensor& target);

  void expect(bool good, const std::string& otherwise);
  void expect_nothing_left();

  /// ConfigError with all that was found.
  void throw_if_wrong() const;

 private:
  std::filesystem::path path_;
  std::string owner_;
  TensorFile file_;
  std::vector<std::string> wrong_;
};

}  // namespace momap::network
