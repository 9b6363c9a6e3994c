// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/archive.h>

#include <cmath>
#include <cstring>
#include <numbers>

#include "scenes.h"

namespace momap {
namespace {

// Through memory and through a file.
template <class T>
T round_trip(const T& value) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "value.safetensors";
  write_safetensors(path, to_archive(value));
  const Datum from_memory = from_archive(to_archive(value));
  EXPECT_EQ(describe(from_memory), describe(value));
  return std::get<T>(from_archive(read_safetensors(path)));
}

void expect_same_bytes(const at::Tensor& a, const at::Tensor& b) {
  ASSERT_EQ(a.scalar_type(), b.scalar_type());
  ASSERT_EQ(a.sizes(), b.sizes());
  const at::Tensor x = a.contiguous(), y = b.contiguous();
  EXPECT_EQ(std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()), 0);
}

void expect_same_bytes(const std::optional<at::Tensor>& a, const std::optional<at::Tensor>& b) {
  ASSERT_EQ(a.has_value(), b.has_value());
  if (a) expect_same_bytes(*a, *b);
}

void expect_same(const MoMap& a, const MoMap& b) {
  expect_same_bytes(a.xyz, b.xyz);
  expect_same_bytes(a.visible, b.visible);
  expect_same_bytes(a.valid, b.valid);
  EXPECT_EQ(a.camera, b.camera);
}

// A clip of which nothing but the frames is known.
Clip bare(const at::Tensor& frames) {
  Clip clip;
  clip.frames = frames;
  return clip;
}

TEST(Archive, AFullClipComesBackBitForBit) {
  Clip clip = testing::moving_square({.frames = 4, .height = 7, .width = 9});
  clip.fps = 30000.0 / 1001.0;
  (*clip.depth)[1][2][3] = NAN;
  clip.camera->cx = 1.0 / 3.0;
  clip.segment_names = {"", "a \"door\"", "Tür\n漢"};
  clip.covered = at::zeros({4, 7, 9}, at::kBool);
  (*clip.covered)[2][1][1] = true;
  clip.truth.push_back(testing::moving_square({.frames = 2, .height = 7, .width = 9}).truth[0]);
  clip.truth[1].motion.valid[0][0] = false;
  clip.truth[1].motion.xyz[1][0][0][0] = NAN;

  clip.truth[1].caption = "the \"square\" slides";
  clip.truth[1].actions = {{.segment = 1,
                            .verb = "slide",
                            .direction = "right",
                            .speed = "slow",
                            .peak_at_least = 0.1,
                            .peak_below = 1.0 / 3.0}};
  clip.joints = {
      {.kind = Joint::Kind::slide, .segment = 1, .origin = {0.1, 0, 2}, .axis = {1, 0, 0}},
      {.kind = Joint::Kind::hinge, .segment = 0, .origin = {}, .axis = {0, 1, 0}}};
  clip.flow = at::zeros({3, 7, 9, 2}, at::kFloat);
  (*clip.flow)[1][2][3][0] = NAN;
  clip.occluded = at::zeros({3, 7, 9}, at::kBool);
  clip.tracks = {.xyz = at::zeros({4, 5, 3}, at::kFloat),
                 .visible = at::zeros({4, 5}, at::kBool),
                 .valid = at::zeros({4, 5}, at::kBool),
                 .queries = at::zeros({5, 3}, at::kDouble)};
  clip.tracks->xyz[1][1][1] = NAN;

  const Clip back = round_trip(clip);
  expect_same_bytes(back.frames, clip.frames);
  EXPECT_EQ(back.fps, clip.fps);
  expect_same_bytes(back.depth, clip.depth);
  EXPECT_EQ(back.camera, clip.camera);
  expect_same_bytes(back.cam_from_world, clip.cam_from_world);
  expect_same_bytes(back.segments, clip.segments);
  EXPECT_EQ(back.segment_names, clip.segment_names);
  EXPECT_EQ(back.caption, clip.caption);
  expect_same_bytes(back.covered, clip.covered);
  ASSERT_EQ(back.truth.size(), 2u);
  expect_same(back.truth[0].motion, clip.truth[0].motion);
  expect_same(back.truth[1].motion, clip.truth[1].motion);
  EXPECT_EQ(back.truth[1].caption, clip.truth[1].caption);
  ASSERT_EQ(back.truth[1].actions.size(), 1u);
  EXPECT_EQ(back.truth[1].actions[0], clip.truth[1].actions[0]);
  EXPECT_EQ(back.joints, clip.joints);
  expect_same_bytes(back.flow, clip.flow);
  expect_same_bytes(back.occluded, clip.occluded);
  ASSERT_TRUE(back.tracks);
  expect_same_bytes(back.tracks->xyz, clip.tracks->xyz);
  expect_same_bytes(back.tracks->visible, clip.tracks->visible);
  expect_same_bytes(back.tracks->valid, clip.tracks->valid);
  expect_same_bytes(back.tracks->queries, clip.tracks->queries);
}

TEST(Archive, WhatIsAbsentStaysAbsent) {
  const Clip back = round_trip(bare(at::zeros({1, 2, 3, 3}, at::kByte)));
  EXPECT_EQ(back.fps, 0);
  EXPECT_FALSE(back.depth || back.camera || back.cam_from_world || back.segments || back.covered);
  EXPECT_TRUE(back.segment_names.empty());
  EXPECT_EQ(back.caption, "");
  EXPECT_TRUE(back.truth.empty());
}

TEST(Archive, ANonContiguousTensorIsStoredByItsValues) {
  const at::Tensor wide = testing::moving_square({.frames = 2, .height = 6, .width = 8}).frames;
  const Clip back = round_trip(bare(wide.transpose(1, 2)));
  EXPECT_TRUE(back.frames.equal(wide.transpose(1, 2)));
}

TEST(Archive, MoMapLatentAndPartialClipComeBackBitForBit) {
  const MoMap momap =
      testing::moving_square({.frames = 3, .height = 5, .width = 4}).truth[0].motion;
  expect_same(round_trip(momap), momap);

  Latent latent{.values = at::empty({2, 3, 1, 5}, at::kFloat),
                .spec = {.encoding = "encoding/dct",
                         .version = 4294967295u,
                         .normalization = "frustum; 1/3",
                         .frames = 24,
                         .height = 240,
                         .width = 320}};
  for (int64_t i = 0; i < latent.values.numel(); ++i) {
    latent.values.data_ptr<float>()[i] = std::sin(static_cast<float>(i)) * 1e-20f;
  }
  const Latent latent_back = round_trip(latent);
  expect_same_bytes(latent_back.values, latent.values);
  EXPECT_EQ(latent_back.spec, latent.spec);

  PartialClip partial{.frames = at::zeros({2, 3, 4, 3}, at::kByte).fill_(7),
                      .covered = at::zeros({2, 3, 4}, at::kBool),
                      .depth = at::zeros({2, 3, 4}, at::kFloat).fill_(NAN),
                      .dropped = at::zeros({2, kDropReasons}, at::kLong).fill_(INT64_MAX),
                      .fps = 0.1};
  const PartialClip partial_back = round_trip(partial);
  expect_same_bytes(partial_back.frames, partial.frames);
  expect_same_bytes(partial_back.covered, partial.covered);
  expect_same_bytes(partial_back.depth, partial.depth);
  expect_same_bytes(partial_back.dropped, partial.dropped);
  EXPECT_EQ(partial_back.fps, partial.fps);
}

TEST(Archive, ScoresKeepUndefinedValuesApartFromZero) {
  const Score score{{{.name = "pi",
                      .unit = "m",
                      .direction = Direction::lower_is_better,
                      .value = std::numbers::pi,
                      .undefined_reason = "",
                      .worst = 4,
                      .protocol = 3},
                     {.name = "zero",
                      .unit = "",
                      .direction = Direction::higher_is_better,
                      .value = -0.0,
                      .undefined_reason = ""},
                     {.name = "none",
                      .unit = "dB",
                      .direction = Direction::higher_is_better,
                      .value = std::nullopt,
                      .undefined_reason = "no \"covered\" pixels"}}};
  const Score back = round_trip(score);
  ASSERT_EQ(back.values.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(back.values[i].name, score.values[i].name);
    EXPECT_EQ(back.values[i].unit, score.values[i].unit);
    EXPECT_EQ(back.values[i].direction, score.values[i].direction);
    EXPECT_EQ(back.values[i].value, score.values[i].value);
    EXPECT_EQ(back.values[i].undefined_reason, score.values[i].undefined_reason);
    EXPECT_EQ(back.values[i].worst, score.values[i].worst);
    EXPECT_EQ(back.values[i].protocol, score.values[i].protocol);
  }
  EXPECT_TRUE(std::signbit(*back.values[1].value));
  EXPECT_EQ(back.values[1].worst, -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(round_trip(Score{}).values.empty());
}

TEST(Archive, ScoresKeepTheirFeatures) {
  Score score;
  score.features["a b"] = at::arange(6, at::kFloat).reshape({2, 3});
  const Score back = round_trip(score);
  ASSERT_EQ(back.features.size(), 1u);
  expect_same_bytes(back.features.at("a b"), score.features.at("a b"));
}

TEST(Archive, OtherFormatsKindsAndDamageAreRefused) {
  const auto refused = [](void (*damage)(TensorFile&)) {
    TensorFile archive = to_archive(testing::moving_square({.frames = 2, .height = 3, .width = 3}));
    damage(archive);
    try {
      from_archive(archive);
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refused([](TensorFile&) {}), "accepted");
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_PRED2(has, refused([](TensorFile& a) { a.metadata["momap.format"] = "9"; }), "format 9");
  EXPECT_PRED2(has, refused([](TensorFile& a) { a.metadata.erase("momap.format"); }),
               "lacks 'momap.format'");
  EXPECT_PRED2(has, refused([](TensorFile& a) { a.metadata["momap.kind"] = "film"; }),
               "kind 'film'");
  EXPECT_PRED2(has, refused([](TensorFile& a) { a.tensors.erase("frames"); }), "lacks 'frames'");
  EXPECT_PRED2(has, refused([](TensorFile& a) { a.tensors.erase("truth.0.valid"); }),
               "lacks 'truth.0.valid'");
  EXPECT_PRED2(has, refused([](TensorFile& a) { a.metadata["truth"] = "[1"; }),
               "'truth' cannot be read");
  EXPECT_PRED2(has, refused([](TensorFile& a) { a.metadata["camera.size"] = "[1]"; }),
               "camera.size");
  EXPECT_PRED2(has, refused([](TensorFile& a) { a.tensors["fps"] = at::zeros({2}, at::kDouble); }),
               "'fps'");
  EXPECT_PRED2(has, refused([](TensorFile& a) { a.tensors["depth"] = at::zeros({1}, at::kFloat); }),
               "depth is f32 [1]");
}

}  // namespace
}  // namespace momap
