// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_reader.h"

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>

#include <charconv>
#include <utility>

namespace momap::network {

CheckpointReader::CheckpointReader(const std::filesystem::path& path, std::string owner)
    : path_(path), owner_(std::move(owner)), file_(read_safetensors(path)) {}

std::string CheckpointReader::text(const std::string& key) {
  const auto found = file_.metadata.find(key);
  if (found != file_.metadata.end()) return found->second;
  wrong_.push_back(fmt::format("metadata '{}' is missing", key));
  return "";
}

int64_t CheckpointReader::number(const std::string& key, int64_t lowest, int64_t highest) {
  const std::string value = text(key);
  int64_t out = 0;
  const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error == std::errc{} && stop == value.data() + value.size() && out >= lowest &&
      out <= highest)
    return out;
  wrong_.push_back(fmt::format("metadata '{}' = '{}' is not an integer in [{}, {}]", key,
                               printable(value), lowest, highest));
  return lowest;
}

int64_t CheckpointReader::number_or(const std::string& key, int64_t otherwise, int64_t lowest,
                                    int64_t highest) {
  return file_.metadata.contains(key) ? number(key, lowest, highest) : otherwise;
}

void CheckpointReader::tensor(const std::string& name, const at::Tensor& target) {
  const auto found = file_.tensors.find(name);
  if (found == file_.tensors.end()) {
    wrong_.push_back(fmt::format("tensor '{}' is missing", name));
    return;
  }
  const at::Tensor stored = found->second;
  file_.tensors.erase(found);
  if (!stored.is_floating_point() || stored.sizes() != target.sizes()) {
    wrong_.push_back(fmt::format("tensor '{}' is {} [{}], expected real [{}]", name,
                                 c10::toString(stored.scalar_type()),
                                 fmt::join(stored.sizes(), ", "), fmt::join(target.sizes(), ", ")));
  } else if (!at::isfinite(stored).all().item<bool>()) {
    wrong_.push_back(fmt::format("tensor '{}' has values that are not finite", name));
  } else {
    target.copy_(stored);
  }
}

void CheckpointReader::expect(bool good, const std::string& otherwise) {
  if (!good) wrong_.push_back(otherwise);
}

void CheckpointReader::expect_nothing_left() {
  for (const auto& [name, tensor] : file_.tensors)
    wrong_.push_back(fmt::format("tensor '{}' is unknown", name));
}

void CheckpointReader::throw_if_wrong() const {
  if (wrong_.empty()) return;
  throw ConfigError(
      fmt::format("{}: not a checkpoint this {} can use:\n  {}\n  write one with `momap train`",
                  shown(path_), owner_, join(wrong_, "\n  ")));
}

}  // namespace momap::network
