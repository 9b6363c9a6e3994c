// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/random.h>
#include <momap/data/tensor_file.h>
#include <momap/train/denoising.h>
#include <momap/train/trainer.h>
#include <tbb/global_control.h>

#include <atomic>
#include <map>
#include <mutex>

#include "plugin_fixture.h"

namespace momap {
namespace {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

struct Options : TrainOptions, DenoisingOptions {};

TrainResult train(const Backbone& backbone, const TrainingSet& set, const Options& options,
                  uint64_t seed, const TrainFiles& files, const TrainCallbacks& callbacks = {}) {
  return train(DenoisingLesson(backbone, set, options), options, seed, files, callbacks);
}

at::Tensor normal(std::vector<int64_t> shape, uint64_t seed) {
  at::Tensor out = at::empty(shape, at::kFloat);
  Random(seed).fill_normal({out.data_ptr<float>(), static_cast<size_t>(out.numel())});
  return out;
}

// Predicts a linear function of each cell: weight x + bias. Remembers what it was shown.
class LinearBackbone final : public Backbone {
 public:
  explicit LinearBackbone(Prediction prediction = Prediction::v) : prediction_(prediction) {}

  BackboneSpec spec() const override { return {prediction_, 2, {}, 1, at::ones({2})}; }
  Conditioning prepare(const Condition&) const override { return {}; }
  at::Tensor predict(const at::Tensor& noisy, const at::Tensor&,
                     const Conditioning& given) const override {
    const std::lock_guard lock(mutex_);
    texts += given.tokens.ne(0).any(1).sum().item<int64_t>();
    images += given.spatial.ne(0).flatten(1).any(1).sum().item<int64_t>();
    rows += noisy.size(0);
    return at::conv2d(noisy, weight, bias);
  }
  NamedTensors parameters() const override { return {{"weight", weight}, {"bias", bias}}; }
  void save(const std::filesystem::path& path, const NamedTensors& parameters,
            const std::string& card) const override {
    TensorFile file;
    for (const auto& [name, tensor] : parameters) file.tensors[name] = tensor.detach().clone();
    file.metadata["card"] = card;
    write_safetensors(path, file);
  }

  at::Tensor weight = at::zeros({2, 2, 1, 1});
  at::Tensor bias = at::zeros({2});
  mutable std::atomic<int64_t> texts{0}, images{0}, rows{0};

 private:
  mutable std::mutex mutex_;
  Prediction prediction_;
};

class Examples final : public TrainingSet {
 public:
  explicit Examples(std::vector<TrainingItem> items) : items_(std::move(items)) {}
  int64_t size() const override { return static_cast<int64_t>(items_.size()); }
  TrainingItem item(int64_t i) const override {
    const std::lock_guard lock(mutex_);
    ++shown[i];
    return items_[i];
  }
  mutable std::map<int64_t, int> shown;

 private:
  mutable std::mutex mutex_;
  std::vector<TrainingItem> items_;
};

Examples random_examples(int64_t count, int64_t channels = 2, int64_t condition_channels = 8) {
  std::vector<TrainingItem> items;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t w = 6 + i % 2;  // two sizes
    at::Tensor tokens = at::zeros({1, 16}, at::kLong);
    tokens[0][0] = 1 + i;
    items.push_back({normal({channels, 5, w}, i),
                     {},
                     {normal({1, condition_channels, 5, w}, 100 + i), tokens}});
  }
  return Examples(std::move(items));
}

std::shared_ptr<Backbone> small_unet() {
  auto backbone = std::static_pointer_cast<Backbone>(testing::make_stage(
      UNET_LIBRARY, "backbone/unet",
      "{width: 8, levels: 2, blocks: 1, text_width: 8, seed: 1, storage: f32}"));
  backbone->begin_training({"encoding/dct", 1, "words", 8, 0, 0}, 1, at::ones({2}));
  return backbone;
}

NamedTensors copy_of(const NamedTensors& parameters) {
  NamedTensors out;
  for (const auto& [name, tensor] : parameters) out.emplace_back(name, tensor.clone());
  return out;
}

void expect_same_bits(const NamedTensors& a, const NamedTensors& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(at::equal(a[i].second, b[i].second)) << a[i].first;
}

class Trainer : public ::testing::Test {
 protected:
  TrainFiles files(const std::string& name) const {
    return {folder_.path() / (name + ".safetensors"), folder_.path() / (name + ".state"), "card"};
  }
  Options options() const {
    Options o;
    o.steps = 20;
    o.batch = 4;
    o.micro_batch = 1;
    o.warmup = 5;
    o.save_every = 4;
    o.report_every = 1;
    return o;
  }
  TemporaryFolder folder_;
};

TEST_F(Trainer, WeightsAreTheSameForOneAndTwoThreads) {
  const Examples set = random_examples(6);
  const auto run = [&](size_t threads) {
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
    const auto backbone = small_unet();
    train(*backbone, set, options(), 3, files(std::to_string(threads)));
    return copy_of(backbone->parameters());
  };
  const NamedTensors one = run(1);
  expect_same_bits(one, run(2));
  EXPECT_GT(one.back().second.abs().max().item<double>(), 0) << "nothing was learned";
}

TEST_F(Trainer, AResumedRunEndsWithTheSameBits) {
  const Examples set = random_examples(6);
  const auto straight = small_unet();
  train(*straight, set, options(), 3, files("straight"));

  // Killed without warning after step 10, when steps 9 and 10 were not saved yet.
  struct Killed {};
  TrainCallbacks kill;
  kill.progress = [](const TrainProgress& now) {
    if (now.step == 10) throw Killed();
  };
  EXPECT_THROW(train(*small_unet(), set, options(), 3, files("killed"), kill), Killed);
  const auto resumed = small_unet();
  const TrainResult result = train(*resumed, set, options(), 3, files("killed"));
  EXPECT_EQ(result.resumed, 8);
  EXPECT_EQ(result.steps, 20);
  expect_same_bits(straight->parameters(), resumed->parameters());
  EXPECT_EQ(read_file(files("straight").checkpoint), read_file(files("killed").checkpoint));
}

TEST_F(Trainer, StoppingKeepsTheStepsDone) {
  const Examples set = random_examples(6);
  std::atomic<int64_t> step{0};
  const std::function<bool()> after_ten = [&] { return step == 10; };
  TrainCallbacks callbacks;
  callbacks.cancelled = &after_ten;
  callbacks.progress = [&](const TrainProgress& now) { step = now.step; };
  LinearBackbone stopped;
  EXPECT_THROW(train(stopped, set, options(), 3, files("stopped"), callbacks), Cancelled);
  LinearBackbone resumed;
  EXPECT_EQ(train(resumed, set, options(), 3, files("stopped")).resumed, 10);
  LinearBackbone straight;
  train(straight, set, options(), 3, files("straight"));
  expect_same_bits(straight.parameters(), resumed.parameters());
}

TEST_F(Trainer, TheStateOfAnotherRunIsRefused) {
  const Examples set = random_examples(6);
  LinearBackbone backbone;
  train(backbone, set, options(), 3, files("run"));
  Options other = options();
  other.learning_rate = 2e-3;
  EXPECT_THROW(train(backbone, set, other, 3, files("run")), ConfigError);
  EXPECT_THROW(train(backbone, set, options(), 4, files("run")), ConfigError);
  EXPECT_THROW(train(backbone, random_examples(5), options(), 3, files("run")), ConfigError);
  other = options();
  other.save_every = 7;  // does not change the result
  EXPECT_EQ(train(backbone, set, other, 3, files("run")).resumed, 20);
}

TEST_F(Trainer, ALossThatIsNotFiniteStopsAndKeepsTheLastGoodCheckpoint) {
  struct Poisoned final : TrainingSet {
    int64_t size() const override { return 4; }
    TrainingItem item(int64_t i) const override {
      TrainingItem item{
          normal({2, 3, 3}, i), {}, {at::ones({1, 1, 3, 3}), at::ones({1, 1}, at::kLong)}};
      if (++calls > 4 * 9) item.latent.fill_(NAN);  // from step 10 on
      return item;
    }
    mutable std::atomic<int> calls{0};
  };
  const Poisoned set;
  LinearBackbone backbone;
  std::string message;
  try {
    train(backbone, set, options(), 3, files("nan"));
  } catch (const ConfigError& error) {
    message = error.what();
  }
  EXPECT_NE(message.find("step 10"), std::string::npos) << message;
  EXPECT_NE(message.find("(step 8)"), std::string::npos) << message;
  EXPECT_TRUE(at::isfinite(backbone.weight).all().item<bool>());
  EXPECT_TRUE(at::isfinite(read_safetensors(files("nan").checkpoint).tensors.at("weight"))
                  .all()
                  .item<bool>());
}

TEST_F(Trainer, EveryExampleIsShownOnceAnEpoch) {
  const Examples set = random_examples(10);
  Options o = options();
  o.batch = 3;
  LinearBackbone backbone;
  train(backbone, set, o, 3, files("epochs"));  // 20 steps of 3 = 6 epochs of 10
  ASSERT_EQ(set.shown.size(), 10u);
  for (const auto& [item, times] : set.shown) EXPECT_EQ(times, 6) << item;
}

TEST_F(Trainer, ConditionsAreTakenAwayAsOftenAsAsked) {
  const Examples set = random_examples(8);
  Options o = options();
  o.steps = 250;
  o.save_every = 1000;
  o.drop_text = 0.3;
  o.drop_image = 0.1;
  LinearBackbone backbone;
  train(backbone, set, o, 3, files("drop"));
  ASSERT_EQ(backbone.rows, 1000);
  EXPECT_NEAR(static_cast<double>(backbone.texts), 700, 50);
  EXPECT_NEAR(static_cast<double>(backbone.images), 900, 35);
}

TEST_F(Trainer, CellsWithoutEvidenceTeachNothing) {
  const auto learn = [&](float garbage, const std::string& name) {
    std::vector<TrainingItem> items;
    for (int64_t i = 0; i < 4; ++i) {
      at::Tensor latent = normal({2, 4, 4}, i);
      at::Tensor valid = at::ones({4, 4});
      valid[1].zero_();
      latent.select(1, 1).fill_(garbage);
      items.push_back({latent, valid, {at::ones({1, 1, 4, 4}), at::ones({1, 1}, at::kLong)}});
    }
    LinearBackbone backbone;
    train(backbone, Examples(std::move(items)), options(), 3, files(name));
    return copy_of(backbone.parameters());
  };
  expect_same_bits(learn(0, "a"), learn(50, "b"));
}

TEST_F(Trainer, FirstStepOfAdamIsTheLearningRateAlongTheSign) {
  std::vector<TrainingItem> items{
      {at::full({2, 3, 3}, 2.f), {}, {at::ones({1, 1, 3, 3}), at::ones({1, 1}, at::kLong)}}};
  items[0].latent[1].fill_(-2);
  Options o = options();
  o.steps = 1;
  o.warmup = 0;
  o.learning_rate = 0.01;
  o.ema = 0;
  LinearBackbone backbone(Prediction::x0);
  train(backbone, Examples(std::move(items)), o, 3, files("adam"));
  EXPECT_NEAR(backbone.bias[0].item<double>(), 0.01, 1e-6);
  EXPECT_NEAR(backbone.bias[1].item<double>(), -0.01, 1e-6);
}

TEST_F(Trainer, FindsTheMeanOfTheData) {
  // The best constant answer to "what is the clean latent?" is its mean; the linear part finds the
  // rest.
  std::vector<TrainingItem> items;
  for (int64_t i = 0; i < 8; ++i) {
    items.push_back({normal({2, 8, 8}, i) * 0.1 + at::tensor({1.f, -0.5f}).view({2, 1, 1}),
                     {},
                     {at::ones({1, 1, 8, 8}), at::ones({1, 1}, at::kLong)}});
  }
  Options o = options();
  o.steps = 600;
  o.save_every = 1000;
  o.learning_rate = 0.02;
  o.ema = 0.9;
  o.clip = 100;
  LinearBackbone backbone(Prediction::x0);
  train(backbone, Examples(std::move(items)), o, 3, files("mean"));
  // Least squares by hand over t in [0, 1) of x0 on x = alpha x0 + sigma eps.
  const at::Tensor probe = at::conv2d(
      at::tensor({2 / M_PI, -1 / M_PI}).to(at::kFloat).view({1, 2, 1, 1}), backbone.weight,
      backbone.bias);  // at the mean of x
  EXPECT_NEAR(probe.flatten()[0].item<double>(), 1.0, 0.05);
  EXPECT_NEAR(probe.flatten()[1].item<double>(), -0.5, 0.05);
}

TEST_F(Trainer, ExamplesThatCannotBeUsedAreLeftOutAndNamed) {
  class OneBad final : public TrainingSet {
   public:
    explicit OneBad(const Examples& all) : all_(all) {}
    int64_t size() const override { return all_.size(); }
    TrainingItem item(int64_t i) const override {
      if (i == 2) throw DataError("sample two is broken");
      return all_.item(i);
    }

   private:
    const Examples& all_;
  };
  const Examples all = random_examples(4);
  const OneBad set(all);
  LinearBackbone unwarned;
  EXPECT_THROW(train(unwarned, set, options(), 3, files("unwarned")), DataError);

  std::mutex mutex;
  std::map<int64_t, std::string> skipped;
  std::vector<std::pair<int64_t, bool>> saved;
  TrainCallbacks callbacks;
  callbacks.skip = [&](int64_t item, const std::string& why) {
    const std::lock_guard lock(mutex);
    skipped[item] = why;
  };
  callbacks.saved = [&](int64_t step, bool last) { saved.emplace_back(step, last); };
  Options eight = options();
  eight.steps = 8;
  LinearBackbone warned;
  EXPECT_EQ(train(warned, set, eight, 3, files("warned"), callbacks).steps, 8);
  EXPECT_EQ(skipped, (std::map<int64_t, std::string>{{2, "sample two is broken"}}));
  EXPECT_EQ(saved, (std::vector<std::pair<int64_t, bool>>{{4, false}, {8, true}}));
  EXPECT_EQ(all.shown.count(2), 0u);
  EXPECT_GT(warned.weight.abs().max().item<double>(), 0);
}

TEST_F(Trainer, NothingToLearnIsSaid) {
  struct Fixed final : Backbone {
    BackboneSpec spec() const override { return {}; }
    Conditioning prepare(const Condition&) const override { return {}; }
    at::Tensor predict(const at::Tensor& x, const at::Tensor&, const Conditioning&) const override {
      return x;
    }
  };
  Fixed fixed;
  EXPECT_THROW(train(fixed, random_examples(2), options(), 1, files("x")), ConfigError);
  LinearBackbone backbone;
  EXPECT_THROW(train(backbone, Examples({}), options(), 1, files("x")), ConfigError);
}

}  // namespace
}  // namespace momap
