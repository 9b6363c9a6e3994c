// SPDX-License-Identifier: Apache-2.0
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <torch/csrc/jit/api/module.h>

#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::Clip;

/// A network that gives the mean of each channel.
class Network {
 public:
  explicit Network(const char* code = "def forward(self, x):\n  return x.mean([2, 3])\n") {
    torch::jit::Module module("mean");
    module.define(code);
    module.save(file());
  }
  std::string file() const { return (folder_.path() / "mean.pt").string(); }
  std::string name(const char* kind) const {
    return std::string(kind).append("_mean_").append(momap::file_hash(file()).substr(0, 8));
  }
  std::string params(const std::string& more = "") const {
    return "{network: " + file() + ", white: 255" + more + "}";
  }

 private:
  momap::TemporaryFolder folder_;
};

Clip levels(const std::vector<int>& grey) {
  Clip clip;
  clip.frames = at::zeros({static_cast<int64_t>(grey.size()), 4, 5, 3}, at::kByte);
  for (size_t t = 0; t < grey.size(); ++t) clip.frames[static_cast<int64_t>(t)].fill_(grey[t]);
  return clip;
}

momap::Score score(const Clip& result, const Clip& reference, const std::string& params) {
  const momap::Datum a = result, b = reference;
  return score_of("metric/frechet", {{"result", {&a}}, {"reference", {&b}}}, params);
}

TEST(Frechet, EqualsHandWorkedValues) {
  // Features of a frame: its grey level three times. Result 0, 2 (mean 1, deviation sqrt 2) and
  // reference 3, 11 (mean 7, deviation sqrt 32) in each of three channels that go together: the
  // Gaussians lie on one line, of sqrt(3) times the length: 3 (6^2 + (sqrt 32 - sqrt 2)^2) = 162.
  const Network network;
  const auto metric =
      momap::testing::make_plugin<momap::Metric>("metric/frechet", network.params());
  const auto pool = metric->pool();
  pool->add(score(levels({0}), levels({3}), network.params()));
  EXPECT_EQ(Values(pool->total()).reason(network.name("fid")),
            "two vectors of each set are needed at least");
  pool->add(score(levels({2}), levels({11}), network.params()));
  EXPECT_NEAR(Values(pool->total())[network.name("fid")], 162, 1e-6);
  EXPECT_EQ(Values(pool->total())[network.name("fid") + "_vectors"], 2);
}

TEST(Frechet, TakesFramesOrClipsAsTheNetworkWants) {
  const Network pictures;
  EXPECT_EQ(
      score(levels({1, 2, 3}), levels({4, 5, 6}), pictures.params()).features.at("result").sizes(),
      (std::vector<int64_t>{3, 3}));
  const Network video("def forward(self, x):\n  return x.mean([2, 3, 4])\n");
  const momap::Score clips =
      score(levels({1, 2, 3}), levels({4, 5, 6}), video.params(", input: clip"));
  EXPECT_TRUE(clips.features.at("reference").equal(at::full({1, 3}, 5.0f)));
  EXPECT_EQ(clips.values[0].name, video.name("fvd") + "_vectors_of_sample");
}

TEST(Frechet, ScalesAndResizesAsAsked) {
  const Network network("def forward(self, x):\n  return x.flatten(1)\n");
  const momap::Score score_of_two =
      score(levels({0, 255}), levels({0, 255}),
            "{network: " + network.file() + ", size: 2, black: -1, white: 3}");
  const at::Tensor features = score_of_two.features.at("result");
  ASSERT_EQ(features.sizes(), (std::vector<int64_t>{2, 12}));
  EXPECT_TRUE(at::allclose(features[0], at::full({12}, -1.0f)));
  EXPECT_TRUE(at::allclose(features[1], at::full({12}, 3.0f)));
}

TEST(Frechet, SaysWhatIsWrongWithTheNetwork) {
  const momap::TemporaryFolder folder;
  momap::write_file(folder.path() / "no.pt", "not a network");
  const auto made = [](const std::string& file) {
    return momap::testing::make_plugin<momap::Metric>("metric/frechet", "{network: " + file + "}");
  };
  EXPECT_THROW(made((folder.path() / "no.pt").string()), momap::ConfigError);
  EXPECT_THROW(made((folder.path() / "absent.pt").string()), momap::ConfigError);
  const Network wrong("def forward(self, x):\n  return x.mean()\n");
  EXPECT_THROW(score(levels({1}), levels({1}), wrong.params()), momap::DataError);
  const Network failing("def forward(self, x):\n  return x.reshape([7, 7])\n");
  EXPECT_THROW(score(levels({1}), levels({1}), failing.params()), momap::DataError);
}

}  // namespace
