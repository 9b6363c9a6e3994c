// SPDX-License-Identifier: Apache-2.0
#include "formats/images.h"

#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <zlib.h>

#include "formats/fixtures.h"

namespace momap::formats {
namespace {

namespace fs = std::filesystem;
using testing::refusal;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16 & 255),
          static_cast<char>(value >> 8 & 255), static_cast<char>(value & 255)};
}

std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto crc =
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<uint32_t>(data.size())) + body +
         big_endian(static_cast<uint32_t>(crc));
}

// A png of palette indices.
std::string palette_png(int width, const std::vector<uint8_t>& indices,
                        const std::string& colours) {
  const auto height = static_cast<int>(indices.size()) / width;
  std::string rows;
  for (int y = 0; y < height; ++y) {
    rows += '\0';
    rows.append(indices.begin() + y * width, indices.begin() + (y + 1) * width);
  }
  std::string packed(compressBound(rows.size()), '\0');
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(rows.data()), rows.size());
  packed.resize(size);
  const std::string header = big_endian(static_cast<uint32_t>(width)) +
                             big_endian(static_cast<uint32_t>(height)) +
                             std::string({8, 3, 0, 0, 0});
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + chunk("PLTE", colours) +
         chunk("IDAT", packed) + chunk("IEND", "");
}

class ImagesTest : public ::testing::Test {
 protected:
  fs::path file(const std::string& name) const { return folder_.path() / name; }
  TemporaryFolder folder_;
};

TEST_F(ImagesTest, LabelsAreThePaletteIndicesAndNotTheColours) {
  testing::write(file("a.png"), palette_png(3, {0, 2, 1, 2, 2, 0}, {"\0\0\0\x80\0\0\0\x80\0", 9}));
  const at::Tensor labels = read_labels(file("a.png"));
  const std::vector<int32_t> expected{0, 2, 1, 2, 2, 0};
  ASSERT_EQ(labels.sizes(), (std::vector<int64_t>{2, 3}));
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(labels.data_ptr<int32_t>()[i], expected[i]) << i;
}

TEST_F(ImagesTest, GreyLabelsAreTheValues) {
  cv::Mat grey(1, 2, CV_16UC1);
  grey.at<uint16_t>(0, 0) = 300;
  grey.at<uint16_t>(0, 1) = 0;
  testing::write_image(file("a.png"), grey);
  EXPECT_EQ(read_labels(file("a.png")).data_ptr<int32_t>()[0], 300);
  testing::write_image(file("b.png"), cv::Mat(1, 1, CV_8UC3));
  EXPECT_TRUE(has(refusal<DataError>([&] { read_labels(file("b.png")); }), "palette or grey"));
}

TEST_F(ImagesTest, DepthIsScaledAndUnknownIsZero) {
  cv::Mat png(1, 3, CV_16UC1);
  png.at<uint16_t>(0, 0) = 2500;
  png.at<uint16_t>(0, 1) = 0;
  png.at<uint16_t>(0, 2) = 65535;
  testing::write_image(file("a.png"), png);
  const at::Tensor depth = read_depth_png(file("a.png"), 1000, 65535);
  EXPECT_EQ(depth.data_ptr<float>()[0], 2.5f);
  EXPECT_EQ(depth.data_ptr<float>()[1], 0.f);
  EXPECT_EQ(depth.data_ptr<float>()[2], 0.f);
  testing::write_image(file("b.png"), cv::Mat(2, 2, CV_8UC1));
  EXPECT_TRUE(has(refusal<DataError>([&] { read_depth_png(file("b.png"), 1000); }),
                  "expected a 16-bit grey png"));
}

TEST_F(ImagesTest, TruncatedAndForeignImagesAreRefused) {
  cv::Mat noise(40, 40, CV_8UC3);
  for (int i = 0; i < 40 * 40 * 3; ++i) noise.data[i] = static_cast<uint8_t>(i * i * 37 >> 3);
  for (const std::string name : {"a.png", "a.jpg"}) {
    testing::write_image(file(name), noise);
    EXPECT_EQ(read_rgb(file(name)).size(0), 40);
    const std::string whole = read_file(file(name));
    for (const size_t keep : {whole.size() - 20, whole.size() / 2, size_t{20}, size_t{3}}) {
      testing::write(file(name), whole.substr(0, keep));
      EXPECT_TRUE(has(refusal<DataError>([&] { read_rgb(file(name)); }), name)) << keep;
    }
  }
  testing::write(file("t.png"), "no picture");
  EXPECT_TRUE(has(refusal<DataError>([&] { read_rgb(file("t.png")); }), "t.png"));
}

TEST_F(ImagesTest, FramesOfOneClipMustAgreeInSize) {
  testing::write_image(file("a.png"), cv::Mat(4, 6, CV_8UC3));
  testing::write_image(file("b.png"), cv::Mat(4, 5, CV_8UC3));
  const auto message = refusal<DataError>([&] {
    read_frames({file("a.png"), file("b.png")}, testing::context());
  });
  EXPECT_TRUE(has(message, "b.png: its size is [4, 5, 3]")) << message;
  EXPECT_TRUE(has(message, "[4, 6, 3]")) << message;
}

}  // namespace
}  // namespace momap::formats
