// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/data/geometry.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>
#include <scenes.h>

#include <fstream>
#include <limits>
#include <opencv2/imgcodecs.hpp>

namespace {

namespace fs = std::filesystem;

/// Writes `value` (and `image`) and reads the PNG back as BGR.
cv::Mat written(const momap::Datum& value, const std::string& params = "{}",
                const momap::Datum* image = nullptr) {
  const momap::TemporaryFolder folder;
  momap::Inputs inputs;
  inputs.add("value", {&value});
  inputs.add("image", image ? std::vector{image} : std::vector<const momap::Datum*>{});
  const fs::path path = momap::testing::make_plugin<momap::Output>("output/image", params)
                            ->write(inputs, folder.path() / "a.b", momap::testing::context());
  EXPECT_EQ(path.filename(), "a.b.png");
  if (const char* keep = std::getenv("MOMAP_KEEP_PICTURES")) {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    fs::copy_file(path, fs::path(keep) / (std::string(test->name()) + ".png"),
                  fs::copy_options::overwrite_existing);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
  return cv::imread(path.string(), cv::IMREAD_UNCHANGED);
}

momap::MoMap wall(int64_t frames, int64_t height, int64_t width) {
  const momap::Camera camera{
      100,   100,   0.5 * static_cast<double>(width - 1), 0.5 * static_cast<double>(height - 1),
      width, height};
  const at::Tensor points = momap::unproject(at::full({height, width}, 2.0f), camera);
  return {points.expand({frames, height, width, 3}).clone(),
          at::ones({frames, height, width}, at::kBool), at::ones({height, width}, at::kBool),
          camera};
}

TEST(ImageOutput, WritesTheFrameAskedFor) {
  momap::Clip clip;
  clip.frames = at::zeros({3, 5, 7, 3}, at::kByte);
  clip.frames[1].select(-1, 0).fill_(200);  // red
  clip.frames[2].select(-1, 2).fill_(90);   // blue
  const cv::Mat second = written(clip, "{frame: 1}");
  EXPECT_EQ(second.size(), cv::Size(7, 5));
  EXPECT_EQ(second.at<cv::Vec3b>(4, 6), cv::Vec3b(0, 0, 200));
  EXPECT_EQ(written(clip).at<cv::Vec3b>(0, 0), cv::Vec3b(90, 0, 0));
  EXPECT_EQ(written(clip, "{scale: 3}").size(), cv::Size(21, 15));
}

TEST(ImageOutput, RefusesAFrameThatIsNotThere) {
  momap::Clip clip;
  clip.frames = at::zeros({3, 5, 7, 3}, at::kByte);
  EXPECT_THROW(written(clip, "{frame: 3}"), momap::DataError);
  EXPECT_THROW(written(clip, "{frame: -4}"), momap::DataError);
}

TEST(ImageOutput, MarksHolesOnly) {
  momap::PartialClip partial{at::full({1, 40, 40, 3}, 10, at::kByte),
                             at::ones({1, 40, 40}, at::kBool), at::ones({1, 40, 40}),
                             at::zeros({1, momap::kDropReasons}, at::kLong), 0};
  partial.covered.slice(2, 20, 40).fill_(false);
  const cv::Mat picture = written(partial);
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 0), cv::Vec3b(10, 10, 10));
  EXPECT_NE(picture.at<cv::Vec3b>(0, 24), picture.at<cv::Vec3b>(8, 24));
  EXPECT_GT(picture.at<cv::Vec3b>(0, 24)[0], 50);
}

TEST(ImageOutput, ColoursDisplacementByDirectionAndLength) {
  momap::MoMap map = wall(2, 8, 8);
  constexpr double kPerPixel = 2.0 / 100;
  map.xyz[1].slice(0, 0, 2).select(-1, 0).add_(4 * kPerPixel);  // rows 0, 1: right, red
  map.xyz[1].slice(0, 2, 4).select(-1, 0).sub_(4 * kPerPixel);  // rows 2, 3: left, cyan
  map.xyz[1].slice(0, 4, 6).select(-1, 0).add_(2 * kPerPixel);  // rows 4, 5: right by half
  map.valid[7].fill_(false);
  map.xyz[1][7].fill_(std::numeric_limits<float>::quiet_NaN());
  const cv::Mat picture = written(map, "{full_px: 4}");
  const auto near = [&](int row, cv::Vec3b bgr) {
    return cv::norm(picture.at<cv::Vec3b>(row, 3), bgr, cv::NORM_INF) <= 1;
  };
  EXPECT_TRUE(near(0, {0, 0, 255}));
  EXPECT_TRUE(near(2, {255, 255, 0}));
  EXPECT_TRUE(near(4, {128, 128, 255}));
  EXPECT_TRUE(near(6, {255, 255, 255}));
  EXPECT_TRUE(near(7, {160, 160, 160}));
}

TEST(ImageOutput, ShowsTheColourWheel) {
  momap::MoMap map = wall(2, 256, 256);
  for (int64_t y = 0; y < 256; ++y) {
    for (int64_t x = 0; x < 256; ++x) {
      map.xyz[1][y][x] = map.xyz[0][y][x] * 1.2;
      map.xyz[1][y][x][2] = 2.0;
    }
  }
  const cv::Mat picture = written(map);
  const cv::Vec3b right = picture.at<cv::Vec3b>(128, 250), left = picture.at<cv::Vec3b>(128, 5);
  EXPECT_GT(right[2], right[0]);
  EXPECT_GT(left[0], left[2]);
  EXPECT_GT(picture.at<cv::Vec3b>(128, 128)[1], 250);
}

TEST(ImageOutput, ShowsNearRedAndFarBlue) {
  const momap::Clip clip = momap::testing::moving_square();
  const cv::Mat picture = written(clip.truth[0].motion, "{picture: depth, scale: 4}");
  const cv::Vec3b near = picture.at<cv::Vec3b>(4 * 48, 4 * 64), far = picture.at<cv::Vec3b>(4, 4);
  EXPECT_GT(near[2], near[0]);
  EXPECT_GE(far[0], far[2]);
}

TEST(ImageOutput, DrawsPathsWherePointsMove) {
  momap::testing::SceneOptions options;
  options.square_speed_x = 0.05;
  const momap::Datum clip = momap::testing::moving_square(options);
  const momap::MoMap& map = std::get<momap::Clip>(clip).truth[0].motion;
  const cv::Mat start = written(map, "{picture: tracks, scale: 6, frame: 0}", &clip);
  const cv::Mat end = written(map, "{picture: tracks, scale: 6}", &clip);
  EXPECT_EQ(end.size(), cv::Size(128 * 6, 96 * 6));
  cv::Mat change;
  cv::absdiff(start, end, change);
  // Ahead of the square, between two grid points of the wall: only the path of the square's rim
  // gets there.
  const auto most = [&](const cv::Rect& px) {
    double value = 0;
    cv::minMaxLoc(change(cv::Rect(6 * px.x, 6 * px.y, 6 * px.width, 6 * px.height)).reshape(1),
                  nullptr, &value);
    return value;
  };
  EXPECT_GT(most({87, 40, 10, 16}), 80);
  const cv::Rect between_wall_points(4, 4, 1, 1);  // grid points lie at 2, 6, 10 ... px
  EXPECT_EQ(most(between_wall_points), 0);
}

TEST(ImageOutput, DrawsPathsWithoutAnImage) {
  momap::MoMap map = momap::testing::moving_square().truth[0].motion;
  map.xyz[3].fill_(
      std::numeric_limits<float>::quiet_NaN());  // lines are broken, not drawn to nowhere
  map.xyz[4].fill_(1e30);
  map.xyz[5].select(-1, 2).fill_(-1);
  EXPECT_EQ(written(map, "{picture: tracks}").size(), cv::Size(128, 96));
}

TEST(ImageOutput, CopesWithOnePixelAndOneFrame) {
  for (const char* picture : {"displacement", "depth", "tracks"}) {
    EXPECT_EQ(written(wall(1, 1, 1), fmt::format("{{picture: {}}}", picture)).total(), 1u);
  }
}

TEST(ImageOutput, SaysWhenTheFolderCannotBeWritten) {
  const momap::TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "not a folder";
  const momap::Datum value = wall(1, 4, 4);
  momap::Inputs inputs;
  inputs.add("value", {&value});
  const auto plugin = momap::testing::make_plugin<momap::Output>("output/image");
  EXPECT_THROW(plugin->write(inputs, folder.path() / "file" / "x", momap::testing::context()),
               momap::ConfigError);
}

}  // namespace
