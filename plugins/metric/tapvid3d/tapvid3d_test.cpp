// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <momap/base/random.h>

#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::Clip;
using momap::MoMap;

constexpr const char* kId = "metric/tapvid3d";

TEST(TapVid3d, OfTheTruthIsOneInEveryMode) {
  const MoMap truth = resting(3, 4, 5);
  for (const char* mode :
       {"median", "mean", "median_on_queries", "per_trajectory", "local_neighborhood", "none"}) {
    const std::string name = mode;
    const Values values = score_pair(kId, truth, truth, "{scale: " + name + "}");
    EXPECT_DOUBLE_EQ(values["apd_3d_" + name], 1);
    EXPECT_DOUBLE_EQ(values["aj_3d_" + name], 1);
    EXPECT_DOUBLE_EQ(values["occlusion_accuracy"], 1);
  }
}

TEST(TapVid3d, EqualsHandWorkedValues) {
  // One pixel at (0, 0, 2) m, focal length 100 px: delta px are 0.02 delta m, so 0.02, 0.04, 0.08,
  // 0.16, 0.32 m. Four frames, unscaled:
  //   t=0 true seen, predicted seen, error 0      within all five
  //   t=1 true seen, predicted seen, error 0.10   within 8 and 16 px
  //   t=2 true seen, predicted hidden, error 0.05 within 4, 8, 16 px
  //   t=3 true hidden, predicted seen, error 0    a false positive throughout
  // APD of 3 visible points: 1/3, 1/3, 2/3, 1, 1                        -> mean 2/3
  // TP 1, 1, 1, 2, 2 over 3 + FP 2, 2, 2, 1, 1: 1/5, 1/5, 1/5, 2/4, 2/4 -> mean 0.32
  // OA: frames 0 and 1 agree                                            -> 1/2
  const MoMap truth = [] {
    MoMap map = resting(4, 1, 1);
    map.visible[3][0][0] = false;
    return map;
  }();
  MoMap result = resting(4, 1, 1);
  move(result, 1, 0, 0, 0.1f, 0, 0);
  move(result, 2, 0, 0, 0, 0.05f, 0);
  result.visible[2][0][0] = false;
  const Values values = score_pair(kId, result, truth, "{scale: none}");
  EXPECT_NEAR(values["apd_3d_none"], 2.0 / 3, 1e-12);
  EXPECT_NEAR(values["aj_3d_none"], 0.32, 1e-12);
  EXPECT_NEAR(values["occlusion_accuracy"], 0.5, 1e-12);
}

TEST(TapVid3d, AnErrorOfExactlyTheThresholdIsNotWithin) {
  // Focal length 128 px at 2 m: one px is 2^-6 m, exactly.
  MoMap truth = resting(2, 1, 1);
  truth.camera.fx = truth.camera.fy = 128;
  MoMap result = truth;
  result.xyz = truth.xyz.clone();
  move(result, 1, 0, 0, 0.015625f, 0, 0);  // 1 of 2 points within 1 px, both within the others
  EXPECT_NEAR(score_pair(kId, result, truth, "{scale: none}")["apd_3d_none"], 0.9, 1e-12);
}

TEST(TapVid3d, ScalesAreTakenAsNamed) {
  // A result of half the size is repaired by every scale but none.
  const MoMap truth = resting(3, 4, 5);
  MoMap half = truth;
  half.xyz = truth.xyz * 0.5;
  for (const char* mode :
       {"median", "mean", "median_on_queries", "per_trajectory", "local_neighborhood"}) {
    const std::string name = mode;
    EXPECT_DOUBLE_EQ(score_pair(kId, half, truth, "{scale: " + name + "}")["apd_3d_" + name], 1);
  }
  EXPECT_DOUBLE_EQ(score_pair(kId, half, truth, "{scale: none}")["apd_3d_none"], 0);

  // Three pixels at distances of about 2 m; the result doubles one of them. The median ratio stays
  // 1 (two of three points right), that of means is 3/4, each track's own repairs all.
  const MoMap three = resting(2, 1, 3);
  MoMap one_off = three;
  one_off.xyz = three.xyz.clone();
  for (const int64_t t : {0, 1}) {
    float* p = point(one_off, t, 0, 2);
    for (int c = 0; c < 3; ++c) p[c] *= 2;
  }
  EXPECT_NEAR(score_pair(kId, one_off, three)["apd_3d_median"], 2.0 / 3, 1e-12);
  // Scaled by 3/4, errors are 0.5 m (twice) and 1 m: beyond 16 px = 0.32 m.
  EXPECT_NEAR(score_pair(kId, one_off, three, "{scale: mean}")["apd_3d_mean"], 0, 1e-12);
  EXPECT_NEAR(score_pair(kId, one_off, three, "{scale: per_trajectory}")["apd_3d_per_trajectory"],
              1, 1e-12);
}

TEST(TapVid3d, ANeighbourhoodIsScaledAsOne) {
  // Two pixels 0.02 m apart; the second is predicted at twice its depth. With a radius of 0.05 m
  // each track stands for both points: under the first's scale (1) the first is right, under the
  // second's (1/2) the second is, so half of all is within.
  const MoMap truth = resting(2, 1, 2);
  MoMap result = truth;
  result.xyz = truth.xyz.clone();
  for (const int64_t t : {0, 1}) {
    for (int c = 0; c < 3; ++c) point(result, t, 0, 1)[c] *= 2;
  }
  const std::string wide = "{scale: local_neighborhood}";
  const std::string narrow = "{scale: local_neighborhood, neighbourhood_m: 0.01}";
  EXPECT_NEAR(score_pair(kId, result, truth, wide)["apd_3d_local_neighborhood"], 0.5, 1e-12);
  EXPECT_NEAR(score_pair(kId, result, truth, narrow)["apd_3d_local_neighborhood"], 1, 1e-12);
}

Clip with_tracks(int64_t frames) {
  Clip clip = clip_of({resting(frames, 2, 2)});
  clip.truth.clear();
  momap::Tracks tracks{at::zeros({frames, 3, 3}, at::kFloat), at::ones({frames, 3}, at::kBool),
                       at::ones({frames, 3}, at::kBool), at::zeros({3, 3}, at::kDouble)};
  for (int64_t t = 0; t < frames; ++t) {
    for (int64_t n = 0; n < 3; ++n) {
      float* p = tracks.xyz.data_ptr<float>() + 3 * (t * 3 + n);
      p[0] = p[1] = 0.01f, p[2] = 2;  // half way between the four pixels
    }
  }
  for (int n = 0; n < 3; ++n) tracks.queries[n][0] = tracks.queries[n][1] = 0.5;
  clip.tracks = tracks;
  return clip;
}

TEST(TapVid3d, ReadsTheMapBilinearlyAtTheQueriesOfFrameZero) {
  Clip clip = with_tracks(3);
  clip.tracks->queries[1][2] = 1;    // not asked for in frame 0: left out
  clip.tracks->valid[2][0] = false;  // not known there: left out
  clip.tracks->xyz[2][0].fill_(NAN);
  EXPECT_DOUBLE_EQ(score_pair(kId, resting(3, 2, 2), clip, "{scale: none}")["apd_3d_none"], 1);
  clip.tracks->xyz[1][2][0] = 5;  // one of five observations is off
  EXPECT_DOUBLE_EQ(score_pair(kId, resting(3, 2, 2), clip, "{scale: none}")["apd_3d_none"], 0.8);
}

TEST(TapVid3d, ComparesInTheCameraOfEachFrame) {
  // The camera moves 1 m forward between the frames, so a point at 2 m is then at 1 m: a pixel is
  // 0.01 m there instead of 0.02 m, and an error of 0.015 m is outside.
  const MoMap truth = resting(2, 1, 1);
  Clip clip = clip_of({truth});
  MoMap result = truth;
  result.xyz = truth.xyz.clone();
  move(result, 1, 0, 0, 0.015f, 0, 0);
  EXPECT_NEAR(score_pair(kId, result, clip, "{scale: none}")["apd_3d_none"], 1, 1e-12);
  at::Tensor poses = at::zeros({2, 4, 4}, at::kDouble);
  for (const int64_t t : {0, 1}) {
    for (int d = 0; d < 4; ++d) poses[t][d][d] = 1;
  }
  poses[1][2][3] = -1;
  clip.cam_from_world = poses;
  EXPECT_NEAR(score_pair(kId, result, clip, "{scale: none}")["apd_3d_none"], 0.9, 1e-12);
}

TEST(TapVid3d, AMissingPredictionIsNeitherWithinNorVisible) {
  const MoMap truth = resting(2, 1, 2);
  MoMap result = truth;
  result.valid = truth.valid.clone();
  result.valid[0][1] = false;
  const Values values = score_pair(kId, result, truth);
  EXPECT_DOUBLE_EQ(values["apd_3d_median"], 0.5);
  EXPECT_DOUBLE_EQ(values["aj_3d_median"], 0.5);
  EXPECT_DOUBLE_EQ(values["occlusion_accuracy"], 0.5);
}

TEST(TapVid3d, SaysWhyAValueIsUndefined) {
  const MoMap truth = resting(1, 1, 1);
  EXPECT_DOUBLE_EQ(score_pair(kId, truth, truth)["apd_3d_median"], 1);  // T = 1
  MoMap hidden = truth;
  hidden.visible = at::zeros({1, 1, 1}, at::kBool);
  EXPECT_EQ(score_pair(kId, truth, hidden, "{scale: none}").reason("apd_3d_none"),
            "no point of the reference is visible");
  EXPECT_EQ(score_pair(kId, hidden, truth).reason("apd_3d_median"),
            "no point is visible in both result and reference to scale by");
  EXPECT_DOUBLE_EQ(score_pair(kId, hidden, truth)["occlusion_accuracy"], 0);
  MoMap empty = truth;
  empty.valid = at::zeros({1, 1}, at::kBool);
  EXPECT_EQ(score_pair(kId, truth, empty).reason("aj_3d_median"),
            "no pixel of the reference is valid");
  Clip late = with_tracks(2);
  late.tracks->queries.slice(1, 2, 3).fill_(1);
  EXPECT_EQ(score_pair(kId, resting(2, 2, 2), late).reason("apd_3d_median"),
            "no track of the reference is asked for in frame 0");
}

TEST(TapVid3d, NamesThePixelOfAPositionThatIsNotFinite) {
  MoMap result = resting(2, 1, 3);
  point(result, 1, 0, 2)[1] = NAN;
  try {
    score_pair(kId, result, resting(2, 1, 3));
    FAIL();
  } catch (const momap::DataError& error) {
    EXPECT_NE(std::string(error.what()).find("frame 1, pixel x = 2, y = 0"), std::string::npos);
  }
  EXPECT_THROW(score_pair(kId, resting(2, 1, 3), resting(3, 1, 3)), momap::DataError);
}

}  // namespace
