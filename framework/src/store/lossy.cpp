// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/base/clones.h>
#include <momap/base/error.h>
#include <momap/store/codec.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "encoded_header.h"

// A motion map with loss: each coordinate's path is taken apart by an orthonormal cosine transform
// (DCT-II) over time, each coefficient is rounded to a multiple of one step, and what is left is
// coded without loss, rows of the image being predicted from those above. Because the transform
// keeps lengths, the error in coefficients is the error in metres.
//
// Layout after the header: f32 step, u32 rows of a band, i32 block [1, H * W] of `valid`; then for
// each band and each coefficient a block [rows, W * 3] of i32.

namespace momap {
namespace {

constexpr int64_t kBandWords = 16 << 10;  // numbers of a band; 24 coefficients of it fit a cache
constexpr int64_t kTile = 512;            // numbers transformed at a time
constexpr int64_t kMostFrames = 4096;     // the transform over time is a table of T x T floats
constexpr int kAttempts = 8;
constexpr double kMostQuantised = 1 << 30;

struct Sizes {
  int64_t frames, height, width;
  explicit Sizes(at::IntArrayRef s) : frames(s[0]), height(s[1]), width(s[2]) {}
  int64_t row() const { return 3 * width; }
  int64_t frame() const { return height * row(); }
  int64_t band_rows() const {
    return std::clamp<int64_t>(kBandWords / std::max<int64_t>(1, row()), 1,
                               std::max<int64_t>(1, height));
  }
};

// Orthonormal DCT-II, [k][t].
std::vector<float> cosines(int64_t frames) {
  std::vector<float> basis(static_cast<size_t>(frames * frames));
  const double n = static_cast<double>(frames);
  for (int64_t k = 0; k < frames; ++k) {
    for (int64_t t = 0; t < frames; ++t) {
      const double angle =
          std::numbers::pi * (static_cast<double>(t) + 0.5) * static_cast<double>(k) / n;
      basis[static_cast<size_t>(k * frames + t)] =
          static_cast<float>(std::sqrt((k == 0 ? 1 : 2) / n) * std::cos(angle));
    }
  }
  return basis;
}

// out[i] = sum over j of factors[j] * in[j][i], four terms at a time.
MOMAP_CLONES
void combine(const std::vector<const float*>& in, const std::vector<float>& factors, int64_t count,
             float* __restrict out) {
  std::fill_n(out, count, 0.0f);
  size_t j = 0;
  for (; j + 4 <= in.size(); j += 4) {
    const float *a = in[j], *b = in[j + 1], *c = in[j + 2], *d = in[j + 3];
    const float fa = factors[j], fb = factors[j + 1], fc = factors[j + 2], fd = factors[j + 3];
    for (int64_t i = 0; i < count; ++i) {
      out[i] += (fa * a[i] + fb * b[i]) + (fc * c[i] + fd * d[i]);
    }
  }
  for (; j < in.size(); ++j) {
    const float* a = in[j];
    const float fa = factors[j];
    for (int64_t i = 0; i < count; ++i) out[i] += fa * a[i];
  }
}

// first[i] and last[i] = even[i] +- odd[i]
MOMAP_CLONES
void add_and_subtract(const float* even, const float* odd, int64_t count, float* __restrict first,
                      float* __restrict last) {
  for (int64_t i = 0; i < count; ++i) {
    const float sum = even[i] + odd[i], difference = even[i] - odd[i];
    first[i] = sum;
    last[i] = difference;
  }
}

// All coefficients [T, H * W * 3] of a map.
std::vector<float> transform(const at::Tensor& xyz, const Sizes& sizes) {
  const auto basis = cosines(sizes.frames);
  const auto* in = xyz.data_ptr<float>();
  const int64_t n = sizes.frame();
  std::vector<float> out(static_cast<size_t>(sizes.frames * n));
  std::vector<const float*> frames(static_cast<size_t>(sizes.frames));
  for (int64_t first = 0; first < n; first += kTile) {
    const int64_t count = std::min(kTile, n - first);
    for (size_t t = 0; t < frames.size(); ++t) {
      frames[t] = in + static_cast<int64_t>(t) * n + first;
    }
    for (int64_t k = 0; k < sizes.frames; ++k) {
      const auto row = basis.begin() + k * sizes.frames;
      combine(frames, {row, row + sizes.frames}, count, out.data() + k * n + first);
    }
  }
  return out;
}

MOMAP_CLONES
void scale(const uint32_t* __restrict words, float step, int64_t count, float* __restrict out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(static_cast<int32_t>(words[i])) * step;
  }
}

// The squared error of rounding to multiples of `step`, summed over coefficients of valid pixels.
double rounding_error(const std::vector<float>& coefficients, const bool* valid, int64_t pixels,
                      double step) {
  const auto width = static_cast<float>(step);
  const float inverse = 1 / width;
  double sum = 0;
  for (size_t first = 0; first < coefficients.size(); first += static_cast<size_t>(3 * pixels)) {
    for (int64_t p = 0; p < pixels; ++p) {
      if (!valid[p]) continue;
      for (size_t c = 0; c < 3; ++c) {
        const float value = coefficients[first + 3 * static_cast<size_t>(p) + c];
        const float off = value - std::nearbyint(value * inverse) * width;
        sum += static_cast<double>(off) * off;
      }
    }
  }
  return sum;
}

// The widest step whose rounding stays within `allowed` (squared, summed): bisection.
double widest_step(const std::vector<float>& coefficients, const bool* valid, int64_t pixels,
                   double allowed, double rmse) {
  double low = rmse * 0.5, high = rmse * 64;
  if (rounding_error(coefficients, valid, pixels, high) <= allowed) return high;
  for (int i = 0; i < 8; ++i) {
    const double middle = std::sqrt(low * high);
    (rounding_error(coefficients, valid, pixels, middle) <= allowed ? low : high) = middle;
  }
  return low;
}

EncodedTensor quantised(const std::vector<float>& coefficients, const at::Tensor& valid,
                        const Sizes& sizes, float step) {
  EncodedTensor out;
  put_header({.method = EncodedHeader::Method::lossy,
              .type = at::kFloat,
              .sizes = {sizes.frames, sizes.height, sizes.width, 3}},
             out);
  put_number(out, step);
  put_number(out, static_cast<uint32_t>(sizes.band_rows()));
  BlockCoder coder;
  const bool* known = valid.data_ptr<bool>();
  coder.encode(reinterpret_cast<const uint8_t*>(known), sizes.height, sizes.width, sizes.width,
               NumberKind::integer, out);
  const float inverse = 1 / step;
  std::vector<uint32_t> band(static_cast<size_t>(sizes.band_rows() * sizes.row()));
  for (int64_t top = 0; top < sizes.height; top += sizes.band_rows()) {
    const int64_t rows = std::min(sizes.band_rows(), sizes.height - top);
    for (int64_t k = 0; k < sizes.frames; ++k) {
      const float* values = coefficients.data() + k * sizes.frame() + top * sizes.row();
      const bool* mask = known + top * sizes.width;
      for (int64_t i = 0; i < rows * sizes.row(); ++i) {
        // What is not kept costs least when it repeats the row above.
        band[static_cast<size_t>(i)] =
            mask[i / 3]
                ? static_cast<uint32_t>(static_cast<int32_t>(std::nearbyint(values[i] * inverse)))
            : i >= sizes.row() ? band[static_cast<size_t>(i - sizes.row())]
                               : 0;
      }
      coder.encode(band.data(), rows, sizes.row(), sizes.row(), NumberKind::integer, out);
    }
  }
  return out;
}

// The inverse transform of a band. Even coefficients are symmetric in time and odd ones
// antisymmetric, so half of the frames give the other half.
class Inverse {
 public:
  explicit Inverse(int64_t frames) : frames_(frames), basis_(cosines(frames)) {}

  void clear() {
    for (auto& part : parts_) part = {};
  }

  /// Coefficient k of the band's numbers.
  void add(int64_t k, const float* values) {
    parts_[k % 2].order.push_back(k);
    parts_[k % 2].values.push_back(values);
  }

  /// Writes frame t to out + t * stride.
  void run(int64_t count, float* out, int64_t stride) {
    std::array<std::array<float, kTile>, 2> sums;
    for (int64_t first = 0; first < count; first += kTile) {
      const int64_t tile = std::min(kTile, count - first);
      for (int64_t t = 0; t < (frames_ + 1) / 2; ++t) {
        for (size_t odd = 0; odd < 2; ++odd) sum(parts_[odd], t, first, tile, sums[odd].data());
        const int64_t mirrored = frames_ - 1 - t;
        float* now = out + t * stride + first;
        if (mirrored == t) {
          std::copy_n(sums[0].data(), tile, now);  // odd coefficients are 0 in the middle
        } else {
          add_and_subtract(sums[0].data(), sums[1].data(), tile, now,
                           out + mirrored * stride + first);
        }
      }
    }
  }

 private:
  struct Part {
    std::vector<int64_t> order;
    std::vector<const float*> values;
  };

  void sum(const Part& part, int64_t t, int64_t first, int64_t tile, float* out) {
    shifted_.clear();
    factors_.clear();
    for (size_t j = 0; j < part.order.size(); ++j) {
      shifted_.push_back(part.values[j] + first);
      factors_.push_back(basis_[static_cast<size_t>(part.order[j] * frames_ + t)]);
    }
    combine(shifted_, factors_, tile, out);
  }

  int64_t frames_;
  std::vector<float> basis_;
  std::array<Part, 2> parts_;  // even and odd coefficients
  std::vector<const float*> shifted_;
  std::vector<float> factors_;
};

void check_map(const at::Tensor& xyz, const at::Tensor& valid, double max_rmse_m) {
  if (xyz.dim() != 4 || xyz.size(3) != 3 || xyz.scalar_type() != at::kFloat ||
      valid.scalar_type() != at::kBool || valid.dim() != 2 || valid.size(0) != xyz.size(1) ||
      valid.size(1) != xyz.size(2)) {
    throw std::invalid_argument("encode_lossy: expected xyz f32 [T, H, W, 3], valid bool [H, W]");
  }
  if (!(max_rmse_m > 0) || !std::isfinite(max_rmse_m)) {
    throw std::invalid_argument("encode_lossy: expected max_rmse_m > 0");
  }
  if (xyz.size(0) > kMostFrames) {
    throw DataError(fmt::format(
        "motion map: {} frames are more than the {} that codec: lossy keeps; store shorter clips "
        "or use codec: lossless",
        xyz.size(0), kMostFrames));
  }
}

// Throws DataError when a valid coordinate is not finite or has too many steps.
void check_coefficients(const std::vector<float>& coefficients, const bool* valid, int64_t pixels,
                        double step) {
  for (size_t i = 0; i < coefficients.size(); ++i) {
    const auto pixel = static_cast<int64_t>(i / 3) % pixels;
    if (valid[pixel] && !(std::abs(coefficients[i]) < step * kMostQuantised)) {
      throw DataError(fmt::format(
          "motion map: pixel {} is not finite or too far away to be kept in steps of {:.2g} m; use "
          "codec: lossless",
          pixel, step));
    }
  }
}

}  // namespace

MapError map_error(const at::Tensor& xyz, const at::Tensor& original, const at::Tensor& valid) {
  const at::Tensor a = xyz.contiguous(), b = original.contiguous(), mask = valid.contiguous();
  const auto *pa = a.data_ptr<float>(), *pb = b.data_ptr<float>();
  const bool* known = mask.data_ptr<bool>();
  const int64_t pixels = mask.numel(), frames = a.size(0);
  double sum = 0, most = 0;
  int64_t count = 0;
  for (int64_t t = 0; t < frames; ++t) {
    for (int64_t p = 0; p < pixels; ++p, pa += 3, pb += 3) {
      if (!known[p]) continue;
      const double x = double{pa[0]} - pb[0], y = double{pa[1]} - pb[1], z = double{pa[2]} - pb[2];
      const double squared = x * x + y * y + z * z;
      // A distance that is not a number is no small one.
      if (!std::isfinite(squared)) return {squared, squared};
      sum += squared;
      most = std::max(most, squared);
      ++count;
    }
  }
  return {count > 0 ? std::sqrt(sum / static_cast<double>(count)) : 0, std::sqrt(most)};
}

EncodedTensor encode_lossy(const at::Tensor& xyz, const at::Tensor& valid, double max_rmse_m,
                           MapError& error) {
  check_map(xyz, valid, max_rmse_m);
  const at::Tensor map = xyz.contiguous(), mask = valid.contiguous();
  const Sizes sizes(map.sizes());
  const int64_t pixels = sizes.height * sizes.width;
  const bool* known = mask.data_ptr<bool>();
  const auto coefficients = transform(map, sizes);
  check_coefficients(coefficients, known, pixels, max_rmse_m);
  const double points = static_cast<double>(std::count(known, known + pixels, true)) *
                        static_cast<double>(sizes.frames);
  double aim = 0.98 * max_rmse_m;
  for (int attempt = 0; attempt < kAttempts; ++attempt, aim *= 0.8) {
    const double step = widest_step(coefficients, known, pixels, aim * aim * points, aim);
    auto out = quantised(coefficients, mask, sizes, static_cast<float>(step));
    error = map_error(decode(out, "encode_lossy", map.nbytes()), map, mask);
    if (error.rmse_m <= max_rmse_m) return out;
  }
  throw DataError(fmt::format(
      "motion map: cannot be kept within {:.2g} m (32-bit floats end at {:.2g} m for such "
      "distances); raise max_rmse_m or use codec: lossless",
      max_rmse_m, error.rmse_m));
}

void decode_lossy(ByteReader& in, at::Tensor& xyz) {
  const Sizes sizes(xyz.sizes());
  const auto step = in.number<float>();
  const auto band_rows = static_cast<int64_t>(in.number<uint32_t>());
  if (sizes.frames > kMostFrames) {
    in.refuse(fmt::format("{} frames; expected at most {}", sizes.frames, kMostFrames));
  }
  if (!(step > 0) || !std::isfinite(step)) in.refuse("the quantisation step is not above 0");
  if (band_rows != sizes.band_rows()) {
    in.refuse(fmt::format("bands of {} rows; expected {}", band_rows, sizes.band_rows()));
  }
  if (xyz.numel() == 0) return;
  BlockCoder coder;
  std::vector<uint8_t> known(static_cast<size_t>(sizes.height * sizes.width));
  coder.decode(in, known.data(), sizes.height, sizes.width, sizes.width, NumberKind::integer);
  const auto most = static_cast<size_t>(sizes.band_rows() * sizes.row());
  std::vector<uint32_t> words(most);
  std::vector<float> coefficients(most * static_cast<size_t>(sizes.frames));
  Inverse inverse(sizes.frames);
  auto* out = xyz.data_ptr<float>();
  for (int64_t top = 0; top < sizes.height; top += band_rows) {
    const int64_t rows = std::min(band_rows, sizes.height - top);
    const int64_t count = rows * sizes.row();
    inverse.clear();
    for (int64_t k = 0; k < sizes.frames; ++k) {
      bool zero = false;
      coder.decode(in, words.data(), rows, sizes.row(), sizes.row(), NumberKind::integer, &zero);
      if (zero) continue;
      float* values = coefficients.data() + static_cast<size_t>(k) * most;
      scale(words.data(), step, count, values);
      inverse.add(k, values);
    }
    inverse.run(count, out + top * sizes.row(), sizes.frame());
  }
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  for (int64_t p = 0; p < sizes.height * sizes.width; ++p) {
    if (known[static_cast<size_t>(p)]) continue;
    for (int64_t t = 0; t < sizes.frames; ++t) {
      std::fill_n(out + t * sizes.frame() + 3 * p, 3, kNone);
    }
  }
}

}  // namespace momap
