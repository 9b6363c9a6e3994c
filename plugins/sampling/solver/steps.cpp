// SPDX-License-Identifier: Apache-2.0
#include "steps.h"

#include <fmt/format.h>
#include <momap/base/error.h>

#include <algorithm>
#include <cmath>

namespace sampling {
namespace {

using momap::NoiseLevel;
using momap::NoiseSchedule;
using momap::Prediction;

// Noise to signal at the ends of Karras' spacing where the schedule does not bound it.
constexpr double kLeastRatio = 0.002;
constexpr double kMostRatio = 80;
constexpr double kRho = 7;

// Noise predictions say nothing of the clean latent where there is only noise; on continuous
// schedules they start just below.
constexpr double kNoisiestTime = 0.999;

double ratio(const NoiseLevel& level) { return level.sigma / level.alpha; }
double finite_ratio(const NoiseLevel& level) { return level.alpha > 0 ? ratio(level) : kMostRatio; }

NoiseLevel level_of_ratio(const NoiseSchedule& schedule, double ratio) {
  const double alpha =
      schedule.kind() == NoiseSchedule::Kind::flow ? 1 / (1 + ratio) : 1 / std::hypot(1, ratio);
  return {alpha, ratio * alpha};
}

NoiseLevel end_level(const NoiseSchedule& schedule, const StepOptions& options) {
  return options.ends_clean || schedule.timesteps() == 0 ? NoiseLevel{1, 0} : schedule.at(0);
}

// `count` ratios from the highest to the lowest, evenly spaced in their rho-th root.
std::vector<double> karras_ratios(double highest, double lowest, int64_t count) {
  std::vector<double> out;
  for (int64_t i = 0; i < count; ++i) {
    const double share = count > 1 ? static_cast<double>(i) / static_cast<double>(count - 1) : 0.0;
    const double from = std::pow(highest, 1 / kRho);
    out.push_back(std::pow(from + share * (std::pow(lowest, 1 / kRho) - from), kRho));
  }
  return out;
}

// Steps that each end where the next one begins.
Steps chain(const std::vector<double>& times, const std::vector<NoiseLevel>& levels,
            NoiseLevel end) {
  Steps out;
  for (size_t i = 0; i < times.size(); ++i) {
    out.list.push_back({times[i], levels[i], i + 1 < times.size() ? levels[i + 1] : end});
  }
  return out;
}

Steps at_times(const NoiseSchedule& schedule, const std::vector<double>& times, NoiseLevel end) {
  std::vector<NoiseLevel> levels;
  for (const double time : times) levels.push_back(schedule.at(time));
  return chain(times, levels, end);
}

Steps at_ratios(const NoiseSchedule& schedule, const std::vector<double>& ratios, bool whole_times,
                NoiseLevel end) {
  std::vector<double> times;
  std::vector<NoiseLevel> levels;
  for (const double r : ratios) {
    const double time = schedule.time_of_ratio(r);
    times.push_back(whole_times && schedule.timesteps() > 0 ? std::nearbyint(time) : time);
    levels.push_back(level_of_ratio(schedule, r));
  }
  return chain(times, levels, end);
}

std::vector<double> continuous_times(Prediction prediction, int64_t count) {
  const double start = prediction == Prediction::epsilon ? kNoisiestTime : 1.0;
  std::vector<double> times;
  for (int64_t i = 0; i < count; ++i) {
    times.push_back(start * (1 - static_cast<double>(i) / static_cast<double>(count)));
  }
  return times;
}

// Evenly spaced timesteps of a table, falling. `leading` leaves out the last `skipped` of its
// strides from the top; `linspace` goes through `skipped` further points at the end.
std::vector<double> table_times(const NoiseSchedule& schedule, const StepOptions& options,
                                int64_t skipped, bool round_linspace) {
  const int64_t n = schedule.timesteps();
  const int64_t count = options.count;
  if (count + skipped > n) {
    throw momap::ConfigError(fmt::format(
        "sampling: 'steps' = {} is more than the {} timesteps of the backbone's schedule allow; "
        "expected at most {}",
        count, n, n - skipped));
  }
  std::vector<double> times;
  for (int64_t i = 0; i < count; ++i) {
    const auto position = static_cast<double>(i);
    switch (options.spacing) {
      case Spacing::leading: {
        const int64_t stride = n / (count + skipped);
        times.push_back(static_cast<double>((count - 1 + skipped - i) * stride + options.offset));
        break;
      }
      case Spacing::linspace: {
        const auto intervals = static_cast<double>(std::max<int64_t>(1, count + skipped - 1));
        const double time = static_cast<double>(n - 1) * (1 - position / intervals);
        times.push_back(round_linspace ? std::nearbyint(time) : time);
        break;
      }
      case Spacing::trailing:
        times.push_back(std::nearbyint(static_cast<double>(n) - position * static_cast<double>(n) /
                                                                    static_cast<double>(count)) -
                        1);
        break;
    }
  }
  if (times.front() > static_cast<double>(n - 1)) {
    throw momap::ConfigError(fmt::format(
        "sampling: 'offset' = {} puts the first timestep at {}; the backbone's schedule "
        "ends at {}",
        options.offset, times.front(), n - 1));
  }
  return times;
}

Steps checked(Steps steps, Prediction prediction) {
  if (prediction == Prediction::epsilon && steps.list.front().from.alpha <= 0) {
    throw momap::ConfigError(
        "sampling: the backbone predicts noise, which says nothing where there is no signal, and "
        "its schedule has none at the first timestep; use 'spacing: leading'");
  }
  return steps;
}

Steps karras_of_schedule(const NoiseSchedule& schedule, const StepOptions& options,
                         bool whole_times) {
  double lowest = kLeastRatio;
  double highest = kMostRatio;
  if (const int64_t n = schedule.timesteps(); n > 0) {
    lowest = ratio(schedule.at(0));
    highest = finite_ratio(schedule.at(static_cast<double>(n - 1)));
  }
  return at_ratios(schedule, karras_ratios(highest, lowest, options.count), whole_times,
                   end_level(schedule, options));
}

}  // namespace

Steps ddim_steps(const NoiseSchedule& schedule, Prediction prediction, const StepOptions& options) {
  if (schedule.timesteps() == 0) {
    return at_times(schedule, continuous_times(prediction, options.count), {1, 0});
  }
  Steps out;
  const int64_t stride = schedule.timesteps() / options.count;
  for (const double time : table_times(schedule, options, 0, true)) {
    const double next = time - static_cast<double>(stride);
    out.list.push_back(
        {time, schedule.at(time), next >= 0 ? schedule.at(next) : end_level(schedule, options)});
  }
  return checked(std::move(out), prediction);
}

Steps dpm_solver_steps(const NoiseSchedule& schedule, Prediction prediction,
                       const StepOptions& options) {
  if (options.karras) return checked(karras_of_schedule(schedule, options, true), prediction);
  if (schedule.timesteps() == 0) {
    return at_times(schedule, continuous_times(prediction, options.count), {1, 0});
  }
  return checked(
      at_times(schedule, table_times(schedule, options, 1, true), end_level(schedule, options)),
      prediction);
}

Steps euler_steps(const NoiseSchedule& schedule, Prediction prediction,
                  const StepOptions& options) {
  if (schedule.timesteps() == 0) {
    if (options.karras) return checked(karras_of_schedule(schedule, options, false), prediction);
    return at_times(schedule, continuous_times(prediction, options.count), {1, 0});
  }
  Steps out =
      at_times(schedule, table_times(schedule, options, 0, false), end_level(schedule, options));
  if (options.karras) {
    out = at_ratios(schedule,
                    karras_ratios(finite_ratio(out.list.front().from), ratio(out.list.back().from),
                                  options.count),
                    false, end_level(schedule, options));
  }
  // Spacings that start at the last timestep take the latent for pure noise there.
  if (options.spacing != Spacing::leading) out.start = out.list.front().from.sigma;
  return checked(std::move(out), prediction);
}

}  // namespace sampling
