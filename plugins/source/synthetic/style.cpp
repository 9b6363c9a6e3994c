// SPDX-License-Identifier: Apache-2.0
#include "style.h"

#include <algorithm>
#include <array>

namespace momap::synthetic {
namespace {

struct Range {
  double low, high;
};

Range range_of(Split split) {
  if (split == Split::train) return {0, 0.6};
  return split == Split::val ? Range{0.6, 0.8} : Range{0.8, 1};
}

}  // namespace

double Style::proportion() {
  const auto [low, high] = range_of(split_);
  return between(low, high);
}

int Style::design() { return static_cast<int>(proportion() * 5); }

int Style::variant() { return static_cast<int>(proportion() * kVariants); }

Vec3 Style::jitter(const Vec3& rgb, double amount) {
  const auto one = [&](double c) {
    return std::clamp(c * between(1 - amount, 1 + amount), 0., 1.);
  };
  const double r = one(rgb.x), g = one(rgb.y);
  return {r, g, one(rgb.z)};
}

Colour Style::colour() {
  static const std::array<Colour, 10> kColours{{{"red", {0.72, 0.06, 0.05}},
                                                {"orange", {0.85, 0.27, 0.03}},
                                                {"yellow", {0.86, 0.62, 0.06}},
                                                {"green", {0.08, 0.42, 0.10}},
                                                {"teal", {0.03, 0.40, 0.42}},
                                                {"blue", {0.05, 0.17, 0.66}},
                                                {"purple", {0.28, 0.08, 0.46}},
                                                {"pink", {0.84, 0.30, 0.45}},
                                                {"white", {0.82, 0.82, 0.80}},
                                                {"black", {0.05, 0.05, 0.06}}}};
  Colour out = kColours[static_cast<size_t>(random.below(kColours.size()))];
  out.rgb = jitter(out.rgb, 0.15);
  return out;
}

Vec3 Style::quiet() {
  static constexpr std::array<Vec3, 7> kQuiet{{{0.62, 0.58, 0.50},
                                               {0.48, 0.55, 0.58},
                                               {0.66, 0.62, 0.58},
                                               {0.50, 0.56, 0.46},
                                               {0.64, 0.50, 0.42},
                                               {0.56, 0.54, 0.60},
                                               {0.70, 0.66, 0.52}}};
  return jitter(kQuiet[static_cast<size_t>(random.below(kQuiet.size()))], 0.12);
}

Vec3 Style::brown() {
  static constexpr std::array<Vec3, 4> kBrown{
      {{0.38, 0.19, 0.08}, {0.52, 0.31, 0.14}, {0.24, 0.11, 0.05}, {0.60, 0.42, 0.23}}};
  return jitter(kBrown[static_cast<size_t>(random.below(kBrown.size()))], 0.15);
}

Material Style::plain(const Vec3& rgb) { return {Look::plain, variant(), rgb, rgb * 0.8, 1}; }

Material Style::painted(const Colour& colour, double tile) {
  static constexpr std::array<Look, 7> kAmong{Look::plain, Look::stripes, Look::checker,
                                              Look::dots,  Look::fabric,  Look::zigzag,
                                              Look::wood};
  const Look look = kAmong[static_cast<size_t>(random.below(kAmong.size()))];
  // Second colour: lighter when the first is dark, darker when it is light.
  const double sum = colour.rgb.x + colour.rgb.y + colour.rgb.z;
  const Vec3 second = sum < 1.2 ? colour.rgb * 0.45 + Vec3{0.42, 0.40, 0.36} : colour.rgb * 0.42;
  const bool grain = look == Look::wood;
  return {look, variant(), colour.rgb, grain ? colour.rgb * 0.55 : second, tile};
}

Material Style::wood(double tile) {
  const Vec3 rgb = brown();
  return {coin(0.7) ? Look::wood : Look::planks, variant(), rgb, rgb * 0.5, tile};
}

Material Style::wall() {
  static constexpr std::array<Look, 6> kAmong{Look::plaster, Look::plaster, Look::brick,
                                              Look::stripes, Look::tiles,   Look::zigzag};
  const Look look = kAmong[static_cast<size_t>(random.below(kAmong.size()))];
  const Vec3 rgb = quiet();
  if (look == Look::brick) return {look, variant(), jitter({0.46, 0.17, 0.11}, 0.25), quiet(), 1};
  if (look == Look::tiles) return {look, variant(), rgb, rgb * 0.55, 0.9};
  const double shade = look == Look::plaster ? 0.75 : 0.82;
  return {look, variant(), rgb, rgb * shade, between(0.5, 1.1)};
}

Material Style::floor() {
  static constexpr std::array<Look, 5> kAmong{Look::planks, Look::planks, Look::tiles,
                                              Look::checker, Look::fabric};
  const Look look = kAmong[static_cast<size_t>(random.below(kAmong.size()))];
  if (look == Look::planks) {
    const Vec3 rgb = brown();
    return {look, variant(), rgb, rgb * 0.3, 1.2};
  }
  const Vec3 rgb = quiet();
  return {look, variant(), rgb, rgb * (look == Look::checker ? 0.35 : 0.6), between(1.2, 2)};
}

}  // namespace momap::synthetic
