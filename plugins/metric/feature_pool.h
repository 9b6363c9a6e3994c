// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/stage/metric.h>

#include <algorithm>
#include <string>
#include <utility>

#include "frechet_distance.h"
#include "values.h"

namespace momap::metric {

// Names of Score::features: f32 [N, D].
inline constexpr const char* kResultFeatures = "result";
inline constexpr const char* kReferenceFeatures = "reference";

inline at::Tensor to_tensor(const Features& features) {
  at::Tensor tensor = at::empty({features.rows(), features.cols()}, at::kFloat);
  std::copy_n(features.data(), features.size(), tensor.data_ptr<float>());
  return tensor;
}

/// Frechet distance between all result and all reference features of a run.
class FrechetPool final : public ScorePool {
 public:
  /// `name` is the value's; `owner` is the metric, for messages.
  FrechetPool(std::string name, std::string owner)
      : name_(std::move(name)), owner_(std::move(owner)) {}

  void add(const Score& score) override {
    add(score, kResultFeatures, result_);
    add(score, kReferenceFeatures, reference_);
  }

  Score total() const override {
    const ScoreValue distance = error(name_, "");
    ScoreValue count{name_ + "_vectors", "", Direction::higher_is_better, std::nullopt, ""};
    count.worst = 0;
    const int64_t fewest = std::min(result_.count(), reference_.count());
    return {{fewest < 2 ? undefined(distance, "two vectors of each set are needed at least")
                        : defined(distance, frechet_distance(result_, reference_)),
             defined(count, static_cast<double>(fewest))}};
  }

 private:
  void add(const Score& score, const char* which, FeatureMoments& moments) const {
    const auto found = score.features.find(which);
    if (found == score.features.end()) return;
    const at::Tensor features = found->second.contiguous();
    if (moments.count() > 0 && features.size(1) != moments.size()) {
      throw DataError(fmt::format(
          "{}: the {} has {} features a vector but those before {}; a set is of samples "
          "of one size",
          owner_, which, features.size(1), moments.size()));
    }
    using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    moments.add(
        Eigen::Map<const Rows>(features.data_ptr<float>(), features.size(0), features.size(1))
            .cast<double>());
  }

  std::string name_, owner_;
  FeatureMoments result_, reference_;
};

}  // namespace momap::metric
