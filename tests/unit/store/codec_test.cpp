// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/random.h>
#include <momap/store/codec.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "scenes.h"

namespace momap {
namespace {

constexpr uint64_t kPlenty = 1u << 30;

void expect_same_bytes(const at::Tensor& a, const at::Tensor& b) {
  ASSERT_EQ(a.scalar_type(), b.scalar_type());
  ASSERT_EQ(a.sizes(), b.sizes());
  if (a.numel() == 0) return;
  EXPECT_EQ(std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()), 0);
}

at::Tensor random_bits(at::IntArrayRef sizes, at::ScalarType type, uint64_t seed) {
  at::Tensor tensor = at::empty(sizes, type);
  Random random(seed);
  auto* bytes = static_cast<uint8_t*>(tensor.data_ptr());
  for (size_t i = 0; i < tensor.nbytes(); ++i) {
    bytes[i] = static_cast<uint8_t>(random.below(type == at::kBool ? 2 : 256));
  }
  return tensor;
}

TEST(LosslessCodec, EveryTypeAndShapeComesBackBitForBit) {
  const std::vector<std::vector<int64_t>> shapes{
      {}, {1}, {0, 5}, {1, 1, 1, 3}, {24, 7, 5, 3}, {3, 100'001}, {2, 3, 0}};
  for (const auto type : {at::kBool, at::kByte, at::kChar, at::kShort, at::kInt, at::kHalf,
                          at::kBFloat16, at::kFloat}) {
    for (const auto& shape : shapes) {
      const at::Tensor tensor = random_bits(shape, type, shape.size() + 1);
      expect_same_bytes(decode(encode_lossless(tensor), "x", kPlenty), tensor);
    }
  }
}

TEST(LosslessCodec, SpecialFloatsKeepTheirBits) {
  at::Tensor tensor = at::zeros({5, 6}, at::kFloat);
  float* v = tensor.data_ptr<float>();
  const float special[] = {0.0f,
                           -0.0f,
                           NAN,
                           -NAN,
                           INFINITY,
                           -INFINITY,
                           std::numeric_limits<float>::denorm_min(),
                           std::numeric_limits<float>::lowest(),
                           std::numeric_limits<float>::max()};
  for (int i = 0; i < 30; ++i) v[i] = special[(7 * i) % 9];
  expect_same_bytes(decode(encode_lossless(tensor), "x", kPlenty), tensor);
}

TEST(LosslessCodec, StraightPathsTakeAlmostNothing) {
  // Integers that grow evenly: all second differences are 0.
  at::Tensor tensor = at::empty({24, 5000}, at::kInt);
  for (int i = 0; i < 24 * 5000; ++i) tensor.data_ptr<int>()[i] = 10 * (i / 5000) * (i % 5000);
  EXPECT_LT(encode_lossless(tensor).size() * 10, tensor.nbytes());
}

TEST(LosslessCodec, RefusesWhatItCannotHold) {
  EXPECT_THROW(encode_lossless(at::zeros({2, 2}, at::kDouble)), std::invalid_argument);
}

// A map with `invalid` pixels that are NaN.
MoMap wavy(int64_t frames, int64_t height, int64_t width, double noise) {
  MoMap map{.xyz = at::empty({frames, height, width, 3}, at::kFloat),
            .visible = at::ones({frames, height, width}, at::kBool),
            .valid = at::ones({height, width}, at::kBool),
            .camera = {}};
  float* p = map.xyz.data_ptr<float>();
  Random random(5);
  for (int64_t t = 0; t < frames; ++t) {
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        const double z =
            2 + 0.01 * static_cast<double>(y) + 0.3 * std::sin(0.2 * static_cast<double>(t));
        const double at[3] = {0.01 * static_cast<double>(x) * z, 0.01 * static_cast<double>(y) * z,
                              z};
        for (const double value : at) *p++ = static_cast<float>(value + noise * random.normal());
      }
    }
  }
  map.valid[0][0] = false;
  if (height > 2 && width > 2) map.valid[2][1] = false;
  map.xyz.select(1, 0).select(1, 0).fill_(NAN);
  return map;
}

TEST(LossyCodec, KeepsItsBoundWhateverTheMapAndTheBound) {
  for (const auto& [frames, height, width] :
       {std::array<int64_t, 3>{24, 40, 33}, {1, 9, 9}, {5, 1, 2}, {2, 3, 700}}) {
    for (const double noise : {0.0, 0.02}) {
      const MoMap map = wavy(frames, height, width, noise);
      for (const double bound : {0.1, 0.001, 0.0001}) {
        MapError stated;
        const auto bytes = encode_lossy(map.xyz, map.valid, bound, stated);
        const at::Tensor back = decode(bytes, "x", kPlenty);
        // Measured here, not by the codec's own function.
        double sum = 0, most = 0;
        int64_t count = 0;
        const float *a = back.data_ptr<float>(), *b = map.xyz.data_ptr<float>();
        for (int64_t i = 0; i < frames * height * width; ++i) {
          if (!map.valid.view({-1})[i % (height * width)].item<bool>()) continue;
          double d = 0;
          for (int c = 0; c < 3; ++c) d += std::pow(double{a[3 * i + c]} - b[3 * i + c], 2);
          sum += d;
          most = std::max(most, std::sqrt(d));
          ++count;
        }
        const double rmse = std::sqrt(sum / static_cast<double>(count));
        EXPECT_LE(rmse, bound) << frames << " frames, noise " << noise;
        EXPECT_NEAR(stated.rmse_m, rmse, 1e-12);
        EXPECT_NEAR(stated.max_m, most, 1e-12);
      }
    }
  }
}

TEST(LossyCodec, WhatIsNotValidIsNotANumberAfterwards) {
  const MoMap map = wavy(4, 5, 6, 0.01);
  MapError error;
  const at::Tensor back = decode(encode_lossy(map.xyz, map.valid, 0.01, error), "x", kPlenty);
  for (int64_t t = 0; t < 4; ++t) {
    EXPECT_TRUE(std::isnan(back[t][0][0][2].item<float>()));
    EXPECT_TRUE(std::isnan(back[t][2][1][0].item<float>()));
    EXPECT_TRUE(std::isfinite(back[t][1][1][1].item<float>()));
  }
}

TEST(LossyCodec, ASmoothMapIsEightTimesSmallerAtOneMillimetre) {
  const MoMap map = wavy(24, 96, 96, 0.0005);
  MapError error;
  const auto bytes = encode_lossy(map.xyz, map.valid, 0.001, error);
  EXPECT_LT(bytes.size() * 8, map.xyz.nbytes());
}

TEST(LossyCodec, RefusesAMapItCannotKeep) {
  MoMap map = wavy(3, 4, 4, 0);
  MapError error;
  map.xyz[1][3][3][0] = NAN;
  EXPECT_THROW(encode_lossy(map.xyz, map.valid, 0.001, error), DataError);
  map.xyz[1][3][3][0] = 3e7f;
  EXPECT_THROW(encode_lossy(map.xyz, map.valid, 0.001, error), DataError);
  map.xyz[1][3][3][0] = 0;
  EXPECT_THROW(encode_lossy(map.xyz, map.valid, 1e-9, error), DataError);
}

TEST(LossyCodec, AMapWithoutAnyValidPixelIsKept) {
  const MoMap map = wavy(3, 4, 4, 0);
  MapError error;
  const auto bytes = encode_lossy(map.xyz, at::zeros({4, 4}, at::kBool), 0.001, error);
  EXPECT_TRUE(std::isnan(decode(bytes, "x", kPlenty)[2][3][3][1].item<float>()));
  EXPECT_EQ(error.rmse_m, 0);
}

// Every cut and many changed bytes: either an error or a tensor, never a crash.
void damage(const EncodedTensor& sound) {
  for (size_t size = 0; size < sound.size(); size += 1 + size / 40) {
    EXPECT_THROW(decode(std::span(sound).first(size), "x", kPlenty), ConfigError) << size;
  }
  Random random(9);
  for (int i = 0; i < 2000; ++i) {
    EncodedTensor bytes = sound;
    const int changes = static_cast<int>(random.below(3)) + 1;
    for (int c = 0; c < changes; ++c) {
      const auto at = static_cast<size_t>(random.below(
          static_cast<int64_t>(c == 0 ? std::min<size_t>(64, bytes.size()) : bytes.size())));
      bytes[at] = static_cast<std::byte>(random.below(256));
    }
    try {
      decode(bytes, "x", 1u << 20);
    } catch (const ConfigError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("x: byte ")) << error.what();
    }
  }
}

TEST(DamagedTensors, NeverCrashDecoding) {
  const MoMap map = wavy(6, 20, 20, 0.001);
  MapError error;
  damage(encode_lossless(map.xyz));
  damage(encode_lossless(map.xyz.to(at::kHalf)));
  damage(encode_lossless(map.visible));
  damage(encode_lossy(map.xyz, map.valid, 0.001, error));
}

// The transform over time is a table of T x T numbers: a few bytes must not ask for gigabytes.
TEST(LossyCodec, RefusesMoreFramesThanItsTransformTakes) {
  MapError error;
  const MoMap longest = wavy(4096, 1, 1, 0), longer = wavy(4097, 1, 1, 0);
  EncodedTensor bytes = encode_lossy(longest.xyz, longest.valid, 0.001, error);
  EXPECT_THROW(encode_lossy(longer.xyz, longer.valid, 0.001, error), DataError);
  constexpr size_t kFrames = 11;  // where T stands: after magic, method, three lengths and "F32"
  ASSERT_EQ(bytes[kFrames + 1], std::byte{0x10});
  bytes[kFrames + 1] = std::byte{0};
  bytes[kFrames + 2] = std::byte{1};
  try {
    decode(bytes, "x", kPlenty);
    FAIL();
  } catch (const ConfigError& refusal) {
    EXPECT_THAT(refusal.what(), ::testing::HasSubstr("65536 frames; expected at most 4096"));
  }
}

TEST(DamagedTensors, DoNotMakeTheReaderTakeMoreThanItWasTold) {
  const auto bytes = encode_lossless(at::zeros({1000, 1000}, at::kFloat));
  EXPECT_LT(bytes.size(), 1000u);
  EXPECT_THROW(decode(bytes, "x", 3'999'999), ConfigError);
  EXPECT_NO_THROW(decode(bytes, "x", 4'000'000));
}

}  // namespace
}  // namespace momap
