// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>

#include <cmath>
#include <map>

#include "formats/fixtures.h"
#include "npz_writer.h"
#include "shared_data.h"

namespace {

namespace fs = std::filesystem;
using momap::testing::bytes_of;
using momap::testing::npy_file;
using momap::testing::refusal;
using momap::testing::sample;

constexpr int64_t kFrames = 5;

std::shared_ptr<momap::Source> source(const fs::path& path, const std::string& more = "") {
  return momap::testing::make_plugin<momap::Source>(
      "source/point_odyssey", "{path: \"" + path.string() + "\"" + more + "}");
}

// The camera steps 1 m to the right with each frame; point 0 stands still at (0, 0, 4), point 1
// moves with it, point 2 is not valid in frame 3.
std::map<std::string, std::string> arrays(double changed_focal = 0) {
  std::vector<float> world, poses, k;
  std::string visible, valid;
  for (int t = 0; t < kFrames; ++t) {
    const auto x = static_cast<float>(t);
    world.insert(world.end(), {0, 0, 4, x, 0, 2, 0, 1, 5});
    poses.insert(poses.end(), {1, 0, 0, -x, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1});
    const float focal = 20 + (t == 1 ? static_cast<float>(changed_focal) : 0);
    k.insert(k.end(), {focal, 0, 16, 0, focal, 12, 0, 0, 1});
    visible += {'\1', '\1', static_cast<char>(t != 3)};
    valid += {'\1', '\1', static_cast<char>(t != 3)};
  }
  return {{"trajs_3d.npy", npy_file("<f4", {kFrames, 3, 3}, bytes_of(world))},
          {"extrinsics.npy", npy_file("<f4", {kFrames, 4, 4}, bytes_of(poses))},
          {"intrinsics.npy", npy_file("<f4", {kFrames, 3, 3}, bytes_of(k))},
          {"visibs.npy", npy_file("|b1", {kFrames, 3}, visible)},
          {"valids.npy", npy_file("|b1", {kFrames, 3}, valid)}};
}

class PointOdysseyTest : public ::testing::Test {
 protected:
  PointOdysseyTest() {
    for (int t = 0; t < kFrames; ++t) {
      const auto number = "0000" + std::to_string(t);
      momap::testing::write_image(sequence() / "rgbs" / ("rgb_" + number + ".jpg"),
                                  cv::Mat(24, 32, CV_8UC3, cv::Scalar::all(30 * t)));
      momap::testing::write_image(sequence() / "depths" / ("depth_" + number + ".png"),
                                  cv::Mat(24, 32, CV_16UC1, cv::Scalar(6553 * (t + 1))));
    }
    momap::testing::write_zip(sequence() / "anno.npz", arrays());
  }
  fs::path sequence() const { return folder_.path() / "train/walk"; }
  momap::TemporaryFolder folder_;
};

TEST_F(PointOdysseyTest, GivesDepthCameraAndTracksOfTheClip) {
  const auto plugin = source(folder_.path(), ", frames: 2, stride: 2, hop: 1");
  ASSERT_EQ(plugin->size(), 3);
  const momap::Clip clip = sample(*plugin, 1);  // frames 1 and 3
  EXPECT_NEAR(clip.frames.data_ptr<uint8_t>()[0], 30, 2);
  EXPECT_NEAR(clip.depth->data_ptr<float>()[0], 6553 * 2 / 65.535, 1e-3) << "65535 = 1000 m";
  EXPECT_EQ(*clip.camera, (momap::Camera{20, 20, 16, 12, 32, 24}));
  EXPECT_EQ(clip.cam_from_world->data_ptr<double>()[3], -1);
  ASSERT_EQ(clip.tracks->count(), 3);
  const float* xyz = clip.tracks->xyz.data_ptr<float>();
  EXPECT_EQ(xyz[0], -1) << "point 0 from the camera of frame 1";
  EXPECT_EQ(xyz[9], -1) << "it stands still";
  EXPECT_EQ(xyz[9 + 3], 2) << "point 1 has gone 2 m";
  EXPECT_FALSE(clip.tracks->valid.data_ptr<bool>()[3 + 2]);
  const double* query = clip.tracks->queries.data_ptr<double>();
  EXPECT_EQ(query[0], 16 - 20.0 / 4) << "where it is first seen";
  EXPECT_EQ(query[2], 0);
}

TEST_F(PointOdysseyTest, NamesWhatDoesNotFit) {
  const auto says = [&](const std::map<std::string, std::string>& members) {
    momap::testing::write_zip(sequence() / "anno.npz", members);
    return refusal<momap::DataError>([&] { sample(*source(folder_.path(), ", frames: 2")); });
  };
  EXPECT_NE(says(arrays(3)).find("the intrinsics change between frames 0 and 1"),
            std::string::npos);
  auto members = arrays();
  members["visibs.npy"] = npy_file("|b1", {kFrames, 2}, std::string(10, '\1'));
  EXPECT_NE(says(members).find("'visibs'"), std::string::npos);
  members = arrays();
  members["valids.npy"] = npy_file("<f4", {kFrames, 3}, bytes_of(std::vector<float>(15, 0.5f)));
  EXPECT_NE(says(members).find("'valids' holds 0.5; expected 0 and 1"), std::string::npos);
  members = arrays();
  members["extrinsics.npy"] = npy_file("<f4", {1, 4, 4}, std::string(64, '\0'));
  EXPECT_NE(says(members).find("there are 5 images"), std::string::npos);
  members = arrays();
  members.erase("trajs_3d.npy");
  EXPECT_NE(says(members).find("no array 'trajs_3d'"), std::string::npos);
  fs::remove(sequence() / "anno.npz");
  EXPECT_NE(refusal<momap::DataError>([&] {
              sample(*source(folder_.path(), ", frames: 2"));
            }).find("anno.npz: the file is missing"),
            std::string::npos);
}

TEST(PointOdyssey, PointsOfAStillRoomStandStill) {
  const fs::path folder =
      momap::testing::shared_folder() / "data/format_fixtures_derived/pointodyssey";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const momap::Clip clip = sample(*source(folder, ", frames: 6"));
  EXPECT_LT(momap::testing::depth_residual(clip, 0, 5), 0.02) << "metres; steps of depth are 15 mm";
  ASSERT_TRUE(clip.tracks);
  std::vector<double> moved;
  const int64_t count = clip.tracks->count();
  for (int64_t i = count; i < 6 * count; ++i) {
    const bool known =
        clip.tracks->valid.data_ptr<bool>()[i] && clip.tracks->valid.data_ptr<bool>()[i % count];
    if (!known) continue;
    const float *a = clip.tracks->xyz.data_ptr<float>() + 3 * (i % count),
                *b = clip.tracks->xyz.data_ptr<float>() + 3 * i;
    moved.push_back(std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]));
  }
  ASSERT_FALSE(moved.empty());
  std::ranges::sort(moved);
  EXPECT_LT(moved[moved.size() / 2], 0.01) << "metres";
}

}  // namespace
