// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/data/datum.h>
#include <momap/data/geometry.h>
#include <momap/data/opencv.h>
#include <momap/stage/annotator.h>

#include <cmath>
#include <opencv2/imgproc.hpp>

#include "plugin_fixture.h"
#include "scenes.h"

namespace {

using momap::Clip;

constexpr double kDegree = M_PI / 180;

Clip annotate(const Clip& clip, const std::string& yaml = "{}") {
  const auto plugin =
      momap::testing::make_plugin<momap::Annotator>("annotation/ground_plane", yaml);
  Clip out = plugin->annotate(clip, momap::testing::context());
  momap::check(out, "annotation/ground_plane");
  return out;
}

Clip grey_clip(int64_t frames, int64_t height, int64_t width) {
  Clip clip;
  clip.frames = at::full({frames, height, width, 3}, 90, at::kByte);
  return clip;
}

// A street of grey noise on which a 10 x 40 px figure walks 6 px a frame, its feet in row `feet`.
Clip walker(int64_t frames, int feet) {
  Clip clip = grey_clip(frames, 120, 160);
  cv::RNG random(5);
  for (int64_t t = 0; t < frames; ++t) {
    cv::Mat frame = momap::as_mat(clip.frames[t]);
    random.fill(frame, cv::RNG::UNIFORM, 80, 100);
    cv::rectangle(frame, cv::Rect(10 + 6 * static_cast<int>(t), feet - 39, 10, 40),
                  cv::Scalar(220, 40, 40), cv::FILLED);
  }
  return clip;
}

TEST(GroundPlane, EveryGroundPixelLiesCameraHeightBelow) {
  const Clip out = annotate(grey_clip(1, 61, 81), "{camera_height_m: 2.5, pitch_degrees: 30}");
  ASSERT_TRUE(out.depth && out.camera && out.cam_from_world);
  const at::Tensor points = momap::unproject((*out.depth)[0], *out.camera);
  const auto p = points.accessor<float, 3>();
  for (int64_t y = 0; y < 61; ++y) {
    for (int64_t x = 0; x < 81; ++x) {
      if (p[y][x][2] >= 50) continue;
      const double down = std::cos(30 * kDegree) * p[y][x][1] + std::sin(30 * kDegree) * p[y][x][2];
      ASSERT_NEAR(down, 2.5, 1e-4);
    }
  }
  EXPECT_NEAR(p[30][40][2], 2.5 / std::sin(30 * kDegree), 1e-5) << "along the axis";
}

TEST(GroundPlane, HasTheLargestDepthAtAndAboveTheHorizon) {
  const Clip out = annotate(grey_clip(1, 101, 100), "{pitch_degrees: 0, max_depth_m: 30}");
  const auto z = out.depth->accessor<float, 3>();
  for (int64_t y = 0; y <= 50; ++y) ASSERT_EQ(z[0][y][7], 30);
  EXPECT_LT(z[0][100][7], 30);
  EXPECT_TRUE(out.depth->isfinite().all().item<bool>());
  const Clip up = annotate(grey_clip(1, 101, 100), "{pitch_degrees: -80}");
  EXPECT_TRUE((*up.depth == 50).all().item<bool>());
  const Clip straight_down = annotate(grey_clip(1, 5, 5), "{pitch_degrees: 90}");
  EXPECT_TRUE(straight_down.depth->allclose(at::full({1, 5, 5}, 1.6f)));
}

TEST(GroundPlane, StandsWalkersOnTheGround) {
  const int feet = 100;
  const Clip out = annotate(walker(12, feet), "{camera_height_m: 3, pitch_degrees: 20}");
  const auto z = out.depth->accessor<float, 3>();
  for (int64_t t = 0; t < 12; ++t) {
    const int64_t x = 15 + 6 * t;
    const float ground = z[t][feet][0];
    EXPECT_NEAR(z[t][feet - 20][x] / ground, 1, 0.02) << t;
    EXPECT_NEAR(z[t][feet - 37][x] / ground, 1, 0.02) << t;
    EXPECT_GT(z[t][feet - 37][x > 80 ? 2 : 150], 1.05 * ground) << "ground beside the head";
  }
  const Clip flat = annotate(walker(12, feet), "{foreground: none}");
  EXPECT_TRUE(flat.depth->select(0, 0).equal(flat.depth->select(0, 5)));
}

TEST(GroundPlane, KeepsThePlaneInTheWorldWhenTheCameraMoves) {
  Clip clip = grey_clip(2, 61, 81);
  clip.camera = momap::testing::simple_camera(81, 61);
  // Frame 1: 1 m forward along the axis of a camera that looks 30 degrees down, then 10 degrees
  // down more.
  clip.cam_from_world = at::eye(4, at::kDouble).repeat({2, 1, 1});
  const double c = std::cos(10 * kDegree), s = std::sin(10 * kDegree);
  const at::Tensor second = (*clip.cam_from_world)[1];
  auto pose = second.accessor<double, 2>();
  pose[1][1] = c;
  pose[1][2] = -s;
  pose[2][1] = s;
  pose[2][2] = c;
  pose[1][3] = s;
  pose[2][3] = -c;
  const Clip out = annotate(clip, "{camera_height_m: 4, pitch_degrees: 30}");
  const double height = 4 - std::sin(30 * kDegree);
  // Looking down more turns the axis towards the ground.
  EXPECT_NEAR((*out.depth)[1][30][40].item<float>(), height / std::sin(40 * kDegree), 1e-4);
  EXPECT_TRUE(out.cam_from_world->equal(*clip.cam_from_world));
}

TEST(GroundPlane, RefusesACameraBelowTheGround) {
  Clip clip = grey_clip(2, 8, 8);
  clip.cam_from_world = at::eye(4, at::kDouble).repeat({2, 1, 1});
  (*clip.cam_from_world)[1][1][3] = -5.0;  // 5 m down
  EXPECT_THROW(annotate(clip), momap::DataError);
}

TEST(GroundPlane, KeepsWhatTheClipKnows) {
  const Clip clip = momap::testing::moving_square();
  const Clip out = annotate(clip);
  EXPECT_EQ(*out.camera, *clip.camera);
  EXPECT_EQ(out.caption, clip.caption);
  EXPECT_TRUE(out.frames.equal(clip.frames));
}

TEST(GroundPlane, TakesTinyAndBlackClips) {
  for (const int64_t side : {1, 2, 7}) {
    Clip clip = grey_clip(3, side, side);
    clip.frames.zero_();
    EXPECT_TRUE((*annotate(clip).depth > 0).all().item<bool>());
  }
}

}  // namespace
