// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>

#include <cmath>

#include "formats/fixtures.h"
#include "shared_data.h"

namespace {

namespace fs = std::filesystem;
using momap::testing::pfm_file;
using momap::testing::refusal;
using momap::testing::sample;

constexpr int kWidth = 6, kHeight = 4;
constexpr float kDisparity = 525;  // px: 2 units away

std::shared_ptr<momap::Source> source(const fs::path& path, const std::string& more = "") {
  return momap::testing::make_plugin<momap::Source>(
      "source/flyingthings", "{path: \"" + path.string() + "\"" + more + "}");
}

// A wall that comes from 2 to 1 units away while the camera goes 0.5 units forward: the wall
// itself comes 0.5 units.
class FlyingThingsTest : public ::testing::Test {
 protected:
  FlyingThingsTest() {
    const std::vector<float> plane(kWidth * kHeight, 1);
    const auto filled = [&](float value) {
      std::vector<float> out = plane;
      for (float& v : out) v *= value;
      return out;
    };
    for (int t = 6; t <= 7; ++t) {
      const auto name = "000" + std::to_string(t);
      momap::testing::write_image(at("frames_finalpass", "left/" + name + ".png"),
                                  momap::testing::numbered_frame(kWidth, kHeight, t));
      momap::testing::write(
          at("disparity", "left/" + name + ".pfm"),
          pfm_file(kWidth, kHeight, filled(t == 6 ? kDisparity : 2 * kDisparity)));
      // A point at pixel p, seen from half the distance, is at c + 2 (p - c).
      std::vector<float> flow;
      for (int y = kHeight - 1; y >= 0; --y) {  // stored bottom-up
        for (int x = 0; x < kWidth; ++x) {
          flow.insert(flow.end(), {static_cast<float>(x) - 2.5f, static_cast<float>(y) - 1.5f, 0});
        }
      }
      momap::testing::write(
          at("optical_flow", "into_future/left/OpticalFlowIntoFuture_" + name + "_L.pfm"),
          pfm_file(kWidth, kHeight, flow, 3));
      momap::testing::write(at("disparity_change", "into_future/left/" + name + ".pfm"),
                            pfm_file(kWidth, kHeight, filled(kDisparity)));
    }
    momap::testing::write(at("camera_data", "camera_data.txt"),
                          "Frame 6\nL 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1\n"
                          "R 1 0 0 1 0 1 0 0 0 0 1 0 0 0 0 1\n\n"
                          "Frame 7\nL 1 0 0 0 0 1 0 0 0 0 1 -0.5 0 0 0 1\n"
                          "R 1 0 0 1 0 1 0 0 0 0 1 -0.5 0 0 0 1\n");
  }
  fs::path at(const std::string& kind, const std::string& name) const {
    return folder_.path() / kind / "TRAIN/A/0000" / name;
  }
  momap::TemporaryFolder folder_;
};

TEST_F(FlyingThingsTest, GivesDepthFlowAndPoses) {
  const auto plugin = source(folder_.path());
  ASSERT_EQ(plugin->size(), 1);
  EXPECT_EQ(plugin->name(0), "TRAIN_A_0000_000006");
  const momap::Clip clip = sample(*plugin);
  EXPECT_EQ(momap::testing::numbers_of(clip), (std::vector<int>{6, 7}));
  EXPECT_EQ(*clip.camera, (momap::Camera{1050, 1050, 2.5, 1.5, kWidth, kHeight}));
  EXPECT_EQ(clip.depth->data_ptr<float>()[0], 2);
  EXPECT_EQ(clip.flow->data_ptr<float>()[0], -2.5f);
  EXPECT_EQ(clip.flow->data_ptr<float>()[1], -1.5f) << "the first row is the upper one";
  // Blender's camera at z = -0.5 looks along -z: 0.5 units forward.
  EXPECT_EQ(clip.cam_from_world->data_ptr<double>()[16 + 5], -1);
  EXPECT_NEAR((*clip.cam_from_world)[1].data_ptr<double>()[11], -0.5, 1e-12);
}

TEST_F(FlyingThingsTest, MotionIsInTheFirstCamerasFrame) {
  const momap::Clip clip = sample(*source(folder_.path()));
  ASSERT_EQ(clip.truth.size(), 1u);
  const auto& motion = clip.truth[0].motion;
  for (int64_t i = 0; i < kWidth * kHeight; ++i) {
    EXPECT_TRUE(motion.valid.data_ptr<bool>()[i]);
    const float* first = motion.xyz[0].data_ptr<float>() + 3 * i;
    const float* second = motion.xyz[1].data_ptr<float>() + 3 * i;
    EXPECT_NEAR(second[0], first[0], 1e-6);
    EXPECT_NEAR(second[1], first[1], 1e-6);
    EXPECT_NEAR(second[2], 1.5, 1e-6) << "2 units, less the 0.5 that the wall comes";
  }
  EXPECT_FALSE(motion.visible[1].data_ptr<bool>()[0]) << "left the image";
  EXPECT_TRUE(motion.visible[1].data_ptr<bool>()[2 * kWidth + 3]);
}

TEST_F(FlyingThingsTest, NamesBadFiles) {
  const auto says = [&] {
    return refusal<momap::DataError>([&] { sample(*source(folder_.path())); });
  };
  const auto poses = at("camera_data", "camera_data.txt");
  momap::testing::write(poses, "Frame 6\nL 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1\n");
  EXPECT_NE(says().find("has no pose 'L' of frame 7"), std::string::npos);
  momap::testing::write(poses, "Frame 6\nL 1 2 3\n");
  EXPECT_NE(says().find("is not 16 numbers"), std::string::npos);
  const auto flow = at("optical_flow", "into_future/left/OpticalFlowIntoFuture_0006_L.pfm");
  momap::testing::write(flow, pfm_file(1, 1, {1}));
  EXPECT_NE(says().find("has 1 channels; expected 3"), std::string::npos);
  fs::remove(at("disparity", "left/0007.pfm"));
  EXPECT_NE(says().find("0007.pfm: the file is missing"), std::string::npos);
}

TEST(FlyingThings, ReadsARenderedPair) {
  const fs::path shared = momap::testing::shared_folder() / "data/rgbd_flyingthings_raft3d";
  if (!fs::exists(shared)) GTEST_SKIP() << shared << " is not there";
  const momap::TemporaryFolder folder;
  for (const int t : {1, 2}) {
    const auto link = [&](const std::string& from, const fs::path& to) {
      fs::create_directories((folder.path() / to).parent_path());
      fs::create_symlink(shared / from, folder.path() / to);
    };
    const auto number = "000" + std::to_string(5 + t);
    link("image" + std::to_string(t) + ".png",
         "frames_cleanpass/TRAIN/A/0000/left/" + number + ".png");
    link("disp" + std::to_string(t) + ".pfm", "disparity/TRAIN/A/0000/left/" + number + ".pfm");
  }
  const momap::Clip clip = sample(*source(folder.path(), ", render_pass: cleanpass"));
  EXPECT_EQ(*clip.camera, (momap::Camera{1050, 1050, 479.5, 269.5, 960, 540}));
  int64_t plausible = 0;
  for (int64_t i = 0; i < clip.depth->numel(); ++i) {
    const float z = clip.depth->data_ptr<float>()[i];
    plausible += z > 1 && z < 1000 ? 1 : 0;
  }
  EXPECT_EQ(plausible, clip.depth->numel()) << "every pixel of a rendered frame has a depth";
}

}  // namespace
