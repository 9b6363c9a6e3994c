// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>

#include <cmath>
#include <map>
#include <opencv2/imgcodecs.hpp>

#include "formats/fixtures.h"
#include "npz_writer.h"
#include "shared_data.h"

namespace {

namespace fs = std::filesystem;
using momap::testing::bytes_of;
using momap::testing::npy_file;
using momap::testing::refusal;
using momap::testing::sample;

std::shared_ptr<momap::Source> source(const fs::path& path, const std::string& more = "") {
  return momap::testing::make_plugin<momap::Source>(
      "source/tapvid3d", "{path: \"" + path.string() + "\"" + more + "}");
}

constexpr int64_t kFrames = 4;

// One flat grey image for each frame, as numpy writes a list of byte strings.
std::string images(int64_t frames = kFrames) {
  std::vector<std::string> jpegs;
  size_t longest = 0;
  for (int t = 0; t < frames; ++t) {
    std::vector<uint8_t> jpeg;
    cv::imencode(".jpg", cv::Mat(24, 32, CV_8UC3, cv::Scalar::all(40 * t)), jpeg);
    jpegs.emplace_back(jpeg.begin(), jpeg.end());
    longest = std::max(longest, jpegs.back().size());
  }
  longest += 3;
  std::string data;
  for (auto& jpeg : jpegs) {
    jpeg.resize(longest, '\0');
    data += jpeg;
  }
  return npy_file("|S" + std::to_string(longest), {frames}, data);
}

// The camera steps 1 m to the right with each frame; point 0 stands still at the world's (0, 0, 4),
// point 1 goes with the camera, point 2 is first seen in frame 2.
std::map<std::string, std::string> arrays() {
  std::vector<float> tracks, poses;
  std::string visible;
  for (int t = 0; t < kFrames; ++t) {
    const auto step = static_cast<float>(t);
    tracks.insert(tracks.end(), {-step, 0, 4, 1, 0, 2, 0, 1, 5});
    poses.insert(poses.end(), {1, 0, 0, -step, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1});
    visible += {'\1', '\1', static_cast<char>(t >= 2)};
  }
  const std::vector<double> queries{16, 12, 0, 26, 12, 3, 16, 16, 2};
  const std::vector<double> k{20, 20, 16, 12};
  return {{"images_jpeg_bytes.npy", images()},
          {"tracks_XYZ.npy", npy_file("<f4", {kFrames, 3, 3}, bytes_of(tracks))},
          {"visibility.npy", npy_file("|b1", {kFrames, 3}, visible)},
          {"queries_xyt.npy", npy_file("<f8", {3, 3}, bytes_of(queries))},
          {"fx_fy_cx_cy.npy", npy_file("<f8", {4}, bytes_of(k))},
          {"extrinsics_w2c.npy", npy_file("<f4", {kFrames, 4, 4}, bytes_of(poses))}};
}

class TapVid3dTest : public ::testing::Test {
 protected:
  void write(const std::map<std::string, std::string>& members) const {
    momap::testing::write_zip(folder_.path() / "clip.npz", members);
  }
  std::string says(const std::map<std::string, std::string>& members,
                   const std::string& more = "") const {
    write(members);
    return refusal<momap::DataError>([&] { sample(*source(folder_.path(), more)); });
  }
  momap::TemporaryFolder folder_;
};

const float* point(const momap::Clip& clip, int64_t t, int64_t n) {
  return clip.tracks->xyz.data_ptr<float>() + 3 * (t * clip.tracks->count() + n);
}

TEST_F(TapVid3dTest, TracksAreInTheFirstFramesCamera) {
  write(arrays());
  const auto plugin = source(folder_.path());
  ASSERT_EQ(plugin->size(), 1);
  const momap::Clip clip = sample(*plugin);
  EXPECT_EQ(clip.length(), kFrames);
  EXPECT_NEAR(clip.frames.data_ptr<uint8_t>()[3 * 24 * 32 * 3], 120, 2);
  EXPECT_EQ(*clip.camera, (momap::Camera{20, 20, 16, 12, 32, 24}));
  ASSERT_EQ(clip.tracks->count(), 3);
  for (int64_t t = 0; t < kFrames; ++t) {
    EXPECT_EQ(point(clip, t, 0)[0], 0) << "the point that stands still";
    EXPECT_EQ(point(clip, t, 0)[2], 4);
    EXPECT_EQ(point(clip, t, 1)[0], 1 + static_cast<float>(t)) << "the point that goes along";
  }
  EXPECT_FALSE(clip.tracks->visible.data_ptr<bool>()[2]);
  EXPECT_EQ(clip.tracks->queries.data_ptr<double>()[5], 3);
}

TEST_F(TapVid3dTest, PartsOfAVideoGetTheirOwnQueries) {
  write(arrays());
  const auto plugin = source(folder_.path(), ", frames: 2");
  ASSERT_EQ(plugin->size(), 2);
  const momap::Clip first = sample(*plugin, 0), second = sample(*plugin, 1);
  EXPECT_EQ(first.tracks->count(), 2) << "point 2 is never seen in frames 0 and 1";
  // Point 1 was asked for in frame 3; in the first part it is seen in frame 0 at x = 16 + 20 / 2.
  const double* query = first.tracks->queries.data_ptr<double>() + 3;
  EXPECT_EQ(query[0], 26);
  EXPECT_EQ(query[1], 12);
  EXPECT_EQ(query[2], 0);
  ASSERT_EQ(second.tracks->count(), 3);
  EXPECT_EQ(second.tracks->queries.data_ptr<double>()[5], 1) << "frame 3 is the part's frame 1";
  EXPECT_EQ(point(second, 0, 0)[0], -2) << "in the camera of frame 2";
}

TEST_F(TapVid3dTest, WithoutExtrinsicsTheCameraStandsStill) {
  auto members = arrays();
  members.erase("extrinsics_w2c.npy");
  write(members);
  const momap::Clip clip = sample(*source(folder_.path()));
  EXPECT_FALSE(clip.cam_from_world);
  EXPECT_EQ(point(clip, 3, 0)[0], -3);
}

TEST_F(TapVid3dTest, NamesFileArrayExpectedAndFound) {
  const auto with = [](const std::string& name, const std::string& array) {
    auto members = arrays();
    members[name + ".npy"] = array;
    return members;
  };
  const auto expect = [&](const std::map<std::string, std::string>& members,
                          const std::vector<std::string>& parts) {
    const auto message = says(members);
    for (const auto& part : parts) EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  expect(with("images_jpeg_bytes", npy_file("|O", {kFrames}, "pickle")),
         {"clip.npz", "'images_jpeg_bytes'", "Python objects"});
  expect(with("images_jpeg_bytes", images(3)), {"'images_jpeg_bytes'", "4 frames"});
  expect(with("visibility", npy_file("|u1", {kFrames, 3}, std::string(12, '\1'))),
         {"'visibility'", "expected"});
  expect(with("visibility", npy_file("|b1", {kFrames, 2}, std::string(8, '\1'))),
         {"'visibility'", "[4, 2]", "3"});
  expect(with("tracks_XYZ", npy_file("<f4", {kFrames, 3, 2}, std::string(96, '\0'))),
         {"'tracks_XYZ'", "[4, 3, 2]"});
  const std::vector<double> bad{std::nan(""), 0, 0, 0, 0, 0, 0, 0, 0};
  expect(with("queries_xyt", npy_file("<f8", {3, 3}, bytes_of(bad))), {"'queries_xyt'"});
  const std::vector<float> skewed(16 * kFrames, 0.5f);
  expect(with("extrinsics_w2c", npy_file("<f4", {kFrames, 4, 4}, bytes_of(skewed))),
         {"not a rigid motion"});
  auto missing = arrays();
  missing.erase("fx_fy_cx_cy.npy");
  expect(missing, {"no array 'fx_fy_cx_cy'"});
}

TEST_F(TapVid3dTest, OneDamagedFileLeavesTheOthersReadable) {
  write(arrays());
  momap::testing::write(folder_.path() / "a_bad.npz", "not a zip file");
  const auto plugin = source(folder_.path());
  ASSERT_EQ(plugin->size(), 2);
  EXPECT_NE(refusal<momap::DataError>([&] { sample(*plugin, 0); }).find("a_bad.npz"),
            std::string::npos);
  EXPECT_EQ(sample(*plugin, 1).length(), kFrames);
}

// A static scene: in the first camera's frame every point must stay where it is, but for the depth
// sensor's noise (the sample's own median residual is 2.5 to 3.6 mm).
TEST(TapVid3d, PointsOfAStillRoomStandStill) {
  const fs::path folder = momap::testing::shared_folder() / "data/tracks3d_derived";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const momap::Clip clip = sample(*source(folder));
  ASSERT_EQ(clip.length(), 24);
  std::vector<double> moved;
  for (int64_t n = 0; n < clip.tracks->count(); ++n) {
    const auto first = static_cast<int64_t>(clip.tracks->queries.data_ptr<double>()[3 * n + 2]);
    for (int64_t t = 0; t < 24; ++t) {
      if (!clip.tracks->visible.data_ptr<bool>()[t * clip.tracks->count() + n]) continue;
      const float *a = point(clip, first, n), *b = point(clip, t, n);
      moved.push_back(std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]));
    }
  }
  ASSERT_GT(moved.size(), 4000u);
  std::ranges::sort(moved);
  EXPECT_LT(moved[moved.size() / 2], 0.0036) << "metres";
}

}  // namespace
