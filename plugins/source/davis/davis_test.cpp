// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>

#include "formats/fixtures.h"
#include "shared_data.h"

namespace {

namespace fs = std::filesystem;
using momap::testing::refusal;
using momap::testing::sample;

std::shared_ptr<momap::Source> source(const fs::path& path, const std::string& more = "") {
  return momap::testing::make_plugin<momap::Source>(
      "source/davis", "{path: \"" + path.string() + "\"" + more + "}");
}

class DavisTest : public ::testing::Test {
 protected:
  DavisTest() {
    for (const std::string sequence : {"bear", "cows"}) {
      for (int t = 0; t < 6; ++t) {
        const auto name = "0000" + std::to_string(t);
        momap::testing::write_image(folder_.path() / "JPEGImages/480p" / sequence / (name + ".jpg"),
                                    cv::Mat(16, 24, CV_8UC3, cv::Scalar::all(20 * t)));
        cv::Mat mask(16, 24, CV_8UC1, cv::Scalar(0));
        mask.at<uint8_t>(t, 3) = 255;
        momap::testing::write_image(
            folder_.path() / "Annotations/480p" / sequence / (name + ".png"), mask);
      }
    }
    momap::testing::write(folder_.path() / "ImageSets/2017/val.txt", "cows\n");
    momap::testing::write(folder_.path() / "ImageSets/2016/train.txt",
                          "/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png\n"
                          "/JPEGImages/480p/bear/00001.jpg /Annotations/480p/bear/00001.png\n");
  }
  momap::TemporaryFolder folder_;
};

TEST_F(DavisTest, GivesFramesAndTheMaskOfTheFirst) {
  const auto plugin = source(folder_.path(), ", frames: 3");
  ASSERT_EQ(plugin->size(), 4);
  EXPECT_EQ(plugin->name(3), "cows_000003");
  const momap::Clip clip = sample(*plugin, 3);
  EXPECT_NEAR(clip.frames.data_ptr<uint8_t>()[0], 60, 2);
  EXPECT_EQ(clip.segments->data_ptr<int32_t>()[3 * 24 + 3], 1) << "255 means object 1";
  EXPECT_EQ(clip.segments->data_ptr<int32_t>()[2 * 24 + 3], 0) << "the mask of frame 3";
}

TEST_F(DavisTest, KeepsObjectIds) {
  cv::Mat mask(16, 24, CV_8UC1, cv::Scalar(0));
  mask.at<uint8_t>(1, 1) = 1;
  mask.at<uint8_t>(2, 2) = 2;
  momap::testing::write_image(folder_.path() / "Annotations/480p/bear/00000.png", mask);
  const momap::Clip clip = sample(*source(folder_.path(), ", frames: 3"), 0);
  EXPECT_EQ(clip.segments->data_ptr<int32_t>()[25], 1);
  EXPECT_EQ(clip.segments->data_ptr<int32_t>()[50], 2);
}

TEST_F(DavisTest, ReadsTheListsOfBothYears) {
  EXPECT_EQ(source(folder_.path(), ", frames: 6, image_set: 2017/val")->name(0), "cows_000000");
  EXPECT_EQ(source(folder_.path(), ", frames: 6, image_set: 2016/train")->name(0), "bear_000000");
  momap::testing::write(folder_.path() / "ImageSets/2017/val.txt", "cows\ngone\n");
  EXPECT_NE(refusal<momap::DataError>([&] {
              source(folder_.path(), ", image_set: 2017/val")->size();
            }).find("names the sequence 'gone'"),
            std::string::npos);
  EXPECT_NE(refusal<momap::DataError>([&] {
              source(folder_.path(), ", image_set: 2018/val")->size();
            }).find("val.txt: the file is missing"),
            std::string::npos);
}

TEST_F(DavisTest, NamesMissingFramesAndWrongMasks) {
  momap::testing::write_image(folder_.path() / "Annotations/480p/bear/00000.png",
                              cv::Mat(8, 8, CV_8UC1));
  EXPECT_NE(refusal<momap::DataError>([&] {
              sample(*source(folder_.path(), ", frames: 3"), 0);
            }).find("is 8 x 8 px and the frames are 24 x 16 px"),
            std::string::npos);
  fs::remove(folder_.path() / "JPEGImages/480p/bear/00002.jpg");
  EXPECT_NE(refusal<momap::DataError>([&] {
              sample(*source(folder_.path(), ", frames: 3"), 0);
            }).find("00002.jpg: the file is missing"),
            std::string::npos);
}

TEST(Davis, ReadsARealSequence) {
  const fs::path folder = momap::testing::shared_folder() / "data/davis";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const auto plugin = source(folder, ", frames: 8, stride: 2");
  ASSERT_GE(plugin->size(), 2);
  const momap::Clip clip = sample(*plugin, 1);
  EXPECT_EQ(clip.width(), 854);
  EXPECT_EQ(clip.fps, 12);
  int64_t car = 0;
  for (int64_t i = 0; i < clip.segments->numel(); ++i) {
    const int32_t id = clip.segments->data_ptr<int32_t>()[i];
    ASSERT_LE(id, 1);
    car += id;
  }
  EXPECT_GT(car, 5000) << "px of the car";
}

}  // namespace
