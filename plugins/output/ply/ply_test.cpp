// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>

#include <cstring>
#include <limits>

namespace {

namespace fs = std::filesystem;

/// Two frames of 1 x 3 points: (t, x, 2); the middle one without a path.
momap::MoMap three_points() {
  momap::MoMap map{at::zeros({2, 1, 3, 3}),
                   at::ones({2, 1, 3}, at::kBool),
                   at::ones({1, 3}, at::kBool),
                   {10, 10, 1, 0, 3, 1}};
  for (int64_t t = 0; t < 2; ++t) {
    for (int64_t x = 0; x < 3; ++x) {
      map.xyz[t][0][x][0] = static_cast<float>(t);
      map.xyz[t][0][x][1] = static_cast<float>(x);
      map.xyz[t][0][x][2] = 2.0f;
    }
  }
  map.valid[0][1] = false;
  map.xyz[1][0][1].fill_(std::numeric_limits<float>::quiet_NaN());
  return map;
}

std::string written(const momap::Datum& value, const std::string& params,
                    const momap::Datum* image = nullptr) {
  const momap::TemporaryFolder folder;
  momap::Inputs inputs;
  inputs.add("value", {&value});
  inputs.add("image", image ? std::vector{image} : std::vector<const momap::Datum*>{});
  return momap::read_file(momap::testing::make_plugin<momap::Output>("output/ply", params)
                              ->write(inputs, folder.path() / "points", momap::testing::context()));
}

struct Vertex {
  float x, y, z;
  uint8_t r, g, b;
  int32_t time = -1;
};

std::vector<Vertex> vertices(const std::string& ply, bool with_time) {
  const std::string end = "end_header\n";
  size_t at = ply.find(end) + end.size();
  std::vector<Vertex> out;
  const auto take = [&](auto& value) {
    std::memcpy(&value, ply.data() + at, sizeof value);
    at += sizeof value;
  };
  while (at < ply.size()) {
    Vertex v{};
    take(v.x), take(v.y), take(v.z), take(v.r), take(v.g), take(v.b);
    if (with_time) take(v.time);
    out.push_back(v);
  }
  return out;
}

TEST(PlyOutput, WritesValidPointsOfAFrameWithTheirColours) {
  momap::Clip image;
  image.frames = at::arange(9).to(at::kByte).view({1, 1, 3, 3});
  const momap::Datum clip = image;
  const std::string ply = written(three_points(), "{frame: 1}", &clip);
  EXPECT_EQ(ply.find("ply\nformat binary_little_endian 1.0\n"), 0u);
  EXPECT_NE(ply.find("element vertex 2\n"), std::string::npos);
  EXPECT_EQ(ply.find("time"), std::string::npos);
  const auto points = vertices(ply, false);
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[1].x, 1.0f);
  EXPECT_EQ(points[1].y, 2.0f);
  EXPECT_EQ(points[1].z, 2.0f);
  EXPECT_EQ(points[1].r, 6);
  EXPECT_EQ(points[1].b, 8);
}

TEST(PlyOutput, WritesAllFramesWithTheirTime) {
  const std::string ply = written(three_points(), "{tracks: true}");
  EXPECT_NE(ply.find("element vertex 4\n"), std::string::npos);
  EXPECT_NE(ply.find("property int time\n"), std::string::npos);
  const auto points = vertices(ply, true);
  ASSERT_EQ(points.size(), 4u);
  for (const Vertex& point : points) EXPECT_EQ(point.time, static_cast<int>(point.x));
  EXPECT_EQ(vertices(written(three_points(), "{tracks: true, stride: 3}"), true).size(), 2u);
}

TEST(PlyOutput, RefusesAFrameThatIsNotThereAndAnImageOfAnotherSize) {
  EXPECT_THROW(written(three_points(), "{frame: 2}"), momap::DataError);
  momap::Clip image;
  image.frames = at::zeros({1, 2, 3, 3}, at::kByte);
  const momap::Datum clip = image;
  EXPECT_THROW(written(three_points(), "{}", &clip), momap::DataError);
}

}  // namespace
