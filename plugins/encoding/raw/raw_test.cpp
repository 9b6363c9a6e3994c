// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/stage/encoding.h>

#include "moved_maps.h"
#include "plugin_fixture.h"

namespace {

using momap::MoMap;
using momap::testing::condition_of;
using momap::testing::context;
using momap::testing::random_map;

std::shared_ptr<momap::Encoding> make(const std::string& yaml) {
  return momap::testing::make_plugin<momap::Encoding>("encoding/raw", yaml);
}

TEST(Raw, GivesAnyMapBackAndShorterOnesToo) {
  const auto raw = make("{frames: 12, deadband: 0}");
  for (const int64_t frames : {12, 7, 1}) {
    const MoMap map = random_map(frames, 6, 5);
    const auto latent = raw->encode(map, context());
    ASSERT_EQ(latent.values.sizes(), at::IntArrayRef({1, 36, 6, 5}));
    const MoMap back = raw->decode(latent, condition_of(map), context());
    EXPECT_LT(momap::testing::worst_relative_error(back.xyz, map.xyz), 1e-6);
    EXPECT_TRUE(at::equal(back.xyz[0], map.xyz[0]));
  }
}

TEST(Raw, ChannelsAreTheDisplacementsOfEachFrame) {
  const MoMap map = momap::testing::moved(4, 2, 8, [](int64_t t, int64_t, int64_t) {
    return std::array{0.0, 0.1 * static_cast<double>(t), -0.2 * static_cast<double>(t)};
  });
  const at::Tensor values = make("{frames: 4}")->encode(map, context()).values[0];
  const at::Tensor z0 = map.xyz[0].select(-1, 2);
  for (int64_t t = 0; t < 4; ++t) {
    const double now = 0.1 * static_cast<double>(t);
    EXPECT_TRUE(at::allclose(values[3 * t], at::zeros_like(z0)));
    EXPECT_TRUE(at::allclose(values[3 * t + 1], now * map.camera.fy / 2 / z0, 1e-4, 1e-6));
    EXPECT_TRUE(at::allclose(values[3 * t + 2], -2 * now / z0, 1e-4, 1e-6));
  }
}

TEST(Raw, MotionForLossesIsWhatIsDecoded) {
  const MoMap map = random_map(6, 4, 4);
  const auto raw = make("{frames: 6}");
  const auto latent = raw->encode(map, context());
  const at::Tensor motion = raw->motion(latent.values, latent.spec);
  ASSERT_EQ(motion.sizes(), at::IntArrayRef({1, 6, 3, 4, 4}));
  EXPECT_TRUE(at::allclose(motion.reshape({18, 4, 4}), latent.values[0]));
}

TEST(Raw, RefusesLongerClips) {
  try {
    make("{frames: 5}")->encode(random_map(6, 2, 2), context());
    FAIL() << "six frames went into five";
  } catch (const momap::DataError& error) {
    EXPECT_NE(std::string(error.what()).find("'frames' = 5"), std::string::npos) << error.what();
  }
}

}  // namespace
