// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>

// Vectors and rigid poses with a fixed order of operations: together with -ffp-contract=off and the
// trigonometry below, every number that decides a sample is the same on any IEEE 754 machine.

namespace momap::synthetic {

inline constexpr double kPi = 3.14159265358979323846;

struct Vec3 {
  double x = 0, y = 0, z = 0;

  Vec3 operator+(const Vec3& b) const { return {x + b.x, y + b.y, z + b.z}; }
  Vec3 operator-(const Vec3& b) const { return {x - b.x, y - b.y, z - b.z}; }
  Vec3 operator*(double s) const { return {x * s, y * s, z * s}; }
  Vec3 operator-() const { return {-x, -y, -z}; }
  bool operator==(const Vec3&) const = default;
};

inline double dot(const Vec3& a, const Vec3& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vec3 cross(const Vec3& a, const Vec3& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline double length(const Vec3& a) { return std::sqrt(dot(a, a)); }
inline Vec3 normalized(const Vec3& a) {
  const double norm = length(a);
  return norm > 0 ? a * (1 / norm) : a;
}

/// Sine and cosine by series: the C library's differ in the last bit from machine to machine.
double sine(double radians);
double cosine(double radians);

/// A rigid transform: p -> R p + t.
struct Pose {
  std::array<Vec3, 3> rows{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};  // of R
  Vec3 t;

  Vec3 rotate(const Vec3& v) const { return {dot(rows[0], v), dot(rows[1], v), dot(rows[2], v)}; }
  Vec3 rotate_back(const Vec3& v) const { return rows[0] * v.x + rows[1] * v.y + rows[2] * v.z; }
  Vec3 apply(const Vec3& p) const { return rotate(p) + t; }
  Vec3 apply_inverse(const Vec3& p) const { return rotate_back(p - t); }
  Pose operator*(const Pose& b) const;  ///< b first
  Pose inverse() const;
  bool operator==(const Pose&) const = default;
};

Pose translation(const Vec3& t);
/// About an axis (unit) through the origin.
Pose rotation(const Vec3& axis, double radians);
/// About an axis through `point`.
Pose rotation_about(const Vec3& point, const Vec3& axis, double radians);

}  // namespace momap::synthetic
