// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>

#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

namespace {

using nlohmann::json;

/// Three frames of 2 x 4 points: (x + t, y, 2 + t); one without a path, one that gets lost.
momap::MoMap points() {
  momap::MoMap map{at::zeros({3, 2, 4, 3}),
                   at::ones({3, 2, 4}, at::kBool),
                   at::ones({2, 4}, at::kBool),
                   {10, 10, 1.5, 0.5, 4, 2}};
  for (int64_t t = 0; t < 3; ++t) {
    for (int64_t y = 0; y < 2; ++y) {
      for (int64_t x = 0; x < 4; ++x) {
        map.xyz[t][y][x][0] = static_cast<float>(x + t);
        map.xyz[t][y][x][1] = static_cast<float>(y);
        map.xyz[t][y][x][2] = static_cast<float>(2 + t);
      }
    }
  }
  map.valid[0][1] = false;
  map.xyz[2][1][3].fill_(std::numeric_limits<float>::quiet_NaN());
  return map;
}

/// A file as a reader takes it apart.
struct Glb {
  json document;
  std::string binary;

  explicit Glb(const std::string& bytes) {
    const auto word = [&](size_t at) {
      uint32_t value = 0;
      std::memcpy(&value, bytes.data() + at, sizeof value);
      return value;
    };
    EXPECT_EQ(bytes.substr(0, 4), "glTF");
    EXPECT_EQ(word(4), 2u);
    EXPECT_EQ(word(8), bytes.size());
    const size_t text = word(12);
    EXPECT_EQ(bytes.substr(16, 4), "JSON");
    EXPECT_EQ(text % 4, 0u);
    document = json::parse(bytes.substr(20, text));
    EXPECT_EQ(word(20 + text) % 4, 0u);
    EXPECT_EQ(bytes.substr(24 + text, 4), std::string("BIN\0", 4));
    binary = bytes.substr(28 + text);
    EXPECT_EQ(binary.size(), word(20 + text));
    EXPECT_EQ(document["buffers"][0]["byteLength"], binary.size());
  }

  std::vector<float> floats(size_t accessor) const {
    const json& a = document["accessors"][accessor];
    const json& view = document["bufferViews"][a["bufferView"].get<size_t>()];
    EXPECT_EQ(a["componentType"], 5126);
    std::vector<float> out(view["byteLength"].get<size_t>() / sizeof(float));
    std::memcpy(out.data(), binary.data() + view["byteOffset"].get<size_t>(),
                out.size() * sizeof(float));
    EXPECT_EQ(out.size(), a["count"].get<size_t>() * (a["type"] == "VEC3" ? 3 : 1));
    return out;
  }
};

std::string written(const momap::Datum& value, const std::string& params,
                    const momap::Datum* image = nullptr) {
  const momap::TemporaryFolder folder;
  momap::Inputs inputs;
  inputs.add("value", {&value});
  inputs.add("image", image ? std::vector{image} : std::vector<const momap::Datum*>{});
  return momap::read_file(momap::testing::make_plugin<momap::Output>("output/gltf", params)
                              ->write(inputs, folder.path() / "points", momap::testing::context()));
}

TEST(GltfOutput, PointsMoveAsTheMapSays) {
  momap::Clip image;
  image.frames = at::arange(24).to(at::kByte).view({1, 2, 4, 3});
  image.fps = 4;
  const momap::Datum clip = image;
  const Glb glb(written(points(), "{stride: 1}", &clip));
  const json& primitive = glb.document["meshes"][0]["primitives"][0];
  EXPECT_EQ(primitive["mode"], 0);
  const auto start = glb.floats(primitive["attributes"]["POSITION"]);
  ASSERT_EQ(start.size(), 3u * 6);  // of 8 pixels
  ASSERT_EQ(primitive["targets"].size(), 2u);
  const auto step = glb.floats(primitive["targets"][1]["POSITION"]);
  // The second point is pixel (2, 0): y up, z backward.
  EXPECT_EQ(std::vector<float>(start.begin() + 3, start.begin() + 6),
            (std::vector<float>{2, 0, -2}));
  EXPECT_EQ(std::vector<float>(step.begin() + 3, step.begin() + 6), (std::vector<float>{2, 0, -2}));
  const json& bounds = glb.document["accessors"][primitive["attributes"]["POSITION"].get<size_t>()];
  EXPECT_EQ(bounds["min"], (json{0.0, -1.0, -2.0}));
  EXPECT_EQ(bounds["max"], (json{3.0, 0.0, -2.0}));
  // Its colour.
  const json& colour = glb.document["accessors"][primitive["attributes"]["COLOR_0"].get<size_t>()];
  const size_t at = glb.document["bufferViews"][colour["bufferView"].get<size_t>()]["byteOffset"];
  EXPECT_EQ(colour["componentType"], 5123);
  uint16_t red = 0;
  std::memcpy(&red, glb.binary.data() + at + 4 * sizeof red, sizeof red);
  EXPECT_EQ(red, 119);  // level 6 of sRGB is 6 / 255 / 12.92 of the light
  EXPECT_TRUE(colour["normalized"].get<bool>());
}

TEST(GltfOutput, EachFrameIsFullyOnAtItsTime) {
  momap::Clip image;
  image.frames = at::zeros({1, 2, 4, 3}, at::kByte);
  image.fps = 4;
  const momap::Datum clip = image;
  const Glb glb(written(points(), "{}", &clip));
  const json& sampler = glb.document["animations"][0]["samplers"][0];
  EXPECT_EQ(glb.floats(sampler["input"]), (std::vector<float>{0, 0.25, 0.5}));
  EXPECT_EQ(glb.floats(sampler["output"]), (std::vector<float>{0, 0, 1, 0, 0, 1}));
  const Glb faster(written(points(), "{fps: 8}", &clip));
  EXPECT_EQ(faster.floats(faster.document["animations"][0]["samplers"][0]["input"]),
            (std::vector<float>{0, 0.125, 0.25}));
}

TEST(GltfOutput, OneFrameDoesNotMove) {
  momap::MoMap still = points();
  still.xyz = still.xyz.slice(0, 0, 1).clone();
  still.visible = still.visible.slice(0, 0, 1).clone();
  const Glb glb(written(still, "{}"));
  EXPECT_FALSE(glb.document.contains("animations"));
  EXPECT_FALSE(glb.document["meshes"][0]["primitives"][0].contains("targets"));
}

TEST(GltfOutput, RefusesAMapWithoutPathsAndAnImageOfAnotherSize) {
  momap::MoMap none = points();
  none.valid.fill_(false);
  EXPECT_THROW(written(none, "{}"), momap::DataError);
  momap::Clip image;
  image.frames = at::zeros({1, 3, 4, 3}, at::kByte);
  const momap::Datum clip = image;
  EXPECT_THROW(written(points(), "{}", &clip), momap::DataError);
}

}  // namespace
