// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/datum.h>
#include <momap/data/opencv.h>
#include <momap/stage/source.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "plugin_fixture.h"

namespace {

namespace fs = std::filesystem;

std::shared_ptr<momap::Source> source(const fs::path& path, const std::string& more = "") {
  return momap::testing::make_plugin<momap::Source>(
      "source/image", "{path: \"" + path.string() + "\"" + more + "}");
}

momap::Clip read(const fs::path& path, const std::string& more = "") {
  const auto plugin = source(path, more);
  EXPECT_EQ(plugin->size(), 1);
  momap::Clip clip = plugin->sample(0, momap::testing::context());
  momap::check(clip, "source/image");
  return clip;
}

template <class Error>
std::string refusal(const fs::path& path, const std::string& more = "") {
  try {
    read(path, more);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

void write(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string bytes_of(const fs::path& path) { return momap::read_file(path); }

// Every pixel tells its place and channel, in BGR as OpenCV writes.
cv::Mat pattern(int width, int height) {
  cv::Mat bgr(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      bgr.at<cv::Vec3b>(y, x) = {static_cast<uint8_t>(x), static_cast<uint8_t>(y),
                                 static_cast<uint8_t>(x + y)};
    }
  }
  return bgr;
}

// A JPEG with this EXIF block: orientation and 35 mm focal length.
std::string with_exif(const std::string& jpeg, uint16_t orientation, uint16_t focal_mm) {
  const auto be16 = [](uint32_t v) {
    return std::string{static_cast<char>(v >> 8 & 255), static_cast<char>(v & 255)};
  };
  const auto be32 = [&](uint32_t v) { return be16(v >> 16) + be16(v & 0xFFFF); };
  std::string tiff = "MM" + be16(42) + be32(8);
  tiff += be16(2);  // IFD0 at 8
  tiff += be16(0x0112) + be16(3) + be32(1) + be16(orientation) + be16(0);
  tiff += be16(0x8769) + be16(4) + be32(1) + be32(38);
  tiff += be32(0);
  tiff += be16(1);  // Exif IFD at 38
  tiff += be16(0xA405) + be16(3) + be32(1) + be16(focal_mm) + be16(0);
  tiff += be32(0);
  const std::string block = std::string("Exif\0\0", 6) + tiff;
  return jpeg.substr(0, 2) + "\xFF\xE1" + be16(static_cast<uint32_t>(block.size() + 2)) + block +
         jpeg.substr(2);
}

class ImageSourceTest : public ::testing::Test {
 protected:
  fs::path file(const std::string& name) const { return folder_.path() / name; }
  momap::TemporaryFolder folder_;
};

TEST_F(ImageSourceTest, ReadsPixelsInRgbOrder) {
  cv::imwrite(file("a.png").string(), pattern(20, 10));
  const momap::Clip clip = read(file("a.png"), ", prompt: \"it moves\"");
  ASSERT_EQ(clip.frames.sizes(), (std::vector<int64_t>{1, 10, 20, 3}));
  const uint8_t* pixel = clip.frames.data_ptr<uint8_t>() + (7 * 20 + 5) * 3;
  EXPECT_EQ(pixel[0], 12);
  EXPECT_EQ(pixel[1], 7);
  EXPECT_EQ(pixel[2], 5);
  EXPECT_EQ(clip.caption, "it moves");
  EXPECT_FALSE(clip.depth);
}

TEST_F(ImageSourceTest, AssumesSixtyDegreesAndTakesWhatIsGiven) {
  cv::imwrite(file("a.png").string(), pattern(100, 50));
  EXPECT_NEAR(read(file("a.png")).camera->fx, 50 / std::tan(M_PI / 6), 1e-9);
  const auto camera = *read(file("a.png"), ", fov_degrees: 90").camera;
  EXPECT_NEAR(camera.fx, 50, 1e-9);
  EXPECT_NEAR(camera.fy, 50, 1e-9);
  EXPECT_EQ(camera.cx, 49.5);
  EXPECT_EQ(camera.cy, 24.5);
}

TEST_F(ImageSourceTest, ShrinksByAreaAndKeepsTheFieldOfView) {
  cv::Mat checker(40, 60, CV_8UC3);
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 60; ++x) checker.at<cv::Vec3b>(y, x) = cv::Vec3b::all((x + y) % 2 * 200);
  }
  cv::imwrite(file("a.png").string(), checker);
  const momap::Clip clip = read(file("a.png"), ", width: 30, fov_degrees: 90");
  ASSERT_EQ(clip.frames.sizes(), (std::vector<int64_t>{1, 20, 30, 3}));
  EXPECT_EQ(clip.frames.data_ptr<uint8_t>()[0], 100);
  EXPECT_NEAR(clip.camera->fx, 15, 1e-9);
  EXPECT_EQ(read(file("a.png"), ", width: 100").width(), 60) << "never enlarges";
}

TEST_F(ImageSourceTest, ConvertsGreyAlphaAndSixteenBit) {
  cv::imwrite(file("grey.png").string(), cv::Mat(3, 4, CV_8U, cv::Scalar(77)));
  cv::imwrite(file("alpha.png").string(), cv::Mat(3, 4, CV_8UC4, cv::Scalar(1, 2, 3, 0)));
  cv::imwrite(file("deep.png").string(), cv::Mat(3, 4, CV_16UC3, cv::Scalar::all(0x8080)));
  EXPECT_EQ(read(file("grey.png")).frames.data_ptr<uint8_t>()[2], 77);
  EXPECT_EQ(read(file("alpha.png")).frames.data_ptr<uint8_t>()[0], 3);
  EXPECT_EQ(read(file("deep.png")).frames.data_ptr<uint8_t>()[0], 0x80);
}

TEST_F(ImageSourceTest, ReadsOnePixelAndOddNames) {
  const auto path = file("a photo \xC3\xA9 \xFF.png");
  std::vector<uint8_t> png;
  cv::imencode(".png", pattern(1, 1), png);
  write(path, std::string(png.begin(), png.end()));
  const auto plugin = source(file("plain"));  // YAML cannot hold the byte FF; a link can
  fs::create_symlink(path, file("plain"));
  EXPECT_EQ(plugin->sample(0, momap::testing::context()).width(), 1);
  fs::rename(path, file("b photo.png"));
  EXPECT_EQ(read(file("b photo.png")).height(), 1);
  EXPECT_EQ(source(file("b photo.png"))->name(0), "b_photo");
}

TEST_F(ImageSourceTest, TurnsUprightAndReadsTheFocalLengthFromExif) {
  std::vector<uint8_t> jpeg;
  cv::imencode(".jpg", pattern(64, 32), jpeg);
  write(file("a.jpg"), with_exif(std::string(jpeg.begin(), jpeg.end()), 6, 28));
  const momap::Clip clip = read(file("a.jpg"));
  EXPECT_EQ(clip.width(), 32);
  EXPECT_EQ(clip.height(), 64);
  EXPECT_NEAR(clip.camera->fx, 28 * std::hypot(64, 32) / 43.27, 1e-9);
  EXPECT_NEAR(read(file("a.jpg"), ", fov_degrees: 90").camera->fx, 16, 1e-9);
}

TEST_F(ImageSourceTest, SaysWhatIsWrongWithAFile) {
  EXPECT_NE(refusal<momap::ConfigError>(file("no.png")).find("no such file"), std::string::npos);
  EXPECT_NE(refusal<momap::ConfigError>(folder_.path()).find("folder"), std::string::npos);
  write(file("empty.png"), "");
  EXPECT_NE(refusal<momap::DataError>(file("empty.png")).find("empty"), std::string::npos);
  write(file("text.png"), "this is no picture at all");
  EXPECT_NE(refusal<momap::DataError>(file("text.png")).find("decoded"), std::string::npos);
}

TEST_F(ImageSourceTest, RefusesTruncatedFiles) {
  for (const std::string name : {"a.jpg", "a.png"}) {
    cv::Mat noise(200, 200, CV_8UC3);
    cv::theRNG().state = 1;
    cv::randu(noise, 0, 255);
    cv::imwrite(file(name).string(), noise);
    const std::string whole = bytes_of(file(name));
    for (const size_t keep : {whole.size() / 2, whole.size() / 10, size_t{30}, size_t{9}}) {
      write(file(name), whole.substr(0, keep));
      EXPECT_NE(refusal<momap::DataError>(file(name)).find(name), std::string::npos)
          << name << " cut to " << keep;
    }
  }
}

TEST_F(ImageSourceTest, RefusesEnormousImagesBeforeDecoding) {
  cv::imwrite(file("a.png").string(), pattern(200, 100));
  EXPECT_NE(
      refusal<momap::DataError>(file("a.png"), ", max_megapixels: 0.01").find("max_megapixels"),
      std::string::npos);
  // A header that claims 60000 x 60000 px in a tiny file.
  std::string png = bytes_of(file("a.png"));
  png[18] = png[22] = static_cast<char>(0xEA);
  png[19] = png[23] = static_cast<char>(0x60);
  write(file("bomb.png"), png);
  EXPECT_NE(refusal<momap::DataError>(file("bomb.png")).find("3600.0 megapixels"),
            std::string::npos);
  EXPECT_NE(refusal<momap::DataError>(file("bomb.png"), ", max_megapixels: 10000").find("bomb.png"),
            std::string::npos)
      << "OpenCV's own limit is caught";
}

TEST_F(ImageSourceTest, FingerprintFollowsTheContent) {
  cv::imwrite(file("a.png").string(), pattern(8, 8));
  const std::string before = source(file("a.png"))->fingerprint(0);
  cv::imwrite(file("a.png").string(), pattern(8, 9));
  EXPECT_NE(source(file("a.png"))->fingerprint(0), before);
}

TEST(ImageSource, ReadsDebiansPhotographs) {
  const fs::path folder = "/usr/share/doc/opencv-doc/examples/data";
  if (!fs::exists(folder / "messi5.jpg")) GTEST_SKIP() << "package opencv-doc is not installed";
  for (const char* name : {"messi5.jpg", "home.jpg", "basketball1.png", "fruits.jpg"}) {
    if (!fs::exists(folder / name)) continue;
    EXPECT_GT(read(folder / name).width(), 100) << name;
  }
}

}  // namespace
