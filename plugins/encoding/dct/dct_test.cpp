// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/data/geometry.h>
#include <momap/stage/encoding.h>

#include <cmath>
#include <numbers>

#include "moved_maps.h"
#include "plugin_fixture.h"
#include "scenes.h"

namespace {

using momap::Camera;
using momap::Condition;
using momap::Latent;
using momap::MoMap;
using momap::testing::context;

std::shared_ptr<momap::Encoding> make(const std::string& yaml) {
  return momap::testing::make_plugin<momap::Encoding>("encoding/dct", yaml);
}

using momap::testing::condition_of;
using momap::testing::moved;
using momap::testing::random_map;
using momap::testing::worst_relative_error;

TEST(Dct, AllCoefficientsAtStrideOneGiveTheMapBack) {
  for (const auto& [frames, height, width] :
       {std::array<int64_t, 3>{12, 9, 7}, {5, 1, 1}, {2, 3, 1}, {9, 1, 5}}) {
    const MoMap map = random_map(frames, height, width);
    for (const char* yaml :
         {"{coefficients: 12, deadband: 0}", "{coefficients: 200, deadband: 0}"}) {
      const auto dct = make(yaml);
      const MoMap back = dct->decode(dct->encode(map, context()), condition_of(map), context());
      EXPECT_LT(worst_relative_error(back.xyz, map.xyz), 1e-5);
      EXPECT_TRUE(back.valid.all().item<bool>());
    }
  }
}

TEST(Dct, LatentHoldsTheAnalyticCoefficients) {
  // u(t) - u(0) of a pure cosine at frequency k: energy at 0 and k only.
  const int64_t frames = 16;
  const int64_t k = 3;
  const auto cosine = [&](int64_t t) {
    return std::cos(std::numbers::pi * (static_cast<double>(t) + 0.5) * static_cast<double>(k) /
                    frames);
  };
  MoMap map = moved(frames, 4, 6, [&](int64_t t, int64_t, int64_t) {
    return std::array{0.0, 0.0, cosine(t) - cosine(0)};
  });
  const Latent latent = make("{coefficients: 5}")->encode(map, context());
  ASSERT_EQ(latent.values.sizes(), at::IntArrayRef({1, 15, 4, 6}));
  const at::Tensor z0 = map.xyz[0].select(-1, 2);
  for (int64_t c = 0; c < 15; ++c) {
    double amplitude = 0;
    if (c == 3 * k + 2) amplitude = std::sqrt(frames / 2.0);
    if (c == 2) amplitude = -cosine(0) * std::sqrt(static_cast<double>(frames));
    EXPECT_TRUE(at::allclose(latent.values[0][c], amplitude / z0, 1e-4, 1e-5)) << "channel " << c;
  }
}

TEST(Dct, XIsInWidthsOfTheFrustum) {
  const MoMap map = moved(1 + 1, 3, 8, [](int64_t, int64_t, int64_t) {
    return std::array{0.25, -0.5, 0.0};
  });
  const Latent latent = make("{coefficients: 1}")->encode(map, context());
  const at::Tensor z0 = map.xyz[0].select(-1, 2);
  const double half = std::sqrt(0.5);  // (0 + d) / sqrt(2)
  EXPECT_TRUE(at::allclose(latent.values[0][0], half * 0.25 * map.camera.fx / 8 / z0));
  EXPECT_TRUE(at::allclose(latent.values[0][1], half * -0.5 * map.camera.fy / 3 / z0));
  EXPECT_TRUE(at::allclose(latent.values[0][2], at::zeros_like(z0)));
}

TEST(Dct, TruncationIsTheProjectionOnTheKeptCosines) {
  // A linear path: the best approximation by k cosines leaves the known energy of the others.
  const int64_t frames = 24;
  const MoMap map = moved(frames, 2, 2, [](int64_t t, int64_t, int64_t) {
    return std::array{0.01 * static_cast<double>(t), 0.0, 0.0};
  });
  const auto energy = [&](const char* yaml) {
    return make(yaml)->encode(map, context()).values.square().sum().item<double>();
  };
  double lost = 0;
  for (int64_t k = 4; k < frames; ++k) {
    double c = 0;
    for (int64_t t = 0; t < frames; ++t) {
      c += static_cast<double>(t) * std::sqrt(2.0 / frames) *
           std::cos(std::numbers::pi * (static_cast<double>(t) + 0.5) * static_cast<double>(k) /
                    frames);
    }
    lost += c * c;
  }
  const at::Tensor unit = 0.01 * map.camera.fx / 2 / map.xyz[0].select(-1, 2);
  const double expected = lost * unit.square().sum().item<double>();
  EXPECT_NEAR(energy("{coefficients: 24}") - energy("{coefficients: 4}"), expected,
              0.02 * expected);
}

TEST(Dct, FrameZeroIsTheConditionsPointMapToTheBit) {
  const MoMap map = random_map(8, 12, 16);
  for (const char* yaml :
       {"{coefficients: 3}", "{coefficients: 3, stride: 4}", "{coefficients: 3, stride: 5}"}) {
    const auto dct = make(yaml);
    Latent latent = dct->encode(map, context());
    latent.values =
        at::arange(latent.values.numel(), at::kFloat).reshape(latent.values.sizes()).sin();
    const MoMap back = dct->decode(latent, condition_of(map), context());
    EXPECT_TRUE(at::equal(back.xyz[0], map.xyz[0])) << yaml;
    EXPECT_FALSE(at::equal(back.xyz[1], map.xyz[1]));
  }
}

TEST(Dct, InvalidPixelsDoNotLeakIntoTheCell) {
  MoMap map = moved(6, 8, 8, [](int64_t t, int64_t, int64_t) {
    return std::array{0.02 * static_cast<double>(t), 0.0, 0.0};
  });
  const auto dct = make("{coefficients: 6, stride: 4}");
  map.valid.slice(0, 0, 3).fill_(false);
  map.valid.slice(1, 0, 5).fill_(false);
  const at::Tensor before = dct->encode(map, context()).values;
  map.xyz.masked_fill_(~map.valid.unsqueeze(-1).unsqueeze(0), std::nan(""));
  const at::Tensor after = dct->encode(map, context()).values;
  EXPECT_TRUE(at::equal(before, after));
  EXPECT_TRUE(at::isfinite(after).all().item<bool>());
  EXPECT_EQ(after[0].select(1, 0).select(1, 0).abs().max().item<float>(),
            0.f);  // nothing valid in that cell
  EXPECT_GT(after[0][0][1][1].item<float>(), 0.f);
}

TEST(Dct, ValidPositionsThatAreNotFiniteAreADataError) {
  MoMap map = random_map(4, 4, 4);
  map.xyz[2][1][1][0] = std::nan("");
  EXPECT_THROW(make("{}")->encode(map, context()), momap::DataError);
}

TEST(Dct, LatentSizeIsRoundedUpAndDecodesToTheFullSize) {
  const MoMap map = moved(5, 7, 10, [](int64_t t, int64_t, int64_t) {
    return std::array{0.05 * static_cast<double>(t), 0.0, 0.0};
  });
  const auto dct = make("{coefficients: 5, stride: 4}");
  const Latent latent = dct->encode(map, context());
  EXPECT_EQ(latent.values.sizes(), at::IntArrayRef({1, 15, 2, 3}));
  const MoMap back = dct->decode(latent, condition_of(map), context());
  EXPECT_EQ(back.xyz.sizes(), map.xyz.sizes());
  EXPECT_LT(worst_relative_error(back.xyz, map.xyz),
            0.01);  // du is 0.05 t / z0 with z0 over +-4 % in a cell
}

TEST(Dct, APhotographOfOneFrameDecodesToItself) {
  const MoMap map = random_map(1, 5, 4);
  for (const char* yaml : {"{}", "{stride: 3}"}) {
    const auto dct = make(yaml);
    const Latent latent = dct->encode(map, context());
    EXPECT_EQ(latent.values.size(1), 24);
    EXPECT_EQ(latent.values.abs().max().item<float>(), 0.f);
    EXPECT_TRUE(at::equal(dct->decode(latent, condition_of(map), context()).xyz, map.xyz));
  }
}

TEST(Dct, MotionDoesNotBleedOverADepthEdge) {
  // Left part at 2 m moves, right part at 6 m stands; the edge runs through the middle of a cell.
  const Camera camera = momap::testing::simple_camera(32, 16);
  at::Tensor depth = at::full({16, 32}, 6.f);
  depth.slice(1, 0, 13).fill_(2.f);
  const at::Tensor points = momap::unproject(depth, camera);
  at::Tensor xyz = points.unsqueeze(0).repeat({6, 1, 1, 1});
  for (int64_t t = 0; t < 6; ++t)
    xyz[t].slice(1, 0, 13).select(-1, 0).add_(0.1 * static_cast<double>(t));
  const MoMap map{xyz, at::ones({6, 16, 32}, at::kBool), at::ones({16, 32}, at::kBool), camera};
  const auto dct = make("{coefficients: 6, stride: 8, deadband: 0}");
  const MoMap back = dct->decode(dct->encode(map, context()), condition_of(map), context());
  const at::Tensor dx = (back.xyz - back.xyz[0]).select(-1, 0)[5];
  EXPECT_LT(dx.slice(1, 13, 32).abs().max().item<double>(), 1e-6);
}

TEST(Dct, SegmentsKeepMotionApartAtTheSameDepth) {
  const MoMap still = moved(4, 16, 16, [](int64_t, int64_t, int64_t) {
    return std::array{0.0, 0.0, 0.0};
  });
  MoMap map = still;
  map.xyz = still.xyz.clone();
  for (int64_t t = 0; t < 4; ++t)
    map.xyz[t].slice(1, 0, 8).select(-1, 1).add_(0.1 * static_cast<double>(t));
  Condition condition = condition_of(map);
  condition.segments = at::zeros({16, 16}, at::kInt);
  condition.segments->slice(1, 0, 8).fill_(1);
  const auto dct = make("{coefficients: 4, stride: 4}");
  const MoMap back = dct->decode(dct->encode(map, context()), condition, context());
  EXPECT_TRUE(at::equal(back.xyz.slice(2, 8, 16), still.xyz.slice(2, 8, 16)));
  EXPECT_LT((back.xyz - map.xyz).abs().max().item<double>(), 0.03);
}

TEST(Dct, MotionBelowTheDeadbandIsExactlyNone) {
  const int64_t width = 16;
  const double fx = momap::testing::simple_camera(width, 8).fx;
  const MoMap map = moved(4, 8, width, [&](int64_t t, int64_t y, int64_t x) {
    const double z0 = 2.0 + 0.01 * static_cast<double>(x) + 0.02 * static_cast<double>(y);
    const double pixels = x < 8 ? 0.04 : 0.06;
    return std::array{pixels * static_cast<double>(t) / 3 * z0 / fx, 0.0, 0.0};
  });
  const auto dct = make("{coefficients: 4, deadband: 0.05}");
  const MoMap back = dct->decode(dct->encode(map, context()), condition_of(map), context());
  const at::Tensor moved_by = (back.xyz[3] - back.xyz[0]).norm(2, -1);
  EXPECT_EQ(moved_by.slice(1, 0, 8).max().item<float>(), 0.f);
  EXPECT_GT(moved_by.slice(1, 8, width).min().item<float>(), 0.f);
}

TEST(Dct, UnknownDepthIsNotValid) {
  const MoMap map = random_map(3, 4, 4);
  Condition condition = condition_of(map);
  condition.points[1][2].zero_();
  for (const char* yaml : {"{coefficients: 3}", "{coefficients: 3, stride: 2}"}) {
    const auto dct = make(yaml);
    const MoMap back = dct->decode(dct->encode(map, context()), condition, context());
    EXPECT_EQ(back.valid.sum().item<int64_t>(), 15);
    EXPECT_FALSE(back.valid[1][2].item<bool>());
    EXPECT_EQ(back.visible.select(1, 1).select(1, 2).sum().item<int64_t>(), 0);
    EXPECT_TRUE(at::isfinite(back.xyz).all().item<bool>());
  }
}

TEST(Dct, ALatentOfOtherParametersIsRefusedByName) {
  const MoMap map = random_map(4, 8, 8);
  const Latent latent = make("{coefficients: 4}")->encode(map, context());
  const auto message = [&](const char* yaml, const Latent& given) -> std::string {
    try {
      make(yaml)->decode(given, condition_of(map), context());
    } catch (const momap::DataError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message("{coefficients: 3}", latent).find("coefficients=4"), std::string::npos);
  EXPECT_NE(message("{coefficients: 4, stride: 2}", latent).find("stride=2"), std::string::npos);
  EXPECT_EQ(message("{coefficients: 4}", latent), "");
  Latent other = latent;
  other.spec.encoding = "encoding/pca";
  EXPECT_NE(message("{coefficients: 4}", other).find("encoding/pca"), std::string::npos);
  other = latent;
  other.spec.width = 9;
  EXPECT_NE(message("{coefficients: 4}", other).find("9x8"), std::string::npos);
  other = latent;
  other.values = latent.values.clone();
  other.values[0][0][0][0] = INFINITY;
  EXPECT_NE(message("{coefficients: 4}", other).find("not finite"), std::string::npos);
}

// A disc (segment 1) that turns about an axis out of the image plane, in front of a wall that
// stands; and, where `ball`, a small ball (segment 2) that flies past.
struct Turning {
  MoMap map;
  Condition condition;
};

Turning turning_disc(int64_t side, bool ball) {
  const Camera camera = momap::testing::simple_camera(side, side);
  at::Tensor depth = at::full({side, side}, 5.f);
  at::Tensor segments = at::zeros({side, side}, at::kInt);
  const auto distance = [](int64_t x, int64_t y, double cx, double cy) {
    return std::hypot(static_cast<double>(x) - cx, static_cast<double>(y) - cy);
  };
  const double s = static_cast<double>(side) / 64;
  for (int64_t y = 0; y < side; ++y) {
    for (int64_t x = 0; x < side; ++x) {
      if (distance(x, y, 24.3 * s, 30.7 * s) < 17 * s) {
        segments[y][x] = 1;
        depth[y][x] = 3 + 0.01 * static_cast<double>(x);
      }
      if (ball && distance(x, y, 52.2 * s, 12.6 * s) < 3.5 * s) {
        segments[y][x] = 2;
        depth[y][x] = 2;
      }
    }
  }
  const at::Tensor points = momap::unproject(depth, camera);
  const int64_t frames = 6;
  at::Tensor xyz = points.unsqueeze(0).repeat({frames, 1, 1, 1});
  auto a = xyz.accessor<float, 4>();
  auto p = points.accessor<float, 3>();
  auto id = segments.accessor<int32_t, 2>();
  const std::array<double, 3> pivot{-0.3, 0, 3.2};
  for (int64_t t = 1; t < frames; ++t) {
    const double angle = 0.1 * static_cast<double>(t);
    for (int64_t y = 0; y < side; ++y) {
      for (int64_t x = 0; x < side; ++x) {
        if (id[y][x] == 2) a[t][y][x][0] += 0.05f * static_cast<float>(t);
        if (id[y][x] != 1) continue;
        const double u = p[y][x][0] - pivot[0], v = p[y][x][1] - pivot[1];
        a[t][y][x][0] = static_cast<float>(pivot[0] + std::cos(angle) * u - std::sin(angle) * v);
        a[t][y][x][1] = static_cast<float>(pivot[1] + std::sin(angle) * u + std::cos(angle) * v);
      }
    }
  }
  const MoMap map{xyz, at::ones({frames, side, side}, at::kBool), at::ones({side, side}, at::kBool),
                  camera};
  Condition condition = condition_of(map);
  condition.segments = segments;
  return {map, condition};
}

// Largest error over the depth of the pixels of a segment.
double worst_of(const MoMap& result, const Turning& scene, int32_t segment) {
  const at::Tensor error =
      (result.xyz - scene.map.xyz).norm(2, -1) / scene.map.xyz[0].select(-1, 2);
  return error.masked_select(scene.condition.segments->eq(segment).expand_as(error))
      .max()
      .item<double>();
}

TEST(Dct, SurfacesDecodeARigidTurnFromCoarseCells) {
  const Turning scene = turning_disc(64, false);
  const auto dct = make("{coefficients: 6, stride: 8, upsampling: surfaces}");
  const MoMap back = dct->decode(dct->encode(scene.map, context()), scene.condition, context());
  EXPECT_LT(worst_of(back, scene, 1), 0.004);  // it goes as far as 0.1
  EXPECT_EQ(worst_of(back, scene, 0), 0);      // the wall is below the deadband
  const auto edges = make("{coefficients: 6, stride: 8}");
  const MoMap before =
      edges->decode(edges->encode(scene.map, context()), scene.condition, context());
  EXPECT_GT(worst_of(before, scene, 1), 0.02);
}

TEST(Dct, SurfacesFindTheMotionOfWhatFillsNoCell) {
  const Turning scene = turning_disc(64, true);
  const auto dct = make("{coefficients: 6, stride: 8, upsampling: surfaces}");
  const MoMap back = dct->decode(dct->encode(scene.map, context()), scene.condition, context());
  EXPECT_LT(worst_of(back, scene, 2), 0.01);  // it goes as far as 0.125
  EXPECT_LT(worst_of(back, scene, 0), 0.002);
}

TEST(Dct, SurfacesWithoutSegmentsAreToldApartByDepth) {
  Turning scene = turning_disc(64, false);
  const auto dct = make("{coefficients: 6, stride: 8, upsampling: surfaces}");
  Condition blind = scene.condition;
  blind.segments.reset();
  const MoMap back = dct->decode(dct->encode(scene.map, context()), blind, context());
  EXPECT_LT(worst_of(back, scene, 1), 0.004);
  EXPECT_EQ(worst_of(back, scene, 0), 0);
}

TEST(Dct, SurfacesOfImagesSmallerThanACellOrOfUnknownDepthAreDecoded) {
  for (const int64_t side : {1, 3, 9}) {
    const MoMap map = moved(3, side, side, [](int64_t t, int64_t, int64_t) {
      return std::array{0.1 * static_cast<double>(t), 0.0, 0.0};
    });
    const auto dct = make("{coefficients: 3, stride: 8, upsampling: surfaces, deadband: 0}");
    const Latent latent = dct->encode(map, context());
    EXPECT_LT(worst_relative_error(dct->decode(latent, condition_of(map), context()).xyz, map.xyz),
              0.01);
    Condition nothing = condition_of(map);
    nothing.points.zero_();
    EXPECT_EQ(dct->decode(latent, nothing, context()).valid.sum().item<int64_t>(), 0);
  }
}

}  // namespace
