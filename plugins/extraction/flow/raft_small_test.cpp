// SPDX-License-Identifier: Apache-2.0
#include "flow/raft_small.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/npz.h>

#include <fstream>
#include <iostream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>

#include "npz_writer.h"
#include "shared_data.h"

namespace {

namespace fs = std::filesystem;

fs::path data() { return momap::testing::shared_folder() / "data"; }
fs::path weights() { return data() / "models/raft_small/raft_small.npz"; }

#define NEEDS_WEIGHTS() \
  if (!fs::exists(weights())) GTEST_SKIP() << weights() << " is absent"

const momap::RaftSmall& network() {
  static const momap::RaftSmall raft(weights());
  return raft;
}

cv::Mat picture(const fs::path& file) {
  cv::Mat bgr = cv::imread(file.string(), cv::IMREAD_COLOR), rgb;
  if (bgr.empty()) throw std::runtime_error(file.string() + " cannot be read");
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  return rgb;
}

double mean_difference(const cv::Mat& flow, const at::Tensor& reference) {
  double sum = 0;
  for (int y = 0; y < flow.rows; ++y) {
    for (int x = 0; x < flow.cols; ++x) {
      const auto f = flow.at<cv::Vec2f>(y, x);
      sum += std::hypot(f[0] - reference[0][0][y][x].item<float>(),
                        f[1] - reference[0][1][y][x].item<float>());
    }
  }
  return sum / static_cast<double>(flow.total());
}

// px; above 1e9 where unknown.
cv::Mat true_flow(const fs::path& file) {
  if (file.extension() == ".flo") return cv::readOpticalFlow(file.string());
  const cv::Mat raw = cv::imread(file.string(), cv::IMREAD_UNCHANGED);  // KITTI: valid, v, u
  cv::Mat flow(raw.size(), CV_32FC2);
  for (int y = 0; y < raw.rows; ++y) {
    for (int x = 0; x < raw.cols; ++x) {
      const auto p = raw.at<cv::Vec3w>(y, x);
      const auto part = [&](int c) {
        return p[0] ? static_cast<float>((p[c] - 32768.0) / 64) : 2e9F;
      };
      flow.at<cv::Vec2f>(y, x) = {part(2), part(1)};
    }
  }
  return flow;
}

TEST(RaftSmall, MatchesTheReferenceActivations) {
  NEEDS_WEIGHTS();
  const fs::path frames = data() / "flow_sintel/training/clean/alley_1";
  const auto a = network().features(picture(frames / "frame_0002.png"));
  const auto b = network().features(picture(frames / "frame_0003.png"));
  momap::NpzFile reference(weights().parent_path() / "reference_alley1_clean_2_3.npz");
  const auto compare = [](const momap::FeatureMap& ours, const at::Tensor& theirs) {
    double most = 0;
    const at::Tensor flat = theirs.flatten(2).contiguous();
    for (int64_t c = 0; c < 8; ++c) {
      for (int64_t i = 0; i < ours.pixels(); ++i) {
        most = std::max<double>(
            most, std::abs(ours.at(i)[c] - flat.data_ptr<float>()[c * ours.pixels() + i]));
      }
    }
    return most;
  };
  EXPECT_LT(compare(a.matching, reference.read("fnet1_ch0_8")), 1e-3);
  // The first of the network's channels become the hidden state by tanh.
  EXPECT_LT(compare(a.hidden, at::tanh(reference.read("cnet_ch0_8"))), 1e-4);
  for (const auto& [iterations, bound] : {std::pair{1, 1e-3}, {12, 5e-3}, {20, 5e-3}}) {
    const double difference =
        mean_difference(network().coarse_flow(a, b, iterations),
                        reference.read("flow_low_it" + std::to_string(iterations)));
    std::cout << "mean difference after " << iterations << " iterations: " << difference
              << " px of an eighth\n";
    EXPECT_LT(difference, bound);
  }
}

// What the published code gives on these pairs, at 20 iterations (px): INDEX.md.
TEST(RaftSmall, IsAsAccurateAsThePublishedCode) {
  NEEDS_WEIGHTS();
  const fs::path sintel = data() / "flow_sintel/training";
  struct Case {
    const char* name;
    fs::path a, b, truth;
    double expected;
  };
  std::vector<Case> cases;
  for (const auto& [pass, name, expected] : {std::tuple{"clean", "alley_1", 0.27},
                                             {"final", "cave_2", 1.33},
                                             {"final", "market_5", 4.23}}) {
    const fs::path frames = sintel / pass / name;
    cases.push_back({name, frames / "frame_0002.png", frames / "frame_0003.png",
                     sintel / "flow" / name / "frame_0002.flo", expected});
  }
  const fs::path kitti = data() / "flow_kitti/oftoolkit";
  cases.push_back(
      {"KITTI", kitti / "frame1.png", kitti / "frame2.png", kitti / "flow_gt.png", 7.29});
  const fs::path middlebury = data() / "flow_middlebury";
  cases.push_back({"RubberWhale", middlebury / "other-data/RubberWhale/frame10.png",
                   middlebury / "other-data/RubberWhale/frame11.png",
                   middlebury / "other-gt-flow/RubberWhale/flow10.flo", 0.32});
  const fs::path chairs = data() / "flow_flyingchairs";
  cases.push_back({"chairs", chairs / "00001_img1.ppm", chairs / "00001_img2.ppm",
                   chairs / "00001_flow.flo", 1.13});
  for (const Case& c : cases) {
    if (!fs::exists(c.truth)) GTEST_SKIP() << c.truth << " is absent";
    const cv::Mat truth = true_flow(c.truth);
    const cv::Mat flow =
        network().flow(network().features(picture(c.a)), network().features(picture(c.b)), 20);
    double sum = 0, count = 0;
    for (int y = 0; y < flow.rows; ++y) {
      for (int x = 0; x < flow.cols; ++x) {
        const auto t = truth.at<cv::Vec2f>(y, x);
        if (!(std::abs(t[0]) < 1e9F && std::abs(t[1]) < 1e9F)) continue;
        sum += cv::norm(flow.at<cv::Vec2f>(y, x) - t);
        ++count;
      }
    }
    std::cout << c.name << ": EPE " << sum / count << " px, published code " << c.expected << "\n";
    EXPECT_LT(sum / count, 1.02 * c.expected + 0.005) << c.name;  // given to two decimals
  }
}

TEST(RaftSmall, TakesAnySizeOfPicture) {
  NEEDS_WEIGHTS();
  for (const cv::Size size : {cv::Size(1, 1), {17, 3}, {40, 64}}) {
    cv::Mat rgb(size, CV_8UC3);
    cv::randu(rgb, 0, 255);
    const auto features = network().features(rgb);
    const cv::Mat flow = network().flow(features, features, 2);
    EXPECT_EQ(flow.size(), size);
    EXPECT_TRUE(cv::checkRange(flow));
  }
}

TEST(RaftSmall, SaysWhichWeightsItCannotUse) {
  const momap::TemporaryFolder folder("momap-raft");
  const fs::path path = folder.path() / "other.npz";
  momap::testing::write_zip(
      path,
      {{"encoder.weight.npy",
        momap::testing::npy_file("<f4", {2}, momap::testing::bytes_of(std::vector<float>(2)))}});
  try {
    const momap::RaftSmall raft(path);
    FAIL() << "accepted";
  } catch (const momap::ConfigError& e) {
    EXPECT_NE(std::string(e.what()).find("'cnet.conv1.bias' is missing"), std::string::npos)
        << e.what();
  }
}

}  // namespace
