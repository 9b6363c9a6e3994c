// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/data/datum.h>
#include <momap/data/geometry.h>
#include <momap/data/opencv.h>
#include <momap/stage/extractor.h>
#include <tbb/global_control.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "plugin_fixture.h"
#include "scenes.h"

namespace {

using momap::Clip;
using momap::MoMap;
using momap::testing::SceneOptions;

MoMap extract(const Clip& clip, const std::string& yaml = "{}") {
  const auto plugin =
      momap::testing::make_plugin<momap::Extractor>("extraction/chained_flow", yaml);
  MoMap map = plugin->extract(clip, momap::testing::context());
  momap::check(map, "extraction/chained_flow");
  return map;
}

// How far a map is from the truth, apart for what moves and what does not.
struct Errors {
  double moving_median_m = 0, moving_p90_m = 0, static_median_m = 0, static_p90_m = 0;
  double visibility_accuracy = 0, hidden_found = 0;  // shares; the second of truly hidden ones
  double valid_share = 0;
};

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

Errors compare(const MoMap& map, const Clip& clip) {
  const MoMap& truth = clip.truth[0].motion;
  const auto error = (map.xyz - truth.xyz).norm(2, 3).contiguous();  // [T, H, W]
  const auto segment = clip.segments->contiguous();
  std::vector<double> moving, still;
  int64_t right = 0, total = 0, hidden = 0, found = 0;
  const int64_t pixels = map.height() * map.width();
  for (int64_t t = 1; t < map.frames(); ++t) {
    for (int64_t i = 0; i < pixels; ++i) {
      if (!map.valid.data_ptr<bool>()[i]) continue;
      const double e = error.data_ptr<float>()[t * pixels + i];
      (segment.data_ptr<int32_t>()[i] ? moving : still).push_back(e);
      const bool seen = map.visible.data_ptr<bool>()[t * pixels + i];
      const bool truly = truth.visible.data_ptr<bool>()[t * pixels + i];
      right += seen == truly;
      hidden += !truly;
      found += !truly && !seen;
      ++total;
    }
  }
  return {.moving_median_m = quantile(moving, 0.5),
          .moving_p90_m = quantile(moving, 0.9),
          .static_median_m = quantile(still, 0.5),
          .static_p90_m = quantile(still, 0.9),
          .visibility_accuracy = static_cast<double>(right) / static_cast<double>(total),
          .hidden_found =
              static_cast<double>(found) / static_cast<double>(std::max<int64_t>(hidden, 1)),
          .valid_share = map.valid.to(at::kDouble).mean().item<double>()};
}

void print(const char* what, const Errors& e) {
  std::cout << what << ": EPE3D moving median " << e.moving_median_m << " m, p90 " << e.moving_p90_m
            << "; static median " << e.static_median_m << " m, p90 " << e.static_p90_m
            << "; visibility " << e.visibility_accuracy << ", hidden found " << e.hidden_found
            << ", valid " << e.valid_share << "\n";
}

TEST(ChainedFlow, FollowsAMovingSquareBeforeAStaticCamera) {
  const Clip clip = momap::testing::moving_square();
  const Errors errors = compare(extract(clip), clip);
  print("static camera", errors);
  EXPECT_LT(errors.moving_median_m, 0.01);
  EXPECT_LT(errors.static_median_m, 0.002);
  EXPECT_GT(errors.visibility_accuracy, 0.95);
  EXPECT_GT(errors.hidden_found, 0.5);
  EXPECT_GT(errors.valid_share, 0.95);
}

TEST(ChainedFlow, TakesTheMotionOfTheCameraOut) {
  SceneOptions options;
  options.camera_speed_x = 0.015;
  const Clip clip = momap::testing::moving_square(options);
  const Errors errors = compare(extract(clip), clip);
  print("moving camera", errors);
  EXPECT_LT(errors.moving_median_m, 0.01);
  EXPECT_LT(errors.static_median_m, 0.002);
  EXPECT_GT(errors.visibility_accuracy, 0.95);
}

TEST(ChainedFlow, SeesMotionAlongTheLineOfSight) {
  SceneOptions options;
  options.square_speed_x = 0;
  options.square_speed_z = 0.03;
  const Clip clip = momap::testing::moving_square(options);
  const Errors errors = compare(extract(clip), clip);
  print("receding square", errors);
  EXPECT_LT(errors.moving_median_m, 0.01);
  EXPECT_LT(errors.static_median_m, 0.002);
}

TEST(ChainedFlow, HoldsTwentyFourFramesOfFastMotion) {
  SceneOptions options;
  options.frames = 24;
  options.height = 192;
  options.width = 256;
  options.square_speed_x = 0.02;
  const Clip clip = momap::testing::moving_square(options);
  const Errors errors = compare(extract(clip), clip);
  print("24 frames", errors);
  EXPECT_LT(errors.moving_median_m, 0.01);
  EXPECT_LT(errors.static_median_m, 0.002);
  EXPECT_GT(errors.visibility_accuracy, 0.95);
  EXPECT_GT(errors.hidden_found, 0.6);
}

TEST(ChainedFlow, DepthNoiseOfStaticPointsIsNoMotion) {
  Clip clip = momap::testing::moving_square();
  at::Tensor noise = at::empty_like(*clip.depth);
  cv::RNG random(3);
  for (int64_t t = 0; t < clip.length(); ++t) {
    cv::Mat frame = momap::as_mat(noise[t]);
    random.fill(frame, cv::RNG::NORMAL, 1.0, 0.01);
  }
  noise[0].fill_(1);  // the truth is told in frame 0
  clip.depth = *clip.depth * noise;
  const Errors errors = compare(extract(clip), clip);
  print("depth noise 1 %", errors);
  EXPECT_LT(errors.static_median_m, 0.002);
  EXPECT_LT(errors.static_p90_m, 0.01);
  EXPECT_LT(errors.moving_median_m, 0.03);
}

TEST(ChainedFlow, FrameZeroIsTheUnprojectedDepth) {
  Clip clip = momap::testing::moving_square();
  clip.depth = clip.depth->clone();
  (*clip.depth)[0][3][5] = 0.0;
  (*clip.depth)[0][4][5] = std::numeric_limits<float>::quiet_NaN();
  (*clip.depth)[2].fill_(0);  // nothing is known in frame 2
  const MoMap map = extract(clip);
  EXPECT_TRUE(map.xyz[0].equal(momap::unproject((*clip.depth)[0], *clip.camera)));
  EXPECT_FALSE(map.valid[3][5].item<bool>());
  EXPECT_FALSE(map.valid[4][5].item<bool>());
  EXPECT_FALSE(map.visible.select(1, 3).select(1, 5).any().item<bool>());
  EXPECT_TRUE(map.xyz.isfinite().all().item<bool>());
  const Errors errors = compare(map, clip);
  EXPECT_LT(errors.moving_median_m, 0.01) << "gaps of depth are bridged";
}

TEST(ChainedFlow, APhotographIsItsOwnMap) {
  SceneOptions options;
  options.frames = 1;
  Clip clip = momap::testing::moving_square(options);
  clip.cam_from_world.reset();
  const MoMap map = extract(clip);
  EXPECT_TRUE(map.valid.all().item<bool>());
  EXPECT_TRUE(map.visible.all().item<bool>());
  EXPECT_TRUE(map.xyz[0].equal(momap::unproject((*clip.depth)[0], *clip.camera)));
}

TEST(ChainedFlow, TakesAnySizeAndNumberOfFrames) {
  for (const int64_t width : {1, 3, 17, 45}) {
    for (const int64_t height : {1, 2, 33}) {
      for (const int64_t frames : {1, 2, 3}) {
        SceneOptions options;
        options.frames = frames;
        options.height = height;
        options.width = width;
        for (const char* preset : {"ultrafast", "medium"}) {
          const MoMap map = extract(momap::testing::moving_square(options),
                                    std::string("{preset: ") + preset + "}");
          ASSERT_TRUE(map.xyz.isfinite().all().item<bool>()) << width << " x " << height;
        }
      }
    }
  }
}

TEST(ChainedFlow, BlackFramesStandStill) {
  Clip clip = momap::testing::moving_square();
  clip.frames = at::zeros_like(clip.frames);
  clip.depth = at::full_like(*clip.depth, 3);
  const MoMap map = extract(clip);
  EXPECT_TRUE(map.xyz.isfinite().all().item<bool>());
  EXPECT_TRUE(map.xyz[7].equal(map.xyz[0]));
}

TEST(ChainedFlow, GivesTheSameBytesForAnyNumberOfThreads) {
  const Clip clip = momap::testing::moving_square();
  const MoMap many = extract(clip);
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  const MoMap single = extract(clip);
  EXPECT_TRUE(many.xyz.equal(single.xyz));
  EXPECT_TRUE(many.visible.equal(single.visible));
  EXPECT_TRUE(many.valid.equal(single.valid));
}

TEST(ChainedFlow, SaysWhatIsMissing) {
  const auto refusal = [](const Clip& clip) -> std::string {
    try {
      extract(clip);
    } catch (const momap::DataError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  Clip clip = momap::testing::moving_square();
  clip.cam_from_world.reset();
  EXPECT_NE(refusal(clip).find("annotation/camera_pose"), std::string::npos);
  clip.camera.reset();
  EXPECT_NE(refusal(clip).find("no camera"), std::string::npos);
  clip.depth.reset();
  EXPECT_NE(refusal(clip).find("no depth"), std::string::npos);
}

}  // namespace
