// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/run/single_sample.h>
#include <momap/train/completing.h>

#include <array>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace momap {

/// The examples of a recipe that teaches a completer: computed from its graph when first asked for
/// and kept as two files each, so that memory does not grow with their number and a resumed run
/// finds what it had.
class HoleExamples final : public HoleSet {
 public:
  /// `pairs`: steps of the graph that give a partial clip, and what is truly seen. Each sample of
  /// the graph gives an example of every pair.
  HoleExamples(const Graph& graph, const std::vector<std::pair<size_t, size_t>>& pairs,
               std::filesystem::path folder, const std::function<bool()>* cancelled);

  int64_t size() const override {
    return sources_.front()->size() * static_cast<int64_t>(sources_.size());
  }
  HoleExample example(int64_t i) const override;

 private:
  std::vector<std::unique_ptr<SingleSamples>> sources_;  // one a pair
  std::filesystem::path folder_;
  const std::function<bool()>* cancelled_;
  mutable std::array<std::mutex, 64> making_;  // so that no example is made twice at once
};

}  // namespace momap
