// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/npz.h>
#include <momap/stage/annotator.h>

#include <algorithm>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "network.h"
#include "npz_writer.h"
#include "plugin_fixture.h"
#include "scenes.h"
#include "shared_data.h"

namespace {

namespace fs = std::filesystem;

fs::path weights_file() {
  return momap::testing::shared_folder() / "data/models/meter_xxs/meter_nyu_xxs.npz";
}

double relative_error(const at::Tensor& ours, const at::Tensor& reference) {
  return ((ours - reference).norm() / reference.norm()).item<double>();
}

#define NEEDS_WEIGHTS() \
  if (!fs::exists(weights_file())) GTEST_SKIP() << weights_file() << " is absent"

TEST(Meter, MatchesTheReferenceActivations) {
  NEEDS_WEIGHTS();
  const momap::MeterNetwork network(weights_file());
  momap::NpzFile reference(weights_file().parent_path() / "reference_nyu_7scenes_frame0.npz");
  const at::Tensor input = reference.read("input");
  EXPECT_LT(relative_error(network.encode(input), reference.read("encoder_out")), 1e-5);
  EXPECT_LT(relative_error(network(input), reference.read("output_cm")), 1e-5);
}

// INDEX.md gives .145 for 12 frames of this clip, with the published code.
TEST(Meter, IsAsAccurateOnSevenScenesAsThePublishedCode) {
  NEEDS_WEIGHTS();
  const fs::path folder = momap::testing::shared_folder() / "data/rgbd_7scenes";
  const auto plugin = momap::testing::make_plugin<momap::Annotator>(
      "annotation/meter", "{weights: " + weights_file().string() + ", align: none}");
  double sum = 0;
  int frames = 0;
  for (int i = 0; i < 48; i += 4, ++frames) {
    const std::string name = "frame-0000" + std::string(i < 10 ? "0" : "") + std::to_string(i);
    const cv::Mat bgr = cv::imread((folder / (name + ".color.jpg")).string());
    const cv::Mat mm = cv::imread((folder / (name + ".depth.png")).string(), cv::IMREAD_UNCHANGED);
    ASSERT_FALSE(bgr.empty() || mm.empty()) << name;
    momap::Clip clip;
    clip.frames = at::from_blob(bgr.data, {1, bgr.rows, bgr.cols, 3}, at::kByte).flip({3}).clone();
    const at::Tensor depth = *plugin->annotate(clip, momap::testing::context()).depth;
    std::vector<double> ratios, errors;
    const auto each = [&](auto visit) {
      for (int y = 0; y < mm.rows; ++y) {
        for (int x = 0; x < mm.cols; ++x) {
          const int truth = mm.at<uint16_t>(y, x);
          if (truth > 0 && truth < 65535)
            visit(truth / 1000.0, depth[0].data_ptr<float>()[y * mm.cols + x]);
        }
      }
    };
    each([&](double truth, double found) { ratios.push_back(truth / found); });
    std::ranges::nth_element(ratios,
                             ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2));
    const double scale = ratios[ratios.size() / 2];
    double error = 0;
    each([&](double truth, double found) { error += std::abs(scale * found - truth) / truth; });
    sum += error / static_cast<double>(ratios.size());
  }
  RecordProperty("abs_rel", std::to_string(sum / frames));
  EXPECT_LT(sum / frames, 0.16);
}

TEST(Meter, SaysWhichWeightsItCannotUse) {
  const momap::TemporaryFolder folder("momap-meter");
  const fs::path path = folder.path() / "other.npz";
  const std::string zeros = momap::testing::bytes_of(std::vector<float>(16 * 3 * 3 * 3));
  momap::testing::write_zip(path, {{"encoder.conv1.0.depthwise.weight.npy",
                                    momap::testing::npy_file("<f4", {16, 3, 3, 3}, zeros)}});
  try {
    const momap::MeterNetwork network(path);
    FAIL() << "accepted";
  } catch (const momap::ConfigError& e) {
    EXPECT_NE(std::string(e.what()).find("'encoder.conv1.0.pointwise.weight' is missing"),
              std::string::npos)
        << e.what();
  }
}

TEST(Meter, KeepsEverythingElseOfTheClipAndGivesFiniteDepth) {
  NEEDS_WEIGHTS();
  const auto plugin = momap::testing::make_plugin<momap::Annotator>(
      "annotation/meter", "{weights: " + weights_file().string() + "}");
  const momap::Clip clip = momap::testing::moving_square({.frames = 3, .height = 17, .width = 31});
  const momap::Clip out = plugin->annotate(clip, momap::testing::context());
  EXPECT_TRUE(at::equal(out.frames, clip.frames));
  EXPECT_EQ(out.camera, clip.camera);
  EXPECT_EQ(out.depth->sizes(), (at::IntArrayRef{3, 17, 31}));
  EXPECT_TRUE(at::isfinite(*out.depth).all().item<bool>());
}

}  // namespace
