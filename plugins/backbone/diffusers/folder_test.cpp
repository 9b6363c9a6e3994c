// SPDX-License-Identifier: Apache-2.0
#include "folder.h"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>

#include <fstream>

#include "golden_files.h"
#include "small_model.h"

namespace {

using diffusers::ConfigReader;
using diffusers::Weights;
using diffusers::testing::goldens;
using diffusers::testing::relative;
using diffusers::testing::tensors;
using nlohmann::json;
namespace fs = std::filesystem;

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const momap::ConfigError& error) {
    return error.what();
  }
  return "";
}

// A U-Net of two levels with random weights, written as a folder.
class SmallFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    config = diffusers::testing::small_unet_config();
    file = diffusers::testing::small_tensors<diffusers::UNet>(diffusers::read_unet_config, config);
    save();
  }
  void save() {
    std::ofstream(folder.path() / "config.json") << config;
    momap::write_safetensors(folder.path() / "diffusion_pytorch_model.safetensors", file);
  }
  at::Tensor output(const diffusers::UNet& unet) {
    const at::Tensor x = diffusers::testing::normal({1, 4, 5, 7}, 1);
    const at::Tensor text = x.flatten().narrow(0, 0, 18).reshape({1, 3, 6});
    return unet.forward(x, unet.sinusoid(x.flatten().narrow(0, 0, 1)), text);
  }

  momap::TemporaryFolder folder;
  json config;
  momap::TensorFile file;
};

TEST_F(SmallFolder, IsReadWithAllItsParameters) {
  const auto loaded = diffusers::load_unet(folder.path());
  EXPECT_EQ(loaded.parameters.size(), file.tensors.size());
  const at::Tensor out = output(loaded.network);
  EXPECT_EQ(out.sizes(), at::IntArrayRef({1, 4, 5, 7}));
  EXPECT_GT(out.abs().max().item<double>(), 0);
  EXPECT_TRUE(out.isfinite().all().item<bool>());
}

TEST_F(SmallFolder, EverythingWrongWithTheTensorsIsSaidAtOnce) {
  file.tensors.erase("conv_in.bias");
  file.tensors["conv_out.weight"] = at::empty({4, 8, 1, 1}, at::kFloat).zero_();
  file.tensors["time_embedding.linear_1.bias"].fill_(NAN);
  file.tensors["conv_norm_out.bias"] = at::empty({8}, at::kLong).zero_();
  file.tensors["surplus"] = at::empty({2}, at::kFloat).zero_();
  save();
  const std::string text = error_of([&] { diffusers::load_unet(folder.path()); });
  for (const char* part :
       {"'conv_in.bias' [8] is missing", "'conv_out.weight' is Float [4, 8, 1, 1]",
        "expected real [4, 8, 3, 3]", "'time_embedding.linear_1.bias' has values that are not",
        "'conv_norm_out.bias' is Long", "'surplus' [2] is not part"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST_F(SmallFolder, EverythingUnknownInTheConfigIsSaidAtOnce) {
  config["act_fn"] = "mish";
  config["class_embed_type"] = "timestep";
  config["norm_num_groups"] = 3;
  config["layers_per_block"] = "two";
  config["up_block_types"] = {"UpBlock2D"};
  save();
  const std::string text = error_of([&] { diffusers::load_unet(folder.path()); });
  for (const char* part :
       {"'act_fn' = \"mish\"", "'class_embed_type' = \"timestep\"", "'norm_num_groups' = 3",
        "'layers_per_block' = \"two\"", "'up_block_types' has 1 entries"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST_F(SmallFolder, HalfPrecisionFilesAreReadAsTheirRoundedValues) {
  const fs::path plain = folder.path() / "diffusion_pytorch_model.safetensors";
  for (auto& [name, tensor] : file.tensors) tensor = tensor.to(at::kHalf);
  momap::write_safetensors(folder.path() / "diffusion_pytorch_model.fp16.safetensors", file);
  fs::remove(plain);
  const at::Tensor half = output(diffusers::load_unet(folder.path()).network);
  EXPECT_EQ(half.scalar_type(), at::kFloat);
  for (auto& [name, tensor] : file.tensors) tensor = tensor.to(at::kFloat);
  momap::write_safetensors(plain, file);
  EXPECT_TRUE(half.equal(output(diffusers::load_unet(folder.path()).network)));
}

TEST_F(SmallFolder, ShardsAreReadTogetherAndTheirIndexIsChecked) {
  const at::Tensor expected = output(diffusers::load_unet(folder.path()).network);
  fs::remove(folder.path() / "diffusion_pytorch_model.safetensors");
  momap::TensorFile shards[2];
  json index = {{"weight_map", json::object()}};
  int i = 0;
  for (const auto& [name, tensor] : file.tensors) {
    shards[i % 2].tensors[name] = tensor;
    index["weight_map"][name] = i++ % 2 == 0 ? "a.safetensors" : "b.safetensors";
  }
  momap::write_safetensors(folder.path() / "a.safetensors", shards[0]);
  momap::write_safetensors(folder.path() / "b.safetensors", shards[1]);
  const auto path = folder.path() / "diffusion_pytorch_model.safetensors.index.json";
  std::ofstream(path) << index;
  EXPECT_TRUE(expected.equal(output(diffusers::load_unet(folder.path()).network)));

  json wrong = index;
  wrong["weight_map"]["conv_in.bias"] =
      index["weight_map"]["conv_in.bias"] == "a.safetensors" ? "b.safetensors" : "a.safetensors";
  wrong["weight_map"]["surplus"] = "a.safetensors";
  std::ofstream(path) << wrong;
  std::string text = error_of([&] { diffusers::load_unet(folder.path()); });
  EXPECT_NE(text.find("does not list there"), std::string::npos) << text;
  EXPECT_NE(text.find("does not hold tensor 'surplus'"), std::string::npos) << text;
  wrong["weight_map"]["conv_in.bias"] = "../outside.safetensors";
  std::ofstream(path) << wrong;
  text = error_of([&] { diffusers::load_unet(folder.path()); });
  EXPECT_NE(text.find("'../outside.safetensors'"), std::string::npos) << text;
}

TEST_F(SmallFolder, WithoutWeightsItSaysWhatIsExpected) {
  fs::remove(folder.path() / "diffusion_pytorch_model.safetensors");
  std::ofstream(folder.path() / "diffusion_pytorch_model.bin") << "pickle";
  const std::string text = error_of([&] { diffusers::load_unet(folder.path()); });
  EXPECT_NE(text.find("must be saved as safetensors"), std::string::npos) << text;
}

TEST_F(SmallFolder, SchedulerConfigsGiveScheduleAndPrediction) {
  const auto write = [&](const char* text) {
    std::ofstream(folder.path() / "scheduler_config.json") << text;
  };
  write(R"({"beta_start": 0.1, "beta_end": 0.5, "beta_schedule": "linear", "num_train_timesteps": 3,
           "prediction_type": "v_prediction", "lambda_min_clipped": -Infinity})");
  const auto training = diffusers::read_scheduler(folder.path());
  EXPECT_EQ(training.prediction, momap::Prediction::v);
  ASSERT_EQ(training.schedule.timesteps(), 3);
  EXPECT_NEAR(training.schedule.signal_power()[2], 0.9 * 0.7 * 0.5, 1e-15);
  write(R"({"beta_schedule": "sigmoid", "prediction_type": "score"})");
  const std::string text = error_of([&] { diffusers::read_scheduler(folder.path()); });
  EXPECT_NE(text.find("sigmoid"), std::string::npos) << text;
  EXPECT_NE(text.find("score"), std::string::npos) << text;
}

// --- against the reference

template <class Config, class Network>
void expect_shapes(const std::string& name, Config (*read)(ConfigReader)) {
  const fs::path folder = goldens() / "shapes";
  const json expected = diffusers::read_json(folder / (name + "_shapes.json"));
  Weights weights = Weights::shapes_only();
  const Network network(read(ConfigReader(folder / (name + "_config.json"))), weights);
  EXPECT_EQ(weights.shapes().size(), expected.at("tensor_count").get<size_t>()) << name;
  int64_t count = 0;
  for (const auto& [tensor, shape] : weights.shapes()) {
    EXPECT_EQ(shape, expected.at("tensors").value(tensor, std::vector<int64_t>{})) << tensor;
    int64_t elements = 1;
    for (const int64_t size : shape) elements *= size;
    count += elements;
  }
  EXPECT_EQ(count, expected.at("parameter_count").get<int64_t>()) << name;
}

TEST(Reference, FullSizeNetworksHaveItsNamesAndShapes) {
  SKIP_WITHOUT_GOLDENS();
  for (const char* name : {"sd15_unet", "sd21_unet", "bench_unet2d_24ch"}) {
    expect_shapes<diffusers::UNetConfig, diffusers::UNet>(name, diffusers::read_unet_config);
  }
  expect_shapes<diffusers::VaeConfig, diffusers::Vae>("sd15_vae", diffusers::read_vae_config);
  for (const char* name : {"sd15_text_encoder", "sd21_text_encoder"}) {
    expect_shapes<diffusers::ClipTextConfig, diffusers::ClipText>(name,
                                                                  diffusers::read_clip_text_config);
  }
}

void expect_same(const diffusers::NamedTensors& a, const diffusers::NamedTensors& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].first, b[i].first);
    EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
  }
}

TEST(Reference, OldAttentionNamesAndShardsGiveTheSameNetwork) {
  SKIP_WITHOUT_GOLDENS();
  const fs::path loader = goldens() / "loader";
  expect_same(diffusers::load_unet(loader / "unet_sharded").parameters,
              diffusers::load_unet(goldens() / "unet_sd2_3level").parameters);
  int matched = 0;
  for (const char* name : {"vae_3level", "vae_2level_6ch"}) {
    const auto now = diffusers::load_vae(goldens() / name).parameters;
    const auto then = diffusers::load_vae(loader / "vae_legacy_attention_names").parameters;
    if (now.size() != then.size() || now[0].second.sizes() != then[0].second.sizes()) continue;
    expect_same(now, then);
    ++matched;
  }
  for (const char* name : {"unet2d_24ch", "unet2d_ddpm_style"}) {
    const auto now = diffusers::load_unet(goldens() / name).parameters;
    const auto then = diffusers::load_unet(loader / "unet2d_legacy_attention_names").parameters;
    if (now.size() != then.size() || now[0].second.sizes() != then[0].second.sizes()) continue;
    expect_same(now, then);
    ++matched;
  }
  EXPECT_EQ(matched, 2);
}

TEST(Reference, HalfPrecisionFilesGiveItsOutputs) {
  SKIP_WITHOUT_GOLDENS();
  const fs::path vae_folder = goldens() / "loader/vae_fp16";
  auto in = tensors(vae_folder / "case0_inputs.safetensors");
  auto expected = tensors(vae_folder / "case0_outputs_f64.safetensors");
  const auto vae = diffusers::load_vae(vae_folder).network;
  EXPECT_LE(relative(vae.decode(in.at("latent_in")), expected.at("decoded_given_latent")), 1e-5);

  const fs::path unet_folder = goldens() / "loader/unet2d_bf16";
  in = tensors(unet_folder / "case0_inputs.safetensors");
  expected = tensors(unet_folder / "case0_outputs_f64.safetensors");
  const auto unet = diffusers::load_unet(unet_folder).network;
  const at::Tensor sample = in.at("sample");
  const at::Tensor time = in.at("timestep").to(at::kFloat).reshape({-1}).expand({sample.size(0)});
  EXPECT_LE(relative(unet.forward(sample, unet.sinusoid(time), {}), expected.at("sample")), 1e-5);
}

TEST(Reference, RefusesTheFilesItsReaderRefuses) {
  SKIP_WITHOUT_GOLDENS();
  const fs::path bad = goldens() / "loader/bad";
  const json verdicts = diffusers::read_json(bad / "reference_verdicts.json").at("verdicts");
  ASSERT_EQ(verdicts.size(), 13u);
  const momap::TemporaryFolder folder;
  for (const auto& [name, verdict] : verdicts.items()) {
    fs::copy_file(bad / name, folder.path() / "model.safetensors",
                  fs::copy_options::overwrite_existing);
    const std::string text = error_of([&] { diffusers::read_tensors(folder.path(), "model"); });
    EXPECT_EQ(text.empty(), verdict == "accepted") << name << ": " << text;
  }
}

}  // namespace
