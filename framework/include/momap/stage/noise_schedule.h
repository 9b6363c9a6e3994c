// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace momap {

/// Signal and noise amplitudes at a noise level: x_t = alpha x_0 + sigma eps, alpha^2 + sigma^2
/// = 1.
struct NoiseLevel {
  double alpha;
  double sigma;
};

/// Cosine schedule of Nichol & Dhariwal (2021) without offset: alpha = cos(pi t / 2), t in [0, 1];
/// t = 0 is clean.
NoiseLevel cosine_schedule(double t);

}  // namespace momap
