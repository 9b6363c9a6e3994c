// SPDX-License-Identifier: Apache-2.0
#include <momap/base/random.h>

#include <cmath>
#include <functional>

#include "../scoring.h"

// A proper rule is on average best for who draws from the truth's own distribution.

namespace {

using namespace momap::metric::testing;
using momap::MoMap;
using momap::Random;

constexpr int64_t kFrames = 4, kSize = 6;
constexpr int kScenes = 150, kSamples = 8;

/// What the picture leaves open: whether the block goes left or right, and how fast.
struct Choice {
  double velocity;  // m a frame
};

Choice draw_truth(Random& random) {
  const double side = random.uniform() < 0.5 ? -1 : 1;
  return {side * (0.04 + 0.01 * random.normal())};
}

/// The upper half of the picture moves. A point that goes right is hidden from frame 2 on.
MoMap motion_of(const Choice& choice, double noise, Random& random) {
  MoMap map = resting(kFrames, kSize, kSize);
  for (int64_t t = 1; t < kFrames; ++t) {
    for (int64_t y = 0; y < kSize; ++y) {
      for (int64_t x = 0; x < kSize; ++x) {
        const double way = y < kSize / 2 ? choice.velocity * static_cast<double>(t) : 0;
        move(map, t, y, x, static_cast<float>(way + noise * random.normal()),
             static_cast<float>(noise * random.normal()), 0);
        map.visible[t][y][x] = !(choice.velocity > 0 && t >= 2 && y < kSize / 2);
      }
    }
  }
  return map;
}

using Forecast = std::function<MoMap(Random&)>;

MoMap honest(Random& random) { return motion_of(draw_truth(random), 0.005, random); }

/// Mean and standard error of (forecast's score - honest score) over scenes with `truths` futures.
/// With the same seed both draw the same numbers, so that they differ by the forecast alone.
std::pair<double, double> disadvantage(const Forecast& forecast, int truths, uint64_t seed,
                                       uint64_t honest_seed) {
  double sum = 0, squares = 0;
  for (int scene = 0; scene < kScenes; ++scene) {
    Random world(20, scene), first(seed, scene), second(honest_seed, scene);
    std::vector<MoMap> futures, theirs, ours;
    for (int m = 0; m < truths; ++m) {
      futures.push_back(honest(world));
      if (truths == 1) futures[0].visible.fill_(true);  // else the mask would tell the future
    }
    for (int k = 0; k < kSamples; ++k)
      theirs.push_back(forecast(first)), ours.push_back(honest(second));
    const momap::Clip clip = clip_of(futures);
    const double difference = score_samples("metric/energy_score", theirs, clip)["energy_score"] -
                              score_samples("metric/energy_score", ours, clip)["energy_score"];
    sum += difference, squares += difference * difference;
  }
  const double mean = sum / kScenes;
  return {mean, std::sqrt((squares / kScenes - mean * mean) / kScenes)};
}

class ProperScoring : public ::testing::TestWithParam<int> {
 protected:
  void expect_worse(const Forecast& forecast) {
    const auto [mean, error] = disadvantage(forecast, GetParam(), 21, 21);
    EXPECT_GT(mean, 3 * error) << "mean " << mean << " m, standard error " << error << " m";
  }
};

TEST_P(ProperScoring, StandingStillIsWorseThanTheTruth) {
  expect_worse([](Random& random) { return motion_of({0}, 0.005, random); });
}

TEST_P(ProperScoring, TheMeanMotionOfOneSideIsWorseThanTheTruth) {
  expect_worse([](Random& random) { return motion_of({0.04}, 0.005, random); });
}

TEST_P(ProperScoring, TimidSamplesAreWorseThanTheTruth) {
  expect_worse([](Random& random) {
    const double half = draw_truth(random).velocity / 2;
    return motion_of({half}, 0.005, random);
  });
}

TEST_P(ProperScoring, WildSamplesAreWorseThanTheTruth) {
  expect_worse([](Random& random) {
    const double wild = 1.8 * draw_truth(random).velocity;
    return motion_of({wild}, 0.005, random);
  });
}

TEST_P(ProperScoring, NoisySamplesAreWorseThanTheTruth) {
  expect_worse([](Random& random) { return motion_of(draw_truth(random), 0.03, random); });
}

TEST_P(ProperScoring, TheTruthHasNoAdvantageOverItself) {
  const auto [mean, error] = disadvantage(honest, GetParam(), 21, 22);
  EXPECT_LT(std::abs(mean), 3 * error);
}

INSTANTIATE_TEST_SUITE_P(OneAndFourTrueFutures, ProperScoring, ::testing::Values(1, 4));

}  // namespace
