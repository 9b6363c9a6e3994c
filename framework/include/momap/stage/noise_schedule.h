// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace momap {

/// Signal and noise amplitudes at a noise level: x_t = alpha x_0 + sigma eps. Variance-preserving
/// schedules have alpha^2 + sigma^2 = 1, flow matching has alpha + sigma = 1.
struct NoiseLevel {
  double alpha;
  double sigma;
};

/// Cosine schedule of Nichol & Dhariwal (2021) without offset: alpha = cos(pi t / 2), t in [0, 1];
/// t = 0 is clean.
NoiseLevel cosine_schedule(double t);

/// How the noise a backbone was trained on grows with time, and the unit of that time: 0 (clean) to
/// 1 (noise) for `cosine` and `flow`, trained timesteps 0 to N - 1 for a table.
class NoiseSchedule {
 public:
  enum class Kind { cosine, flow, table };

  NoiseSchedule() = default;      ///< cosine
  static NoiseSchedule cosine();  ///< `cosine_schedule`
  static NoiseSchedule flow();    ///< alpha = 1 - t, sigma = t

  /// alpha^2 of every timestep, falling, in [0, 1]; 0 at most for the last. Throws
  /// std::invalid_argument.
  static NoiseSchedule table(std::vector<double> signal_power);

  /// The cumulated products of 1 - beta (Ho et al. 2020). `zero_terminal` shifts and scales alpha
  /// so that no signal is left at the last timestep (Lin et al. 2024).
  static NoiseSchedule from_betas(const std::vector<double>& betas, bool zero_terminal = false);

  /// Betas whose roots are evenly spaced, as Stable Diffusion was trained with.
  static NoiseSchedule scaled_linear(double first_beta = 0.00085, double last_beta = 0.012,
                                     int64_t timesteps = 1000, bool zero_terminal = false);

  Kind kind() const { return kind_; }

  /// N of a table, otherwise 0.
  int64_t timesteps() const { return table_ ? static_cast<int64_t>(table_->size()) : 0; }

  /// alpha^2 by timestep; of a table only.
  const std::vector<double>& signal_power() const { return *table_; }

  /// The level at a time, which is clamped to the schedule's range. Between timesteps of a table
  /// sigma / alpha is interpolated.
  NoiseLevel at(double time) const;

  /// The time where sigma / alpha has this value (log-interpolated in a table, clamped to its
  /// ends).
  double time_of_ratio(double ratio) const;

  /// The time training asks at for `share` in [0, 1): the timestep floor(share N) of a table.
  double training_time(double share) const;

 private:
  Kind kind_ = Kind::cosine;
  std::shared_ptr<const std::vector<double>> table_;
};

}  // namespace momap
