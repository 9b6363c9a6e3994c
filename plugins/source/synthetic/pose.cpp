// SPDX-License-Identifier: Apache-2.0
#include "pose.h"

namespace momap::synthetic {
namespace {

// Cosine (even terms) and sine / a (odd terms) for |a| <= pi / 4.
double cosine_series(double a) {
  double c = 1;
  for (int n = 16; n >= 2; n -= 2) c = 1 - a * a / (n * (n - 1)) * c;
  return c;
}
double sine_series(double a) {
  double s = 1;
  for (int n = 16; n >= 2; n -= 2) s = 1 - a * a / (n * (n + 1)) * s;
  return s * a;
}

}  // namespace

double sine(double radians) {
  const double quarter = std::floor(radians * (2 / kPi) + 0.5);
  const double a = radians - quarter * (kPi / 2);
  const auto phase = static_cast<int>(quarter - 4 * std::floor(quarter / 4));
  if (phase == 0) return sine_series(a);
  if (phase == 1) return cosine_series(a);
  return phase == 2 ? -sine_series(a) : -cosine_series(a);
}

double cosine(double radians) { return sine(radians + kPi / 2); }

Pose Pose::operator*(const Pose& b) const {
  Pose out;
  for (size_t i = 0; i < 3; ++i) {
    out.rows[i] = b.rows[0] * rows[i].x + b.rows[1] * rows[i].y + b.rows[2] * rows[i].z;
  }
  out.t = apply(b.t);
  return out;
}

Pose Pose::inverse() const {
  Pose out;
  out.rows = {{{rows[0].x, rows[1].x, rows[2].x},
               {rows[0].y, rows[1].y, rows[2].y},
               {rows[0].z, rows[1].z, rows[2].z}}};
  out.t = -out.rotate(t);
  return out;
}

Pose translation(const Vec3& t) {
  Pose out;
  out.t = t;
  return out;
}

Pose rotation(const Vec3& axis, double radians) {
  const double s = sine(radians), c = cosine(radians), k = 1 - c;
  const auto& [x, y, z] = axis;
  Pose out;
  out.rows = {{{c + x * x * k, x * y * k - z * s, x * z * k + y * s},
               {y * x * k + z * s, c + y * y * k, y * z * k - x * s},
               {z * x * k - y * s, z * y * k + x * s, c + z * z * k}}};
  return out;
}

Pose rotation_about(const Vec3& point, const Vec3& axis, double radians) {
  Pose out = rotation(axis, radians);
  out.t = point - out.rotate(point);
  return out;
}

}  // namespace momap::synthetic
