// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/stage/source.h>

#include <filesystem>
#include <opencv2/imgcodecs.hpp>

#include "plugin_fixture.h"

namespace {

namespace fs = std::filesystem;
using momap::testing::context;

class Photographs : public ::testing::Test {
 protected:
  void SetUp() override {
    // Red tells the column, green the row; blue the file.
    fs::create_directories(folder_.path() / "deep/er");
    write("a.png", 300, 200, 10);
    write("deep/er/b.PNG", 150, 400, 200);
    write("deep/skip.png", 300, 300, 90);
    momap::write_file(folder_.path() / "notes.txt", "no picture");
  }

  void write(const std::string& name, int width, int height, int blue) const {
    cv::Mat bgr(height, width, CV_8UC3);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        bgr.at<cv::Vec3b>(y, x) =
            cv::Vec3b(static_cast<uint8_t>(blue), static_cast<uint8_t>(255 * y / height),
                      static_cast<uint8_t>(255 * x / width));
      }
    }
    ASSERT_TRUE(cv::imwrite((folder_.path() / name).string(), bgr));
  }

  std::shared_ptr<momap::Source> make(const std::string& more) const {
    return momap::testing::make_plugin<momap::Source>(
        "source/photographs",
        "{paths: ['" + folder_.path().string() + "'], leave_out: [skip.png], " + more + "}");
  }

  momap::TemporaryFolder folder_;
};

TEST_F(Photographs, PiecesComeFromAllFilesInTurn) {
  const auto source = make("count: 6, size: 64, smallest_px: 100, largest_px: 1000");
  ASSERT_EQ(source->size(), 6);
  for (int64_t i = 0; i < 6; ++i) {
    const momap::Clip clip = source->sample(i, context());
    ASSERT_EQ(clip.frames.sizes(), at::IntArrayRef({1, 64, 64, 3}));
    EXPECT_EQ(clip.frames[0][0][0][2].item<int>(), i % 2 == 0 ? 10 : 200) << i;
    ASSERT_TRUE(clip.camera);
    EXPECT_EQ(clip.camera->width, 64);
  }
}

TEST_F(Photographs, SizesAndPlacesDiffer) {
  const auto source = make("count: 200, size: 32, smallest_px: 100, largest_px: 300");
  double steepest = 0, flattest = 255;
  int lowest = 255, highest = 0;
  for (int64_t i = 0; i < 200; i += 2) {
    const at::Tensor red = source->sample(i, context()).frames[0].select(2, 0);
    // Over 31 columns of a picture shrunk to w columns, red rises by 31 * 255 / w.
    const double rise = red[16][31].item<double>() - red[16][0].item<double>();
    steepest = std::max(steepest, rise);
    flattest = std::min(flattest, rise);
    lowest = std::min(lowest, red[16][0].item<int>());
    highest = std::max(highest, red[16][31].item<int>());
  }
  EXPECT_NEAR(flattest, 31 * 255 / 300.0, 3);
  EXPECT_NEAR(steepest, 31 * 255 / 100.0, 10);
  EXPECT_LT(lowest, 15);
  EXPECT_GT(highest, 240);
}

TEST_F(Photographs, TheSamePieceIsTheSame) {
  const std::string params = "count: 3, size: 64, smallest_px: 100, seed: 5";
  EXPECT_TRUE(at::equal(make(params)->sample(2, context()).frames,
                        make(params)->sample(2, context()).frames));
  EXPECT_FALSE(at::equal(
      make(params)->sample(2, context()).frames,
      make("count: 3, size: 64, smallest_px: 100, seed: 6")->sample(2, context()).frames));
}

TEST_F(Photographs, SaysWhatIsWrong) {
  EXPECT_THROW(make("size: 180, count: 2")->sample(1, context()), momap::DataError);
  EXPECT_THROW(make("smallest_px: 500, largest_px: 400"), momap::ConfigError);
  const auto nowhere = momap::testing::make_plugin<momap::Source>("source/photographs",
                                                                  "{paths: [/nowhere/at/all]}");
  EXPECT_THROW(nowhere->size(), momap::ConfigError);
  fs::create_directories(folder_.path() / "empty");
  const auto empty = momap::testing::make_plugin<momap::Source>(
      "source/photographs", "{paths: ['" + (folder_.path() / "empty").string() + "']}");
  EXPECT_THROW(empty->size(), momap::DataError);
}

}  // namespace
