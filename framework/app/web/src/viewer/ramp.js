// SPDX-License-Identifier: Apache-2.0
// From low to high at equal steps: dark violet, magenta, orange, pale yellow; red, green, blue in 0..1.
export const RAMP = [
  [0.16, 0.08, 0.42],
  [0.72, 0.16, 0.47],
  [0.98, 0.58, 0.16],
  [0.98, 0.96, 0.62],
];
