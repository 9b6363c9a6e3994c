// SPDX-License-Identifier: Apache-2.0
#include "adapted.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>

#include "small_model.h"

namespace {

using diffusers::testing::normal;
namespace fs = std::filesystem;

class AdaptedUNet : public ::testing::Test {
 protected:
  void SetUp() override { diffusers::testing::write_small_model(folder.path()); }

  // What a network says of a latent at timestep 3, with some text.
  static at::Tensor answer(const diffusers::UNet& unet, const at::Tensor& x) {
    return unet.forward(x, unet.sinusoid(at::tensor({3.f})), normal({1, 4, 6}, 8));
  }
  static sd_unet::Adapted trained(const fs::path& unet_folder) {
    sd_unet::Adapted out = sd_unet::adapt(unet_folder, 14, 6);
    out.spec.channels = 6;
    out.spec.stride = 3;
    out.spec.latent = {"encoding/dct", 2, "its \"words\"", 24, 0, 0};
    out.spec.scale = at::tensor({0.1f, 2.f, 3.25f, 1e-7f, 5.f, 6.f});
    return out;
  }

  momap::TemporaryFolder folder;
};

TEST(Widening, KernelsAreSharedOutByHand) {
  // 2 inputs to 5: input 0 thrice, input 1 twice.
  const at::Tensor kernels = at::tensor({6.f, 10.f}).view({1, 2, 1, 1});
  EXPECT_TRUE(
      sd_unet::widened_inputs(kernels, 5).flatten().equal(at::tensor({2.f, 5.f, 2.f, 5.f, 2.f})));
  EXPECT_TRUE(sd_unet::widened_inputs(kernels, 1).flatten().equal(at::tensor({6.f})));
  EXPECT_TRUE(sd_unet::widened_outputs(at::tensor({1.f, 2.f, 3.f}), 5)
                  .equal(at::tensor({1.f, 2.f, 3.f, 1.f, 2.f})));
}

TEST_F(AdaptedUNet, KeepsTheOriginalFunctionOnRepeatedInputs) {
  const auto original = diffusers::load_unet(folder.path() / "unet").network;
  const auto adapted = sd_unet::adapt(folder.path() / "unet", 14, 6).unet.network;
  const at::Tensor x = normal({1, 4, 6, 5}, 3);
  const at::Tensor repeated = at::index_select(x, 1, at::arange(14).remainder(4));
  const at::Tensor expected = at::index_select(answer(original, x), 1, at::arange(6).remainder(4));
  EXPECT_TRUE(answer(adapted, repeated).allclose(expected, 1e-4, 1e-5));
}

TEST_F(AdaptedUNet, ComesBackFromItsFile) {
  const auto before = trained(folder.path() / "unet");
  const fs::path file = folder.path() / "model.safetensors";
  sd_unet::save_adapted(file, before, before.unet.parameters, "f32", "a card");
  const auto after = sd_unet::load_adapted(file);
  EXPECT_EQ(after.spec.channels, 6);
  EXPECT_EQ(after.spec.stride, 3);
  EXPECT_EQ(after.spec.latent, before.spec.latent);
  EXPECT_TRUE(after.spec.scale.equal(before.spec.scale));
  const at::Tensor x = normal({1, 14, 6, 5}, 3);
  EXPECT_TRUE(answer(after.unet.network, x).equal(answer(before.unet.network, x)));
}

// What `momap train` writes is a U-Net that a diffusers folder can hold.
TEST_F(AdaptedUNet, IsWrittenInTheDiffusersLayout) {
  const auto before = trained(folder.path() / "unet");
  sd_unet::save_adapted(folder.path() / "model.safetensors", before, before.unet.parameters, "f16",
                        "");
  const fs::path copy = folder.path() / "copy";
  fs::create_directories(copy);
  fs::copy_file(folder.path() / "model.safetensors", copy / "diffusion_pytorch_model.safetensors");
  fs::copy_file(folder.path() / "model.config.json", copy / "config.json");
  const auto loaded = diffusers::load_unet(copy);
  EXPECT_EQ(loaded.network.config().in_channels, 14);
  EXPECT_EQ(loaded.network.config().out_channels, 6);
  EXPECT_EQ(loaded.parameters.size(), before.unet.parameters.size());
}

TEST_F(AdaptedUNet, AFileOfSomethingElseIsAConfigError) {
  const fs::path file = folder.path() / "unet/diffusion_pytorch_model.safetensors";
  EXPECT_THROW(sd_unet::load_adapted(file), momap::ConfigError);
  const auto before = trained(folder.path() / "unet");
  const fs::path saved = folder.path() / "model.safetensors";
  sd_unet::save_adapted(saved, before, before.unet.parameters, "f32", "");
  for (const auto& [key, value] :
       {std::pair{"config", "[]"}, {"momap.latent", "{"}, {"momap.latent", "{\"scale\": [1]}"}}) {
    momap::TensorFile content = momap::read_safetensors(saved);
    content.metadata[key] = value;
    for (auto& [name, tensor] : content.tensors) tensor = tensor.clone();
    momap::write_safetensors(folder.path() / "bad.safetensors", content);
    EXPECT_THROW(sd_unet::load_adapted(folder.path() / "bad.safetensors"), momap::ConfigError)
        << key;
  }
}

}  // namespace
