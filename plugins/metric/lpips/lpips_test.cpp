// SPDX-License-Identifier: Apache-2.0
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/random.h>
#include <npz_writer.h>
#include <shared_data.h>

#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::Clip;

std::filesystem::path models() { return momap::testing::shared_folder() / "data/models"; }

std::string squeezenet_1_0() {
  return (models() / "squeezenet/squeezenet_v1.0_decoded_f16.npz").string();
}

class Lpips : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(squeezenet_1_0())) {
      GTEST_SKIP() << "no weights at " << squeezenet_1_0();
    }
  }

  static Values score(const Clip& result, const Clip& reference) {
    return score_pair("metric/lpips", result, reference, "{network: " + squeezenet_1_0() + "}");
  }
  static std::string name(const char* region) {
    return "lpips_unweighted_squeezenet1_0_" + momap::file_hash(squeezenet_1_0()).substr(0, 8) +
           "_" + region;
  }
};

/// Two frames of a smooth pattern, with noise of this many levels on frame 1.
Clip pattern(double noise, int64_t height = 64, int64_t width = 80) {
  momap::Random random(9);
  Clip clip;
  clip.frames = at::zeros({2, height, width, 3}, at::kByte);
  for (int64_t i = 0; i < clip.frames.numel(); ++i) {
    const auto x = static_cast<double>(i / 3 % width),
               y = static_cast<double>(i / 3 / width % height);
    const double value =
        128 + 60 * std::sin(x / 6) + 50 * std::cos(y / 9) + noise * random.normal();
    clip.frames.data_ptr<uint8_t>()[i] = static_cast<uint8_t>(std::clamp(value, 0.0, 255.0));
  }
  return clip;
}

TEST_F(Lpips, IsZeroForEqualsAndGrowsWithDistortion) {
  const Clip clean = pattern(0);
  EXPECT_NEAR(score(clean, clean)[name("all")], 0, 1e-9);
  const double little = score(pattern(5), clean)[name("all")];
  const double much = score(pattern(40), clean)[name("all")];
  EXPECT_GT(little, 1e-3);
  EXPECT_GT(much, 2 * little);
  EXPECT_NEAR(score(clean, pattern(40))[name("all")], much, 1e-9);  // symmetric
}

TEST_F(Lpips, RegionsPartThePicture) {
  // Only the left half differs, and it alone is covered.
  const Clip clean = pattern(0);
  Clip half = pattern(40);
  half.frames = half.frames.clone();
  half.frames.slice(2, 40).copy_(clean.frames.slice(2, 40));
  half.covered = at::zeros({2, 64, 80}, at::kBool);
  half.covered->slice(2, 0, 40).fill_(true);
  const Values values = score(half, clean);
  EXPECT_GT(values[name("covered")], 3 * values[name("disoccluded")]);
  // Cells count by their area in the region, so halves average to the whole.
  EXPECT_NEAR((values[name("covered")] + values[name("disoccluded")]) / 2, values[name("all")],
              0.05 * values[name("all")]);
}

TEST_F(Lpips, SaysWhyAValueIsUndefined) {
  const Clip small = pattern(0, 34, 80);
  EXPECT_EQ(score(small, small).reason(name("all")),
            "frames are 80 x 34 px, less than the network's 35 x 35");
  Clip single = pattern(0);
  single.frames = single.frames.slice(0, 0, 1);
  EXPECT_FALSE(score(single, single).at(name("all")).value);
  const Clip clean = pattern(0);
  EXPECT_EQ(score(clean, clean).reason(name("covered")), "the result has no 'covered' mask");
}

TEST_F(Lpips, RefusesLinearLayersOfAnotherNetwork) {
  const auto linear = models() / "lpips_lin/lpips_v0.1_squeeze_lin.npz";
  if (!std::filesystem::exists(linear)) GTEST_SKIP() << "no weights at " << linear;
  try {
    momap::testing::make_plugin<momap::Metric>(
        "metric/lpips", "{network: " + squeezenet_1_0() + ", linear: " + linear.string() + "}");
    FAIL();
  } catch (const momap::ConfigError& error) {
    EXPECT_NE(std::string(error.what())
                  .find("'lin0.model.1.weight' has 64 weights but squeezenet1_0 has 96 channels"),
              std::string::npos)
        << error.what();
  }
}

/// A network of version 1.1 that sees two things: how red a pixel is, and the number 1.
class RedNetwork {
 public:
  RedNetwork() {
    // The first convolution: the red of the middle pixel, and a constant.
    std::vector<float> first(2 * 3 * 3 * 3);
    first[4] = 1;
    add("features.0", {2, 3, 3, 3}, first, {0, 1});
    for (const int index : {3, 4, 6, 7, 9, 10, 11, 12}) {  // fire modules that give 1 everywhere
      const std::string at = "features." + std::to_string(index) + ".";
      add(at + "squeeze", {1, 2, 1, 1}, {0, 0}, {1});
      add(at + "expand1x1", {1, 1, 1, 1}, {0}, {1});
      add(at + "expand3x3", {1, 1, 3, 3}, std::vector<float>(9), {1});
    }
    momap::testing::write_zip(network(), members_);
    members_.clear();
    for (int layer = 0; layer < 7; ++layer) {
      array("lin" + std::to_string(layer) + ".model.1.weight", {1, 2, 1, 1}, {2, 5});
    }
    momap::testing::write_zip(linear(), members_);
  }

  std::string network() const { return (folder_.path() / "network.npz").string(); }
  std::string linear() const { return (folder_.path() / "linear.npz").string(); }

 private:
  void array(const std::string& name, const std::vector<int64_t>& shape,
             const std::vector<float>& values) {
    members_[name + ".npy"] =
        momap::testing::npy_file("<f4", shape, momap::testing::bytes_of(values));
  }
  void add(const std::string& name, const std::vector<int64_t>& shape,
           const std::vector<float>& weight, const std::vector<float>& bias) {
    array(name + ".weight", shape, weight);
    array(name + ".bias", {static_cast<int64_t>(bias.size())}, bias);
  }

  momap::TemporaryFolder folder_;
  std::map<std::string, std::string> members_;
};

TEST(LpipsOfAHandMadeNetwork, EqualsHandWorkedValues) {
  // Levels 200 and 255 become r = (level / 127.5 - 1 + 0.030) / 0.458. At each place the features
  // are (r, 1), taken to length 1, and differ in the first layer alone; its channels weigh 2 and 5.
  const RedNetwork files;
  Clip result, reference;
  result.frames = at::full({2, 40, 50, 3}, 200, at::kByte);
  reference.frames = at::full({2, 40, 50, 3}, 255, at::kByte);
  const auto features = [](double level) {
    const double r = (level / 127.5 - 1 + 0.030) / 0.458, length = std::hypot(r, 1);
    return std::pair(r / length, 1 / length);
  };
  const auto [r1, one1] = features(200);
  const auto [r2, one2] = features(255);
  const double expected = 2 * (r1 - r2) * (r1 - r2) + 5 * (one1 - one2) * (one1 - one2);
  const Values values =
      score_pair("metric/lpips", result, reference,
                 "{network: " + files.network() + ", linear: " + files.linear() + "}");
  const std::string hash =
      momap::content_hash(momap::file_hash(files.network()) + momap::file_hash(files.linear()));
  EXPECT_NEAR(values["lpips_squeezenet1_1_" + hash.substr(0, 8) + "_all"], expected, 1e-6);
}

TEST(LpipsOfAHandMadeNetwork, RefusesFilesThatAreNoSqueezeNet) {
  const RedNetwork files;
  EXPECT_THROW(momap::testing::make_plugin<momap::Metric>("metric/lpips",
                                                          "{network: " + files.linear() + "}"),
               momap::ConfigError);
}

}  // namespace
