// SPDX-License-Identifier: Apache-2.0
#include <momap/stage/noise_schedule.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

namespace momap {
namespace {

double ratio_of(double signal_power) {
  return signal_power > 0 ? std::sqrt((1 - signal_power) / signal_power)
                          : std::numeric_limits<double>::infinity();
}

NoiseLevel level_of_ratio(double ratio) {
  if (std::isinf(ratio)) return {0, 1};
  const double alpha = 1 / std::sqrt(1 + ratio * ratio);
  return {alpha, ratio * alpha};
}

}  // namespace

NoiseLevel cosine_schedule(double t) {
  const double angle = 0.5 * std::numbers::pi * t;
  return {std::cos(angle), std::sin(angle)};
}

NoiseSchedule NoiseSchedule::cosine() { return {}; }

NoiseSchedule NoiseSchedule::flow() {
  NoiseSchedule out;
  out.kind_ = Kind::flow;
  return out;
}

NoiseSchedule NoiseSchedule::table(std::vector<double> signal_power) {
  bool good = signal_power.size() >= 2 && signal_power.front() < 1 && signal_power.back() >= 0;
  for (size_t i = 1; good && i < signal_power.size(); ++i) {
    good = signal_power[i] < signal_power[i - 1];
  }
  if (!good) {
    throw std::invalid_argument(
        "a noise schedule needs at least two timesteps whose signal falls strictly from below 1 to "
        "0 or more");
  }
  NoiseSchedule out;
  out.kind_ = Kind::table;
  out.table_ = std::make_shared<const std::vector<double>>(std::move(signal_power));
  return out;
}

NoiseSchedule NoiseSchedule::from_betas(const std::vector<double>& betas, bool zero_terminal) {
  std::vector<double> power(betas.size());
  double product = 1;
  for (size_t i = 0; i < betas.size(); ++i) power[i] = product *= 1 - betas[i];
  if (zero_terminal && !power.empty()) {
    const double first = std::sqrt(power.front());
    const double last = std::sqrt(power.back());
    for (double& p : power) {
      const double alpha = (std::sqrt(p) - last) * first / (first - last);
      p = alpha * alpha;
    }
  }
  return table(std::move(power));
}

NoiseSchedule NoiseSchedule::scaled_linear(double first_beta, double last_beta, int64_t timesteps,
                                           bool zero_terminal) {
  std::vector<double> betas(static_cast<size_t>(std::max<int64_t>(0, timesteps)));
  const double first = std::sqrt(first_beta);
  const double step =
      (std::sqrt(last_beta) - first) / static_cast<double>(std::max<int64_t>(1, timesteps - 1));
  for (size_t i = 0; i < betas.size(); ++i) {
    const double root = first + step * static_cast<double>(i);
    betas[i] = root * root;
  }
  return from_betas(betas, zero_terminal);
}

NoiseLevel NoiseSchedule::at(double time) const {
  if (kind_ == Kind::cosine) return cosine_schedule(std::clamp(time, 0.0, 1.0));
  if (kind_ == Kind::flow) {
    const double t = std::clamp(time, 0.0, 1.0);
    return {1 - t, t};
  }
  const std::vector<double>& power = *table_;
  const double t = std::clamp(time, 0.0, static_cast<double>(power.size() - 1));
  const auto below = static_cast<size_t>(t);
  const double share = t - static_cast<double>(below);
  if (share == 0) return {std::sqrt(power[below]), std::sqrt(1 - power[below])};
  return level_of_ratio((1 - share) * ratio_of(power[below]) + share * ratio_of(power[below + 1]));
}

double NoiseSchedule::time_of_ratio(double ratio) const {
  if (kind_ == Kind::cosine) return std::atan(ratio) * 2 / std::numbers::pi;
  if (kind_ == Kind::flow) return std::isinf(ratio) ? 1 : ratio / (1 + ratio);
  const std::vector<double>& power = *table_;
  const auto above = std::partition_point(power.begin(), power.end(),
                                          [&](double p) { return ratio_of(p) <= ratio; });
  if (above == power.begin()) return 0;
  if (above == power.end()) return static_cast<double>(power.size() - 1);
  const auto below = static_cast<double>(above - power.begin() - 1);
  const double low = std::log(ratio_of(*(above - 1)));
  const double high = std::log(ratio_of(*above));
  return std::isinf(high) ? below : below + (std::log(ratio) - low) / (high - low);
}

double NoiseSchedule::training_time(double share) const {
  return kind_ == Kind::table ? std::floor(share * static_cast<double>(timesteps())) : share;
}

}  // namespace momap
