// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "motion.h"

namespace momap::metric {

/// K samples and M true futures of one image.
///
/// A pixel counts where every true future is valid. One that a sample leaves invalid counts as
/// resting at its place in frame 0: leaving out what is hard must not pay.
class Futures {
 public:
  /// From the ports `samples: momap*` and `reference: momap | clip`.
  Futures(const Inputs& inputs, std::string_view owner) {
    if (const auto* momap = inputs.get<MoMap>("reference")) {
      truths_.emplace_back(*momap, "the reference", owner);
    } else {
      const auto& futures = true_futures(*inputs.get<Clip>("reference"), owner);
      for (size_t m = 0; m < futures.size(); ++m) {
        truths_.emplace_back(futures[m].motion, fmt::format("true future {}", m), owner);
        truths_.back().require_size_of(truths_.front());
      }
    }
    const auto samples = inputs.all<MoMap>("samples");
    for (size_t k = 0; k < samples.size(); ++k) {
      samples_.emplace_back(*samples[k], fmt::format("sample {}", k), owner);
      samples_.back().require_size_of(truths_.front());
    }
    if (samples_.empty()) throw DataError(fmt::format("{}: there is no sample to score", owner));
    valid_.resize(pixels());
    gaps_.resize(samples_.size());
    for (int64_t i = 0; i < pixels(); ++i) {
      valid_[i] = std::ranges::all_of(truths_, [&](const Motion& truth) { return truth.valid(i); });
      for (size_t k = 0; valid_[i] && k < samples_.size(); ++k) {
        if (!samples_[k].valid(i)) gaps_[k].push_back(i);
      }
    }
  }

  const std::vector<Motion>& samples() const { return samples_; }
  const std::vector<Motion>& truths() const { return truths_; }
  int64_t frames() const { return truths_[0].frames(); }
  int64_t height() const { return truths_[0].height(); }
  int64_t width() const { return truths_[0].width(); }
  int64_t pixels() const { return truths_[0].pixels(); }
  bool valid(int64_t i) const { return valid_[i] != 0; }

  /// Where sample k puts pixel i in frame t; see the rule above. For valid pixels.
  const float* sample_at(size_t k, int64_t t, int64_t i) const {
    return samples_[k].valid(i) ? samples_[k].at(t, i) : truths_[0].at(0, i);
  }

  /// The same for pixels [first, last): 3 floats each, of no meaning where not valid.
  void copy_sample(size_t k, int64_t t, int64_t first, int64_t last, float* xyz) const {
    std::copy_n(samples_[k].at(t, first), 3 * (last - first), xyz);
    for (const int64_t gap : gaps(k, first, last)) {
      std::copy_n(truths_[0].at(0, gap), 3, xyz + 3 * (gap - first));
    }
  }

  /// Valid pixels of [first, last) that sample k leaves invalid.
  std::span<const int64_t> gaps(size_t k, int64_t first, int64_t last) const {
    return {std::ranges::lower_bound(gaps_[k], first), std::ranges::lower_bound(gaps_[k], last)};
  }

  /// Throws DataError naming the first position that is not finite. Called where a sum over
  /// samples and true futures came out not finite.
  [[noreturn]] void refuse_not_finite() const {
    for (const Motion& truth : truths_) truth.require_finite();
    for (const Motion& sample : samples_) sample.require_finite();
    samples_.front().refuse_not_finite();
  }

  /// Why nothing can be said of future frames, or "".
  std::string undefined_reason() const {
    if (frames() < 2) return "the motion map has no frame after frame 0";
    if (std::ranges::none_of(valid_, [](uint8_t valid) { return valid != 0; })) {
      return "no pixel is valid in all true futures";
    }
    return "";
  }

 private:
  std::vector<Motion> samples_, truths_;
  std::vector<uint8_t> valid_;              // [H * W]
  std::vector<std::vector<int64_t>> gaps_;  // [K], valid pixels that the sample leaves invalid
};

}  // namespace momap::metric
