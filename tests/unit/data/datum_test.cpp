// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/data/datum.h>

#include <cmath>

#include "scenes.h"

namespace momap {
namespace {

Clip clip() { return testing::moving_square({.frames = 3, .height = 6, .width = 8}); }

Latent latent() {
  return {.values = at::zeros({2, 3, 4, 5}, at::kFloat),
          .spec = {.encoding = "encoding/dct",
                   .version = 1,
                   .normalization = "n",
                   .frames = 3,
                   .height = 6,
                   .width = 8}};
}

PartialClip partial() {
  return {.frames = at::zeros({3, 6, 8, 3}, at::kByte),
          .covered = at::zeros({3, 6, 8}, at::kBool),
          .depth = at::zeros({3, 6, 8}, at::kFloat),
          .dropped = at::zeros({3, kDropReasons}, at::kLong),
          .fps = 10};
}

// What `check` says after `change`, or "accepted".
template <class T>
std::string verdict(T value, void (*change)(T&)) {
  change(value);
  try {
    check(value, "maker");
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(Describe, NamesKindAndSize) {
  EXPECT_EQ(describe(clip()), "clip [3, 6, 8]");
  EXPECT_EQ(describe(clip().truth[0].motion), "momap [3, 6, 8]");
  EXPECT_EQ(describe(latent()), "latent [2, 3, 4, 5]");
  EXPECT_EQ(describe(partial()), "partial clip [3, 6, 8]");
  EXPECT_EQ(describe(Score{}), "score of 0 values");
  EXPECT_EQ(describe(Clip{}), "clip of nothing");
}

TEST(BytesOf, CountsEveryTensor) {
  const int64_t pixels = 3 * 6 * 8;
  const int64_t truth = pixels * 12 + pixels + 6 * 8;
  EXPECT_EQ(bytes_of(clip()), pixels * 3 + pixels * 4 + 3 * 16 * 8 + 6 * 8 * 4 + truth);
  EXPECT_EQ(bytes_of(latent()), 2 * 3 * 4 * 5 * 4);
  EXPECT_EQ(bytes_of(partial()), pixels * 3 + pixels + pixels * 4 + 3 * kDropReasons * 8);
  EXPECT_EQ(bytes_of(Score{}), 0);
}

TEST(CheckClip, AcceptsWhatIsWholeAndWhatIsAbsent) {
  EXPECT_EQ(verdict<Clip>(clip(), [](Clip&) {}), "accepted");
  EXPECT_EQ(verdict<Clip>(clip(),
                          [](Clip& c) {
                            Clip bare;
                            bare.frames = c.frames;
                            c = bare;
                          }),
            "accepted");
  EXPECT_EQ(verdict<Clip>(clip(),
                          [](Clip& c) {
                            (*c.depth)[0][0][0] = NAN;
                            (*c.depth)[0][0][1] = 0;
                          }),
            "accepted");
}

TEST(CheckClip, NamesTheMemberThatIsWrong) {
  EXPECT_EQ(verdict<Clip>(clip(), [](Clip& c) { c.frames = at::Tensor(); }),
            "maker: frames is missing");
  EXPECT_EQ(verdict<Clip>(clip(),
                          [](Clip& c) {
                            c.frames = at::zeros({3, 6, 8, 4}, at::kByte);
                          }),
            "maker: frames is u8 [3, 6, 8, 4] on cpu; expected u8 [n, n, n, 3] on cpu");
  EXPECT_SAYS(verdict<Clip>(clip(),
                            [](Clip& c) {
                              c.frames = at::zeros({0, 6, 8, 3}, at::kByte);
                            }),
              "frames is u8 [0, 6, 8, 3]");
  EXPECT_EQ(verdict<Clip>(clip(),
                          [](Clip& c) {
                            c.depth = at::zeros({3, 6, 8}, at::kDouble);
                          }),
            "maker: depth is f64 [3, 6, 8] on cpu; expected f32 [3, 6, 8] on cpu");
  EXPECT_SAYS(verdict<Clip>(clip(),
                            [](Clip& c) {
                              c.segments = at::zeros({8, 6}, at::kInt);
                            }),
              "segments is i32 [8, 6]");
  EXPECT_SAYS(verdict<Clip>(clip(),
                            [](Clip& c) {
                              c.covered = at::zeros({2, 6, 8}, at::kBool);
                            }),
              "covered is bool [2, 6, 8]");
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { c.fps = NAN; }), "fps = nan");
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { c.fps = -1; }), "fps = -1");
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { c.camera->fx = 0; }), "fx = 0");
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { c.camera->width = 9; }),
              "camera is for 9 x 6 px");
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { c.caption = "\xff"; }), "caption '\\xff'");
  EXPECT_EQ(verdict<Clip>(clip(), [](Clip& c) { c.caption = "two\nlines"; }), "accepted");
}

TEST(CheckClip, RefusesValuesThatMeanNothing) {
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { (*c.depth)[1][2][3] = -1; }),
              "depth is negative or infinite at [1, 2, 3]");
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { (*c.depth)[2][5][7] = INFINITY; }),
              "depth is negative or infinite at [2, 5, 7]");
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { (*c.segments)[2][1] = -3; }),
              "segments is negative at [2, 1]");
}

TEST(CheckClip, RefusesPosesThatAreNotRigid) {
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { (*c.cam_from_world)[1][0][0] = 1.1; }),
              "cam_from_world of frame 1");
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { (*c.cam_from_world)[2][0][0] = -1; }),
              "cam_from_world of frame 2");  // a mirror
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { (*c.cam_from_world)[0][3][2] = 0.1; }),
              "cam_from_world of frame 0");
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { (*c.cam_from_world)[0][1][3] = NAN; }),
              "cam_from_world of frame 0");
}

TEST(CheckClip, ChecksEveryTruth) {
  EXPECT_SAYS(
      verdict<Clip>(clip(),
                    [](Clip& c) {
                      c.truth.push_back(
                          testing::moving_square({.frames = 3, .height = 6, .width = 9}).truth[0]);
                    }),
      "maker: truth 1: is 9 x 6 px");
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { c.truth[0].motion.xyz[0][0][0][0] = NAN; }),
              "maker: truth 0: xyz is not finite at [0, 0, 0, 0]");
  EXPECT_SAYS(verdict<Clip>(clip(),
                            [](Clip& c) {
                              c.truth[0].actions.resize(1);
                              c.truth[0].actions[0].speed = "slow";
                              c.truth[0].actions[0].peak_at_least = 1;
                            }),
              "maker: truth 0: speed 'slow' of an action is from 1 to 0 m");
  EXPECT_SAYS(verdict<Clip>(clip(),
                            [](Clip& c) {
                              c.joints.push_back({.axis = {1, 1, 0}});
                            }),
              "the joint of segment 0");
}

Tracks& four_tracks(Clip& c) {
  c.tracks = {.xyz = at::zeros({3, 4, 3}, at::kFloat),
              .visible = at::ones({3, 4}, at::kBool),
              .valid = at::ones({3, 4}, at::kBool),
              .queries = at::zeros({4, 3}, at::kDouble)};
  return *c.tracks;
}

TEST(CheckClip, ChecksFlowAndTracks) {
  EXPECT_EQ(verdict<Clip>(clip(),
                          [](Clip& c) {
                            c.flow = at::full({2, 6, 8, 2}, NAN, at::kFloat);
                            c.occluded = at::zeros({2, 6, 8}, at::kBool);
                            four_tracks(c);
                          }),
            "accepted");
  EXPECT_SAYS(verdict<Clip>(clip(),
                            [](Clip& c) {
                              c.flow = at::zeros({3, 6, 8, 2}, at::kFloat);
                            }),
              "flow is f32 [3, 6, 8, 2]");
  EXPECT_SAYS(verdict<Clip>(clip(),
                            [](Clip& c) {
                              c.flow = at::full({2, 6, 8, 2}, INFINITY, at::kFloat);
                            }),
              "flow is infinite at [0, 0, 0, 0]");
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { four_tracks(c).xyz[1][2][0] = NAN; }),
              "tracks: xyz is not finite at [1, 2, 0]");
  EXPECT_SAYS(verdict<Clip>(clip(), [](Clip& c) { four_tracks(c).queries[1][2] = 3; }),
              "tracks: queries is out of range at [1, 2]");
}

TEST(CheckMoMap, WantsFinitePointsWhereValidOnly) {
  EXPECT_EQ(verdict<MoMap>(clip().truth[0].motion,
                           [](MoMap& m) {
                             m.xyz[1][2][3][0] = NAN;
                             m.valid[2][3] = false;
                           }),
            "accepted");
  EXPECT_SAYS(
      verdict<MoMap>(clip().truth[0].motion, [](MoMap& m) { m.xyz[1][2][3][2] = INFINITY; }),
      "xyz is not finite at [1, 2, 3, 2]");
  EXPECT_SAYS(
      verdict<MoMap>(clip().truth[0].motion, [](MoMap& m) { m.valid = m.valid.to(at::kByte); }),
      "valid is u8");
  EXPECT_SAYS(verdict<MoMap>(clip().truth[0].motion, [](MoMap& m) { m.visible = m.visible[0]; }),
              "visible is bool [6, 8]");
}

TEST(CheckLatent, WantsFiniteValuesAndASpec) {
  EXPECT_EQ(verdict<Latent>(latent(), [](Latent&) {}), "accepted");
  EXPECT_SAYS(verdict<Latent>(latent(), [](Latent& l) { l.values[1][2][3][4] = NAN; }),
              "values is not finite at [1, 2, 3, 4]");
  EXPECT_SAYS(verdict<Latent>(latent(), [](Latent& l) { l.spec.encoding = ""; }), "encoding");
  EXPECT_SAYS(verdict<Latent>(latent(), [](Latent& l) { l.spec.frames = 0; }), "0 frames");
}

TEST(CheckPartialClip, WantsDepthWhereCoveredOnly) {
  EXPECT_EQ(verdict<PartialClip>(partial(), [](PartialClip& p) { p.depth[0][0][0] = NAN; }),
            "accepted");
  EXPECT_SAYS(verdict<PartialClip>(partial(), [](PartialClip& p) { p.covered[1][2][3] = true; }),
              "depth at [1, 2, 3]");
  EXPECT_SAYS(verdict<PartialClip>(partial(), [](PartialClip& p) { p.dropped[2][4] = -1; }),
              "dropped is negative at [2, 4]");
  EXPECT_SAYS(
      verdict<PartialClip>(partial(), [](PartialClip& p) { p.dropped = p.dropped.to(at::kInt); }),
      "dropped is i32");
}

TEST(CheckScore, WantsANumberOrAReason) {
  const Score good{{{.name = "a",
                     .unit = "m",
                     .direction = Direction::lower_is_better,
                     .value = 1.5,
                     .undefined_reason = ""},
                    {.name = "b",
                     .unit = "",
                     .direction = Direction::higher_is_better,
                     .value = std::nullopt,
                     .undefined_reason = "no pixels"}}};
  EXPECT_EQ(verdict<Score>(good, [](Score&) {}), "accepted");
  EXPECT_SAYS(verdict<Score>(good, [](Score& s) { s.values[0].value = NAN; }), "a = nan");
  EXPECT_SAYS(verdict<Score>(good, [](Score& s) { s.values[1].undefined_reason = ""; }),
              "b is undefined without a reason");
  EXPECT_SAYS(verdict<Score>(good, [](Score& s) { s.values[1].name = "a"; }),
              "two values are named 'a'");
  EXPECT_SAYS(verdict<Score>(good, [](Score& s) { s.values[0].name = ""; }), "no name");
  EXPECT_SAYS(verdict<Score>(good, [](Score& s) { s.values[0].worst = 1.4; }),
              "a = 1.5 but its worst value is 1.4; expected none higher than that");
  EXPECT_SAYS(verdict<Score>(good, [](Score& s) { s.values[1].worst = NAN; }), "worst");
  EXPECT_SAYS(verdict<Score>(good, [](Score& s) { s.values[0].protocol = 0; }), "protocol");
  EXPECT_SAYS(
      verdict<Score>(good, [](Score& s) { s.features["f"] = at::full({2}, NAN, at::kFloat); }),
      "feature 'f' is not finite at [0]");
  EXPECT_EQ(verdict<Score>(good, [](Score& s) { s.features["f"] = at::zeros({2}); }), "accepted");
  EXPECT_SAYS(verdict<Score>(good, [](Score& s) { s.features["f"] = at::Tensor(); }),
              "feature 'f'");
}

}  // namespace
}  // namespace momap
