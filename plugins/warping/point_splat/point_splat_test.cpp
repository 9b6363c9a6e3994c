// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/data/geometry.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>
#include <scenes.h>
#include <tbb/global_control.h>

#include <cmath>
#include <limits>
#include <set>

namespace {

using momap::testing::context;

momap::PartialClip warp(const momap::Image& image, const momap::MoMap& momap,
                        const std::string& params = "{}") {
  return momap::testing::make_plugin<momap::Warper>("warping/point_splat", params)
      ->warp(image, momap, context());
}

/// Noise, so that any slip of a pixel shows.
momap::Image noise_image(int64_t height, int64_t width) {
  at::Tensor rgb = at::empty({height, width, 3}, at::kByte);
  uint32_t state = 12345;
  for (int64_t i = 0; i < rgb.numel(); ++i) {
    state = state * 1664525u + 1013904223u;
    rgb.data_ptr<uint8_t>()[i] = static_cast<uint8_t>(state >> 24);
  }
  return {rgb};
}

/// A wall at `depth` in front of a camera whose focal length in px is 100.
momap::MoMap wall(int64_t frames, int64_t height, int64_t width, float depth) {
  const momap::Camera camera{
      100,   100,   0.5 * static_cast<double>(width - 1), 0.5 * static_cast<double>(height - 1),
      width, height};
  const at::Tensor points = momap::unproject(at::full({height, width}, depth), camera);
  return {points.expand({frames, height, width, 3}).clone(),
          at::ones({frames, height, width}, at::kBool), at::ones({height, width}, at::kBool),
          camera};
}

int64_t dropped(const momap::PartialClip& clip, int64_t frame, momap::DropReason reason) {
  return clip.dropped[frame][static_cast<int64_t>(reason)].item<int64_t>();
}

int64_t count(const at::Tensor& mask) { return mask.sum().item<int64_t>(); }

/// Peak signal-to-noise ratio over a mask, dB.
double psnr(const at::Tensor& a, const at::Tensor& b, const at::Tensor& mask) {
  const at::Tensor error = (a.to(at::kDouble) - b.to(at::kDouble)).square().mean(-1);
  const double mse = error.masked_select(mask).mean().item<double>() / (255.0 * 255.0);
  return -10 * std::log10(mse);
}

TEST(PointSplat, GivesTheImageBackWhenNothingMoves) {
  for (const auto& [height, width] : {std::pair{64, 80}, std::pair{1, 1}, std::pair{33, 1},
                                      std::pair{1, 7}, std::pair{13, 511}}) {
    const momap::Image image = noise_image(height, width);
    momap::MoMap still = wall(2, height, width, 3.7f);
    // Uneven depth: every kind of corner between surfaces occurs.
    const at::Tensor depth = 1.0 + image.rgb.select(2, 0).to(at::kFloat) / 64.0;
    still.xyz.copy_(momap::unproject(depth, still.camera).expand_as(still.xyz));
    for (const auto& map : {wall(2, height, width, 3.7f), still}) {
      const momap::PartialClip out = warp(image, map);
      EXPECT_TRUE(out.covered.all().item<bool>()) << height << " x " << width;
      EXPECT_TRUE(at::equal(out.frames[0], image.rgb));
      EXPECT_TRUE(at::equal(out.frames[1], image.rgb));
      EXPECT_EQ(count(out.dropped), 0);
    }
    EXPECT_TRUE(at::allclose(warp(image, still).depth[1], depth, 1e-3, 0));
  }
}

TEST(PointSplat, MovesByWholePixelsExactly) {
  const momap::Image image = noise_image(40, 50);
  momap::MoMap map = wall(2, 40, 50, 2.0f);
  map.xyz[1].select(-1, 0).add_(3 * 2.0 / 100);   // 3 px to the right
  map.xyz[1].select(-1, 1).add_(-2 * 2.0 / 100);  // 2 px up
  const momap::PartialClip out = warp(image, map);
  EXPECT_TRUE(at::equal(out.frames[1].slice(0, 0, 38).slice(1, 3, 50),
                        image.rgb.slice(0, 2, 40).slice(1, 0, 47)));
  at::Tensor expected = at::zeros({40, 50}, at::kBool);
  expected.slice(0, 0, 38).slice(1, 3, 50).fill_(true);
  EXPECT_TRUE(at::equal(out.covered[1], expected));
  EXPECT_EQ(dropped(out, 1, momap::DropReason::outside), 40 * 50 - 38 * 47);
  EXPECT_EQ(count(out.dropped), 40 * 50 - 38 * 47);
}

TEST(PointSplat, InterpolatesHalfPixelMotion) {
  const momap::Image image = noise_image(20, 30);
  momap::MoMap map = wall(2, 20, 30, 2.0f);
  map.xyz[1].select(-1, 0).add_(0.5 * 2.0 / 100);
  const momap::PartialClip out = warp(image, map);
  const at::Tensor source = image.rgb.to(at::kFloat);
  const at::Tensor expected = 0.5 * (source.slice(1, 0, 29) + source.slice(1, 1, 30));
  const at::Tensor error = (out.frames[1].slice(1, 1, 30).to(at::kFloat) - expected).abs();
  EXPECT_LE(error.max().item<float>(), 0.75f);  // rounding of x.5 and of the projection
}

TEST(PointSplat, MagnifiesWithoutCracks) {
  const momap::Image image = noise_image(48, 64);
  for (const float scale : {1.3f, 2.0f, 3.7f}) {
    momap::MoMap map = wall(2, 48, 64, 4.0f);
    map.xyz[1].select(-1, 2).div_(scale);
    const momap::PartialClip out = warp(image, map);
    EXPECT_TRUE(out.covered[1].all().item<bool>()) << "magnified " << scale << " times";
  }
}

TEST(PointSplat, MagnifiesAWavySurfaceWithoutCracks) {
  const momap::Image image = noise_image(60, 80);
  momap::MoMap map = wall(2, 60, 80, 3.0f);
  auto xyz = map.xyz.accessor<float, 4>();
  for (int64_t y = 0; y < 60; ++y) {
    for (int64_t x = 0; x < 80; ++x) {
      const float phase = 0.5f * static_cast<float>(x) + 0.3f * static_cast<float>(y);
      xyz[1][y][x][0] += 0.01f * std::sin(phase);
      xyz[1][y][x][1] += 0.01f * std::cos(phase);
      xyz[1][y][x][2] = 1.3f + 0.02f * std::sin(1.7f * phase);
    }
  }
  EXPECT_TRUE(warp(image, map).covered[1].all().item<bool>());
}

TEST(PointSplat, DrawsNoBridgeAcrossADepthEdge) {
  // The left half stands at 2 m, the right half at 4 m; the left half goes left by 5 px.
  const momap::Image image = noise_image(16, 40);
  image.rgb.slice(1, 0, 20).fill_(0);
  image.rgb.slice(1, 20, 40).fill_(255);
  momap::MoMap map = wall(2, 16, 40, 4.0f);
  map.xyz.copy_(
      momap::unproject(at::cat({at::full({16, 20}, 2.0f), at::full({16, 20}, 4.0f)}, 1), map.camera)
          .expand_as(map.xyz));
  map.xyz[1].slice(1, 0, 20).select(-1, 0).sub_(5.25 * 2.0 / 100);
  const momap::PartialClip out = warp(image, map);
  at::Tensor expected = at::ones({16, 40}, at::kBool);
  expected.slice(1, 15, 20).fill_(false);
  EXPECT_TRUE(at::equal(out.covered[1], expected));
  // Sub-pixel motion mixes colours of one surface only.
  EXPECT_TRUE((out.frames[1].slice(1, 0, 15) == 0).all().item<bool>());
  EXPECT_TRUE((out.frames[1].slice(1, 20, 40) == 255).all().item<bool>());
}

TEST(PointSplat, LetsTheNearerSurfaceHideTheFarther) {
  const momap::Image image = noise_image(30, 60);
  image.rgb.slice(1, 0, 10).fill_(200);
  momap::MoMap map = wall(2, 30, 60, 4.0f);
  at::Tensor depth = at::full({30, 60}, 4.0f);
  depth.slice(1, 0, 10).fill_(2.0f);
  map.xyz.copy_(momap::unproject(depth, map.camera).expand_as(map.xyz));
  map.xyz[1].slice(1, 0, 10).select(-1, 0).add_(25 * 2.0 / 100);  // over the wall, 25 px right
  const momap::PartialClip out = warp(image, map);
  EXPECT_TRUE((out.frames[1].slice(1, 25, 35) == 200).all().item<bool>());
  EXPECT_TRUE(at::allclose(out.depth[1].slice(1, 25, 35), at::full({30, 10}, 2.0f)));
  EXPECT_TRUE(at::equal(out.frames[1].slice(1, 35, 60), image.rgb.slice(1, 35, 60)));
  EXPECT_EQ(count(out.covered[1].logical_not()), 30 * 10);
}

TEST(PointSplat, LeavesOpenWhatTheSquareUncovers) {
  int64_t hit = 0, claimed = 0, wanted = 0;
  for (const double speed : {0.01, 0.03, 0.05, 0.08, -0.06}) {
    momap::testing::SceneOptions options;
    options.square_speed_x = speed;
    const momap::Clip clip = momap::testing::moving_square(options);
    const momap::PartialClip out = warp(clip.image(0), clip.truth.at(0).motion);
    const at::Tensor was_hidden = clip.segments->eq(1);
    for (int64_t t = 1; t < clip.length(); ++t) {
      // The wall stands still, so what frame t shows of it was hidden where the square was in frame
      // 0.
      const at::Tensor truth = clip.depth->select(0, t).gt(3.0).logical_and(was_hidden);
      const at::Tensor open = out.covered[t].logical_not();
      hit += count(truth.logical_and(open));
      claimed += count(open);
      wanted += count(truth);
    }
  }
  const double f1 = 2.0 * static_cast<double>(hit) / static_cast<double>(claimed + wanted);
  RecordProperty("f1", std::to_string(f1));
  EXPECT_GT(wanted, 5000);
  EXPECT_GT(f1, 0.98);
}

TEST(PointSplat, ShowsWhatTheCameraWouldSee) {
  momap::testing::SceneOptions options;
  options.square_speed_z = -0.05;
  const momap::Clip clip = momap::testing::moving_square(options);
  const momap::PartialClip out = warp(clip.image(0), clip.truth.at(0).motion);
  for (int64_t t = 1; t < clip.length(); ++t) {
    const double db = psnr(out.frames[t], clip.frames[t], out.covered[t]);
    RecordProperty("psnr_" + std::to_string(t), std::to_string(db));
    EXPECT_GT(db, 32.0) << "frame " << t;
  }
}

TEST(PointSplat, CountsWhatItCannotDrawAndStaysFinite) {
  const momap::Image image = noise_image(8, 8);
  momap::MoMap map = wall(2, 8, 8, 2.0f);
  auto xyz = map.xyz.accessor<float, 4>();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  xyz[1][0][0][2] = -2.0f;                                    // behind
  xyz[1][0][7][2] = 0.0f;                                     // on the camera
  xyz[1][7][0][0] = std::numeric_limits<float>::quiet_NaN();  // not a number
  xyz[1][7][7][2] = kInf;                                     // infinitely far
  xyz[1][3][3][0] = 3e38f;                                    // far outside
  xyz[1][4][4][2] = 1e-38f;                                   // projects to infinity
  map.valid[5][5].fill_(false);
  map.visible[1][6][1].fill_(false);
  const momap::PartialClip out = warp(image, map, "{respect_visible: true}");
  using Reason = momap::DropReason;
  EXPECT_EQ(count(out.dropped[0]), 1);
  EXPECT_EQ(dropped(out, 0, Reason::invalid), 1);
  EXPECT_EQ(dropped(out, 1, Reason::invalid), 1);
  EXPECT_EQ(dropped(out, 1, Reason::unseen), 1);
  EXPECT_EQ(dropped(out, 1, Reason::not_finite), 2);
  EXPECT_EQ(dropped(out, 1, Reason::behind), 2);
  EXPECT_EQ(dropped(out, 1, Reason::outside), 2);
  EXPECT_EQ(count(out.dropped[1]), 8);
  EXPECT_EQ(count(out.covered[0]), 63);
  EXPECT_EQ(count(out.covered[1]), 64 - 8);
  EXPECT_TRUE(out.depth.isfinite().all().item<bool>());
}

TEST(PointSplat, CountsEveryPointThatNoPixelShows) {
  // Every drawn point has a colour of its own, so that those seen can be counted.
  const momap::Image image{at::empty({40, 60, 3}, at::kByte)};
  for (int64_t i = 0; i < 40 * 60; ++i) {
    image.rgb.data_ptr<uint8_t>()[3 * i] = static_cast<uint8_t>(i & 255);
    image.rgb.data_ptr<uint8_t>()[3 * i + 1] = static_cast<uint8_t>(i >> 8);
    image.rgb.data_ptr<uint8_t>()[3 * i + 2] = 9;
  }
  momap::MoMap map = wall(1, 40, 60, 4.0f);
  // A board at half the depth slides by whole pixels over the wall and out of the image.
  at::Tensor depth = at::full({40, 60}, 4.0f);
  depth.slice(0, 10, 30).slice(1, 20, 40).fill_(2.0f);
  map.xyz.copy_(momap::unproject(depth, map.camera));
  map.xyz[0].slice(0, 10, 30).slice(1, 20, 40).select(-1, 0).add_(30 * 2.0 / 100);
  map.valid[0].slice(0, 0, 7).fill_(false);
  const momap::PartialClip out = warp(image, map);
  std::set<int> seen;
  const at::Tensor rgb = out.frames[0].to(at::kInt).contiguous();
  for (int64_t i = 0; i < 40 * 60; ++i) {
    const int* c = rgb.data_ptr<int>() + 3 * i;
    if (out.covered[0].view(-1)[i].item<bool>()) seen.insert(c[0] + 256 * c[1]);
  }
  using Reason = momap::DropReason;
  EXPECT_EQ(dropped(out, 0, Reason::invalid), 7);
  EXPECT_EQ(dropped(out, 0, Reason::outside), 20 * 10);  // of the board, 10 columns are left
  EXPECT_EQ(dropped(out, 0, Reason::hidden), 20 * 10);   // wall behind those
  EXPECT_EQ(dropped(out, 0, Reason::too_small), 0);
  EXPECT_EQ(static_cast<int64_t>(seen.size()) + count(out.dropped), 40 * 60);
}

TEST(PointSplat, AddsUpToTheNumberOfPointsWhenShrunk) {
  const momap::Image image = noise_image(50, 70);
  momap::MoMap map = wall(1, 50, 70, 2.0f);
  map.xyz.select(-1, 2).mul_(3.1);  // each pixel holds about ten points
  const momap::PartialClip out = warp(image, map);
  // One point holds each covered pixel: none can hold two.
  EXPECT_EQ(count(out.covered) + count(out.dropped), 50 * 70);
  EXPECT_GT(dropped(out, 0, momap::DropReason::too_small), 3000);
}

TEST(PointSplat, FollowsVisibleOnlyWhenAsked) {
  const momap::Image image = noise_image(8, 8);
  momap::MoMap map = wall(2, 8, 8, 2.0f);
  map.visible[1].fill_(false);
  EXPECT_EQ(count(warp(image, map).covered[1]), 64);
  EXPECT_EQ(count(warp(image, map, "{respect_visible: true}").covered[1]), 0);
}

TEST(PointSplat, TearsASurfaceThatIsStretchedTooFar) {
  const momap::Image image = noise_image(10, 40);
  momap::MoMap map = wall(2, 10, 40, 2.0f);
  map.xyz[1].slice(1, 20, 40).select(-1, 0).add_(8 * 2.0 / 100);  // half of the wall, 8 px
  EXPECT_EQ(count(warp(image, map).covered[1].logical_not()), 10 * 8);
  EXPECT_EQ(count(warp(image, map, "{max_footprint_px: 10}").covered[1].logical_not()), 0);
}

TEST(PointSplat, FillsACoveredSurfaceInADollyIn) {
  momap::testing::SceneOptions options;
  const momap::Clip clip = momap::testing::moving_square(options);
  momap::MoMap map = clip.truth.at(0).motion;
  map.xyz = map.xyz.slice(0, 0, 1).expand({8, -1, -1, -1}).clone();
  for (int64_t t = 0; t < 8; ++t) {
    // The camera nears the square by a third of its distance: x 1.5, the wall x 1.2.
    map.xyz[t].select(-1, 2).sub_(2.0 / 3.0 * static_cast<double>(t) / 7);
  }
  const momap::PartialClip out = warp(clip.image(0), map);
  for (int64_t t = 0; t < 8; ++t) {
    // Uncovered is only what the grown square leaves of the wall: nothing, as both grow outward.
    const at::Tensor open = out.covered[t].logical_not();
    const at::Tensor square = out.depth[t].lt(3.0);
    EXPECT_LE(count(open), 96 * 128 / 200) << "frame " << t;
    EXPECT_EQ(count(open.slice(0, 1, 95)
                        .slice(1, 1, 127)
                        .logical_and(square.slice(0, 1, 95).slice(1, 0, 126))
                        .logical_and(square.slice(0, 1, 95).slice(1, 2, 128))),
              0)
        << "crack in the square, frame " << t;
  }
}

TEST(PointSplat, ShiftsByFractionsOfAPixelAccurately) {
  // A smooth picture can be shifted analytically.
  constexpr int64_t kHeight = 64, kWidth = 96;
  const auto picture = [](double dx, double dy) {
    const at::Tensor x = at::arange(kWidth, at::kDouble).sub(dx).unsqueeze(0);
    const at::Tensor y = at::arange(kHeight, at::kDouble).sub(dy).unsqueeze(1);
    const at::Tensor wave = (x * 0.21 + y * 0.13).sin() * 50 + (x * 0.07 - y * 0.17).cos() * 60;
    return (wave + 128).round().to(at::kByte).unsqueeze(-1).expand({-1, -1, 3}).contiguous();
  };
  for (const auto& [dx, dy] : {std::pair{0.25, 0.0}, std::pair{0.5, 0.5}, std::pair{-1.37, 2.71}}) {
    momap::MoMap map = wall(1, kHeight, kWidth, 2.0f);
    map.xyz.select(-1, 0).add_(dx * 2.0 / 100);
    map.xyz.select(-1, 1).add_(dy * 2.0 / 100);
    const momap::PartialClip out = warp({picture(0, 0)}, map);
    at::Tensor inner = at::zeros({kHeight, kWidth}, at::kBool);
    inner.slice(0, 4, kHeight - 4).slice(1, 4, kWidth - 4).fill_(true);
    EXPECT_GT(psnr(out.frames[0], picture(dx, dy), inner.logical_and(out.covered[0])), 50.0)
        << dx << ", " << dy;
  }
}

TEST(PointSplat, AveragesTheDetailsOfAShrunkSurfaceWhenAsked) {
  // Noise seen from four times as far: each pixel of the middle 16 x 16 holds 4 x 4 of the image.
  const momap::Image image = noise_image(64, 64);
  momap::MoMap map = wall(1, 64, 64, 2.0f);
  map.xyz.select(-1, 2).mul_(4.0);
  const at::Tensor mean =
      image.rgb.to(at::kDouble).reshape({16, 4, 16, 4, 3}).mean(std::vector<int64_t>{1, 3});
  const auto error = [&](const std::string& params) {
    const at::Tensor inner = warp(image, map, params).frames[0].slice(0, 25, 39).slice(1, 25, 39);
    return (inner.to(at::kDouble) - mean.slice(0, 1, 15).slice(1, 1, 15))
        .abs()
        .mean()
        .item<double>();
  };
  EXPECT_LT(error("{samples: 4}"), 6.0);
  EXPECT_GT(error("{samples: 1}"), 3 * error("{samples: 4}"));
}

TEST(PointSplat, AnAntiAliasedPictureAtRestKeepsItsPlace) {
  const momap::Image image = noise_image(20, 30);
  image.rgb.fill_(40);
  image.rgb.slice(1, 12, 30).fill_(180);
  const momap::PartialClip out = warp(image, wall(1, 20, 30, 2.0f), "{samples: 2}");
  EXPECT_TRUE(out.covered.all().item<bool>());
  EXPECT_TRUE((out.frames[0].slice(1, 0, 11) == 40).all().item<bool>());
  EXPECT_TRUE((out.frames[0].slice(1, 13, 30) == 180).all().item<bool>());
  EXPECT_TRUE(at::allclose(out.depth, at::full_like(out.depth, 2.0f)));
}

TEST(PointSplat, ShowsAnotherViewAsIfTheSceneMoved) {
  const momap::Clip clip = momap::testing::moving_square();
  const momap::MoMap& map = clip.truth.at(0).motion;
  const auto plugin = momap::testing::make_plugin<momap::Warper>("warping/point_splat");
  momap::View view{map.camera, at::eye(4, at::kDouble).repeat({map.frames(), 1, 1})};
  momap::MoMap moved = map;
  moved.xyz = map.xyz.clone();
  for (int64_t t = 0; t < map.frames(); ++t) {
    (*view.cam_from_reference)[t][0][3] = -0.125 * static_cast<double>(t);
    moved.xyz[t].select(-1, 0).sub_(0.125 * static_cast<double>(t));
  }
  const momap::PartialClip seen = plugin->warp(clip.image(0), map, view, context());
  const momap::PartialClip expected = warp(clip.image(0), moved);
  EXPECT_TRUE(at::equal(seen.covered, expected.covered));
  EXPECT_TRUE(at::equal(seen.frames, expected.frames));
  EXPECT_TRUE(at::equal(seen.dropped, expected.dropped));
}

TEST(PointSplat, DrawsAViewOfAnotherSize) {
  const momap::Image image = noise_image(24, 32);
  const momap::MoMap map = wall(2, 24, 32, 2.0f);
  const auto plugin = momap::testing::make_plugin<momap::Warper>("warping/point_splat");
  const momap::PartialClip out =
      plugin->warp(image, map, {map.camera.resized(64, 48), std::nullopt}, context());
  EXPECT_EQ(out.frames.sizes(), at::IntArrayRef({2, 48, 64, 3}));
  EXPECT_TRUE(out.covered.all().item<bool>());
  momap::View short_path{map.camera, at::eye(4, at::kDouble).unsqueeze(0)};
  EXPECT_THROW(plugin->warp(image, map, short_path, context()), momap::DataError);
}

TEST(PointSplat, LeavesFramesEmptyThatShowNothing) {
  const momap::Image image = noise_image(9, 7);
  momap::MoMap unknown = wall(1, 9, 7, 2.0f), behind = wall(1, 9, 7, 2.0f),
               beside = wall(1, 9, 7, 2.0f);
  unknown.valid.fill_(false);
  behind.xyz.select(-1, 2).neg_();
  beside.xyz.select(-1, 0).add_(1e6);
  for (const momap::MoMap& map : {unknown, behind, beside}) {
    const momap::PartialClip out = warp(image, map);
    EXPECT_FALSE(out.covered.any().item<bool>());
    EXPECT_TRUE((out.frames == 0).all().item<bool>());
    EXPECT_TRUE((out.depth == 0).all().item<bool>());
    EXPECT_EQ(count(out.dropped), 9 * 7);
  }
}

TEST(PointSplat, GivesTheSameBytesForAnyNumberOfThreads) {
  const momap::Clip clip = momap::testing::moving_square();
  const momap::PartialClip many = warp(clip.image(0), clip.truth.at(0).motion);
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  const momap::PartialClip single = warp(clip.image(0), clip.truth.at(0).motion);
  EXPECT_TRUE(at::equal(many.frames, single.frames));
  EXPECT_TRUE(at::equal(many.covered, single.covered));
  EXPECT_TRUE(at::equal(many.depth, single.depth));
}

TEST(PointSplat, RefusesAnImageOfAnotherSize) {
  try {
    warp(noise_image(8, 9), wall(2, 8, 8, 2.0f));
    FAIL() << "expected DataError";
  } catch (const momap::DataError& error) {
    EXPECT_NE(std::string(error.what()).find("9 x 8"), std::string::npos) << error.what();
  }
}

TEST(PointSplat, ShowsWhatHasNoDepthBehindAllElse) {
  // The upper half is sky; a square of the lower half moves up before it.
  momap::MoMap map = wall(2, 24, 32, 2.0f);
  map.xyz.slice(1, 0, 12).zero_();
  map.valid.slice(0, 0, 12).fill_(false);
  map.visible.slice(1, 0, 12).fill_(false);
  map.xyz[1].slice(0, 14, 20).slice(1, 10, 16).select(-1, 1).sub_(8 * 2.0f / 100);
  const momap::Image image = noise_image(24, 32);
  const momap::PartialClip out = warp(image, map);
  EXPECT_TRUE(at::equal(out.frames[0], image.rgb));
  EXPECT_TRUE(at::equal(out.frames[1].slice(0, 0, 6), image.rgb.slice(0, 0, 6)));
  EXPECT_TRUE(at::equal(out.frames[1].slice(0, 6, 12).slice(1, 10, 16),
                        image.rgb.slice(0, 14, 20).slice(1, 10, 16)));
  EXPECT_EQ(out.depth[0][0][0].item<float>(), 4);
  EXPECT_EQ(out.dropped[0].sum().item<int64_t>(), 0);
  EXPECT_EQ(out.dropped[1][static_cast<int64_t>(momap::DropReason::hidden)].item<int64_t>(), 36);
  // Or it is left out.
  const momap::PartialClip hole = warp(image, map, "{unknown_depth: hole}");
  EXPECT_FALSE(hole.covered[0].slice(0, 0, 11).any().item<bool>());
  EXPECT_EQ(hole.dropped[0][static_cast<int64_t>(momap::DropReason::invalid)].item<int64_t>(),
            12 * 32);
  // A path that was lost is no sky.
  map.valid[20][3] = false;
  EXPECT_FALSE(warp(image, map).covered[0][20][3].item<bool>());
}

TEST(PointSplat, WhatRestsIsDrawnAsIfItHadBeenWorkedOut) {
  // A hilly wall with a step, holes and a hand's breadth that moves; parts of it are at rest.
  const int64_t height = 90, width = 300;
  momap::MoMap map = wall(3, height, width, 2.0f);
  const at::Tensor x = at::arange(width, at::kFloat).unsqueeze(0) * 0.11f;
  const at::Tensor y = at::arange(height, at::kFloat).unsqueeze(1) * 0.07f;
  at::Tensor depth = 3 + 0.3f * x.sin() * y.cos();
  depth.slice(0, 20, 60).slice(1, 100, 160).sub_(1);
  map.xyz.copy_(momap::unproject(depth, map.camera).unsqueeze(0));
  map.valid.slice(0, 30, 40).slice(1, 5, 20).fill_(false);
  map.valid.slice(0, 70, 71).slice(1, 200, 290).fill_(false);
  for (int64_t t = 1; t < 3; ++t) {
    at::Tensor hand = map.xyz[t].slice(0, 25, 50).slice(1, 110, 140);
    hand.select(-1, 0).add_(0.4f * static_cast<float>(t));
    hand.select(-1, 2).sub_(0.3f);
  }
  const momap::Image image = noise_image(height, width);
  const momap::PartialClip quick = warp(image, map);
  // Whoever follows visibility looks at every point.
  const momap::PartialClip slow = warp(image, map, "{respect_visible: true}");
  EXPECT_TRUE(at::equal(quick.frames, slow.frames));
  EXPECT_TRUE(at::equal(quick.covered, slow.covered));
  EXPECT_TRUE(at::equal(quick.depth, slow.depth));
  EXPECT_TRUE(at::equal(quick.dropped, slow.dropped)) << quick.dropped << slow.dropped;
  EXPECT_GT(dropped(quick, 2, momap::DropReason::hidden), 100);
}

}  // namespace
