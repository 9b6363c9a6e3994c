// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>

#include <cmath>

#include "formats/fixtures.h"
#include "npz_writer.h"
#include "shared_data.h"

namespace {

namespace fs = std::filesystem;
using momap::testing::refusal;
using momap::testing::sample;

std::shared_ptr<momap::Source> source(const fs::path& path, const std::string& more = "") {
  return momap::testing::make_plugin<momap::Source>(
      "source/image_folder", "{path: \"" + path.string() + "\"" + more + "}");
}

class ImageFolderTest : public ::testing::Test {
 protected:
  ImageFolderTest() {
    for (int t = 0; t < 11; ++t) {
      momap::testing::write_image(images() / ("shot " + std::to_string(t) + ".png"),
                                  momap::testing::numbered_frame(6, 4, t));
    }
  }
  fs::path images() const { return folder_.path() / "my walk"; }
  fs::path file(const std::string& name) const { return folder_.path() / name; }
  momap::TemporaryFolder folder_;
};

TEST_F(ImageFolderTest, OrdersByNumberAndCutsClips) {
  const auto plugin = source(images(), ", frames: 3, stride: 2, hop: 3, fps: 10, caption: a walk");
  ASSERT_EQ(plugin->size(), 3);
  EXPECT_EQ(plugin->name(2), "my_walk_000006");
  for (int i = 0; i < 3; ++i) {
    const momap::Clip clip = sample(*plugin, i);
    EXPECT_EQ(momap::testing::numbers_of(clip), (std::vector<int>{3 * i, 3 * i + 2, 3 * i + 4}));
    EXPECT_EQ(clip.fps, 5);
    EXPECT_EQ(clip.caption, "a walk");
    EXPECT_NEAR(clip.camera->fx, 3 / std::tan(M_PI / 6), 1e-9);
  }
  EXPECT_EQ(sample(*source(images(), ", frames: 0"), 0).length(), 11) << "the whole folder";
  EXPECT_EQ(source(images(), ", frames: 1")->size(), 11);
  EXPECT_EQ(source(images(), ", frames: 11")->size(), 1);
  EXPECT_NE(refusal<momap::DataError>([&] {
              plugin->sample(3, momap::testing::context());
            }).find("clip 3 does not exist; there are 3"),
            std::string::npos);
}

TEST_F(ImageFolderTest, ReadsAFolderOfFolders) {
  momap::testing::write_image(file("another/a.jpg"), cv::Mat(4, 6, CV_8UC3));
  const auto plugin = source(folder_.path(), ", frames: 1");
  ASSERT_EQ(plugin->size(), 12);
  EXPECT_EQ(plugin->name(0), "another_000000");
  EXPECT_EQ(plugin->name(11), "my_walk_000010");
  EXPECT_EQ(source(folder_.path(), ", frames: 1, sequence: another")->size(), 1);
}

TEST_F(ImageFolderTest, ReadsTheCameraFile) {
  momap::testing::write(file("camera.yaml"), "fx: 50\ncx: 3\ncy: 2\n");
  const std::string camera = ", frames: 1, camera: \"" + file("camera.yaml").string() + "\"";
  EXPECT_EQ(*sample(*source(images(), camera)).camera, (momap::Camera{50, 50, 3, 2, 6, 4}));
  for (const auto& [text, part] :
       {std::pair{"fx: -1\n", "camera.yaml:1:5"}, {"cx: 1\n", "'fx'"}, {"fx: 1\nfz: 2\n", "fz"}}) {
    momap::testing::write(file("camera.yaml"), text);
    const auto message = refusal<momap::ConfigError>([&] { sample(*source(images(), camera)); });
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
}

TEST_F(ImageFolderTest, ReadsDepthOfEveryFormat) {
  const std::vector<float> metres(24, 2.5f);
  cv::Mat png(4, 6, CV_16UC1, cv::Scalar(2500));
  momap::testing::write_image(file("png/0.png"), png);
  momap::testing::write(file("pfm/0.pfm"), momap::testing::pfm_file(6, 4, metres));
  momap::testing::write(
      file("dpt/0.dpt"),
      "PIEH" + momap::testing::raw(6) + momap::testing::raw(4) + momap::testing::raw(metres));
  momap::testing::write(file("npy/0.npy"),
                        momap::testing::npy_file("<f4", {4, 6}, momap::testing::raw(metres)));
  momap::testing::write_image(file("one/0.png"), momap::testing::numbered_frame(6, 4, 0));
  for (const std::string kind : {"png", "pfm", "dpt", "npy"}) {
    const std::string scale = kind == "png" ? "1000" : "1";
    const momap::Clip clip =
        sample(*source(file("one"), ", frames: 1, depth_per_metre: " + scale + ", depth: \"" +
                                        file(kind).string() + "\""));
    EXPECT_EQ(clip.depth->data_ptr<float>()[0], 2.5f) << kind;
  }
}

TEST_F(ImageFolderTest, SaysWhatDoesNotFitTogether) {
  momap::testing::write_image(file("depth/0.png"), cv::Mat(4, 6, CV_16UC1));
  EXPECT_NE(refusal<momap::DataError>([&] {
              sample(*source(images(), ", frames: 1, depth: \"" + file("depth").string() + "\""));
            }).find("holds 1 files (.png .pfm .dpt .npy) and there are 11 images"),
            std::string::npos);
  momap::testing::write_image(images() / "shot 4.png", cv::Mat(5, 6, CV_8UC3));
  const auto message =
      refusal<momap::DataError>([&] { sample(*source(images(), ", frames: 11")); });
  EXPECT_NE(message.find("shot 4.png: its size is [5, 6, 3]"), std::string::npos) << message;
  fs::create_directories(file("empty"));
  EXPECT_NE(refusal<momap::DataError>([&] {
              source(file("empty"))->size();
            }).find("no sequence was found; expected images in it or in its folders"),
            std::string::npos);
}

TEST(ImageFolder, ReadsARenderedPairWithDepth) {
  const fs::path shared = momap::testing::shared_folder() / "data/rgbd_tartanair";
  if (!fs::exists(shared)) GTEST_SKIP() << shared << " is not there";
  const momap::TemporaryFolder folder;
  for (const std::string i : {"1", "2"}) {
    fs::create_directories(folder.path() / "rgb");
    fs::create_directories(folder.path() / "depth");
    fs::create_symlink(shared / ("image" + i + ".png"), folder.path() / "rgb" / (i + ".png"));
    fs::create_symlink(shared / ("depth" + i + ".npy"), folder.path() / "depth" / (i + ".npy"));
  }
  const momap::Clip clip = sample(
      *source(folder.path() / "rgb", ", frames: 2, depth_per_metre: 1, fov_degrees: 90, depth: \"" +
                                         (folder.path() / "depth").string() + "\""));
  EXPECT_NEAR(clip.camera->fx, 320, 1e-9);
  EXPECT_GT(clip.depth->data_ptr<float>()[0], 0);
}

}  // namespace
