// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>
#include <momap/train/completing.h>
#include <momap/train/trainer.h>
#include <plugin_fixture.h>
#include <tbb/global_control.h>
#include <torch/csrc/autograd/autograd.h>

#include <filesystem>

#include "../partial_clips.h"

namespace {

namespace fs = std::filesystem;
using momap::testing::context;
using momap::testing::noisy;
using momap::testing::plain;

std::shared_ptr<momap::Completer> fresh(
    const std::string& more = "width: 8, levels: 2, rounds: 0") {
  auto completer =
      momap::testing::make_plugin<momap::Completer>("completion/unet_inpaint", "{" + more + "}");
  completer->begin_training();
  return completer;
}

/// Stripes across, with a hole: what fills it is told by what lies left and right of it alone.
momap::HoleExample stripes(int64_t period, int64_t phase) {
  momap::PartialClip partial = plain(1, 64, 64, 0);
  for (int64_t y = 0; y < 64; ++y) {
    partial.frames[0][y].fill_((y + phase) / period % 2 == 0 ? 40 : 200);
  }
  momap::Clip truth;
  truth.frames = partial.frames.clone();
  partial.covered.slice(1, 24, 40).slice(2, 24, 40).fill_(false);
  partial.frames.masked_fill_(partial.covered.logical_not().unsqueeze(-1), 0);
  return {partial, truth};
}

class Stripes final : public momap::HoleSet {
 public:
  int64_t size() const override { return 40; }
  momap::HoleExample example(int64_t i) const override { return stripes(3 + i % 4, i); }
};

double error_in_holes(const momap::HoleExample& example, const at::Tensor& frames) {
  const at::Tensor holes = example.partial.covered.logical_not().unsqueeze(-1).expand_as(frames);
  return (frames.to(at::kFloat) - example.truth.frames.to(at::kFloat))
      .masked_select(holes)
      .square()
      .mean()
      .sqrt()
      .item<double>();
}

TEST(UNetInpaint, StartsFromWhatBackgroundFills) {
  const momap::HoleExample example = stripes(5, 0);
  const at::Tensor rough = fresh()->complete(example.partial, context()).frames;
  // The last layer begins with zeros.
  EXPECT_LT(error_in_holes(example, rough), 120);
  EXPECT_GT(error_in_holes(example, rough), 20);
}

TEST(UNetInpaint, LearnsWhatCannotBeSmeared) {
  const momap::TemporaryFolder folder;
  const auto completer = fresh("width: 8, levels: 3, crop_px: 64, rounds: 0");
  const momap::HoleExample unseen = stripes(7, 2);
  const double before =
      error_in_holes(unseen, completer->complete(unseen.partial, context()).frames);
  const Stripes set;
  momap::TrainOptions options;
  options.steps = 300;
  options.batch = 4;
  options.micro_batch = 2;
  options.learning_rate = 3e-3;
  options.warmup = 10;
  options.ema = 0.9;
  const fs::path file = folder.path() / "net.safetensors";
  momap::train(momap::CompletingLesson(*completer, set), options, 1,
               {file, folder.path() / "state", "card"});
  const at::Tensor after = completer->complete(unseen.partial, context()).frames;
  EXPECT_LT(error_in_holes(unseen, after), 0.85 * before);

  // From the file the same, but for its halves.
  const auto loaded = momap::testing::make_plugin<momap::Completer>(
      "completion/unet_inpaint", "{rounds: 0, weights: '" + file.string() + "'}");
  const at::Tensor again = loaded->complete(unseen.partial, context()).frames;
  EXPECT_LE((again.to(at::kInt) - after.to(at::kInt)).abs().max().item<int>(), 3);
}

TEST(UNetInpaint, KeepsCoveredPixelsBitForBit) {
  const auto completer = fresh();
  for (const auto& [height, width] : {std::pair{37, 53}, std::pair{64, 64}, std::pair{1, 9}}) {
    const momap::PartialClip partial = noisy(3, height, width);
    const momap::Clip clip = completer->complete(partial, context());
    const at::Tensor mask = partial.covered.unsqueeze(-1).expand_as(partial.frames);
    EXPECT_TRUE(at::equal(clip.frames.masked_select(mask), partial.frames.masked_select(mask)));
  }
}

TEST(UNetInpaint, LargePicturesAreFilledPartByPart) {
  momap::PartialClip partial = plain(1, 700, 1100, 90);
  partial.covered.slice(1, 500, 530).slice(2, 490, 540).fill_(false);  // over four parts
  partial.covered.slice(1, 10, 20).slice(2, 1090, 1100).fill_(false);
  partial.frames.masked_fill_(partial.covered.logical_not().unsqueeze(-1), 255);
  EXPECT_TRUE((fresh()->complete(partial, context()).frames == 90).all().item<bool>());
}

TEST(UNetInpaint, GivesTheSameBytesForAnyNumberOfThreads) {
  const auto completer = fresh();
  const momap::PartialClip partial = noisy(5, 61, 33);
  const at::Tensor many = completer->complete(partial, context()).frames;
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  EXPECT_TRUE(at::equal(many, completer->complete(partial, context()).frames));
}

TEST(UNetInpaint, TheLossDependsOnTheSeedAlone) {
  const auto completer = fresh("width: 8, levels: 2, crop_px: 32, rounds: 0");
  const momap::HoleExample example = stripes(5, 0);
  const auto loss = [&](uint64_t seed) {
    return completer->loss(example.partial, example.truth, seed).item<double>();
  };
  EXPECT_EQ(loss(1), loss(1));
  EXPECT_GT(loss(1), 0);
  bool differs = false;
  for (uint64_t seed = 2; seed < 6; ++seed) differs = differs || loss(seed) != loss(1);
  EXPECT_TRUE(differs);
}

TEST(UNetInpaint, GradientsEqualFiniteDifferences) {
  const auto completer = fresh("width: 8, levels: 2, crop_px: 32, rounds: 0");
  const momap::HoleExample example = stripes(5, 0);
  std::vector<at::Tensor> parameters;
  for (const auto& [name, tensor] : completer->parameters()) {
    // Away from the zeros that some begin with.
    tensor.add_(0.05 * at::sin(at::arange(tensor.numel(), at::kFloat).view(tensor.sizes())));
    parameters.push_back(tensor);
  }
  for (at::Tensor& tensor : parameters) tensor.set_requires_grad(true);
  const auto gradients =
      torch::autograd::grad({completer->loss(example.partial, example.truth, 7)}, parameters);
  for (at::Tensor& tensor : parameters) tensor.set_requires_grad(false);
  for (size_t i = 0; i < parameters.size(); ++i) {
    // Along the gradient itself.
    const double length = gradients[i].norm().item<double>();
    ASSERT_GT(length, 0) << completer->parameters()[i].first;
    const at::Tensor step = gradients[i] * (2e-3 / length);
    const auto loss_at = [&](double side) {
      parameters[i].add_(side * step);
      const double loss = completer->loss(example.partial, example.truth, 7).item<double>();
      parameters[i].sub_(side * step);
      return loss;
    };
    const double slope = (loss_at(1) - loss_at(-1)) / 4e-3;
    EXPECT_NEAR(slope, length, 0.05 * length + 1e-4) << completer->parameters()[i].first;
  }
}

TEST(UNetInpaint, SaysWhatIsWrong) {
  const auto without =
      momap::testing::make_plugin<momap::Completer>("completion/unet_inpaint", "{}");
  EXPECT_THROW(without->complete(plain(1, 8, 8, 3), context()), momap::ConfigError);
  const auto completer = fresh();
  momap::HoleExample example = stripes(5, 0);
  example.partial.covered.fill_(true);
  EXPECT_FALSE(completer->loss(example.partial, example.truth, 1).defined());
  example.truth.frames = example.truth.frames.slice(1, 0, 60);
  EXPECT_THROW(completer->loss(example.partial, example.truth, 1), momap::DataError);
  momap::PartialClip nothing = plain(1, 8, 8, 3);
  nothing.covered.fill_(false);
  EXPECT_THROW(completer->complete(nothing, context()), momap::DataError);
  EXPECT_THROW(fresh("width: 28"), momap::ConfigError);
  const momap::TemporaryFolder folder;
  momap::write_file(folder.path() / "x.safetensors", "garbage");
  EXPECT_THROW(momap::testing::make_plugin<momap::Completer>(
                   "completion/unet_inpaint",
                   "{weights: '" + (folder.path() / "x.safetensors").string() + "'}"),
               momap::ConfigError);
}

}  // namespace
