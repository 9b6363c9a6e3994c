// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>
#include <torch/csrc/jit/api/module.h>

#include <fstream>

#include "../partial_clips.h"

namespace {

using momap::testing::context;
using momap::testing::plain;

class TorchScriptInpaint : public ::testing::Test {
 protected:
  // A network whose forward(self, <arguments>) has this body.
  std::string network(const std::string& arguments, const std::string& body) {
    torch::jit::Module module("network");
    module.define("def forward(self, " + arguments + "):\n    " + body + "\n");
    const std::string path = (folder_.path() / "network.pt").string();
    module.save(path);
    return path;
  }

  // Grey 100 with a hole of 6 x 5 in 13 x 10 px; what fills it.
  static at::Tensor filling(const std::string& path, const std::string& more = "") {
    momap::PartialClip partial = plain(1, 13, 10, 100);
    partial.covered.slice(1, 3, 9).slice(2, 2, 7).fill_(false);
    const auto completer = momap::testing::make_plugin<momap::Completer>(
        "completion/torchscript_inpaint", "{model: '" + path + "'" + more + "}");
    const at::Tensor frames = completer->complete(partial, context()).frames;
    const at::Tensor covered = partial.covered.unsqueeze(-1).expand_as(frames);
    EXPECT_TRUE((frames.masked_select(covered) == 100).all().item<bool>());
    return frames.slice(1, 3, 9).slice(2, 2, 7);
  }

  template <class Error>
  std::string refusal(const std::string& path, const std::string& more = "") {
    try {
      filling(path, more);
    } catch (const Error& e) {
      return e.what();
    }
    return "nothing";
  }

  momap::TemporaryFolder folder_{"momap-inpaint"};
};

TEST_F(TorchScriptInpaint, FillsHolesWithWhatTheNetworkGives) {
  const std::string path = network("image, mask", "return image * 0.0 + mask * 0.8");
  EXPECT_TRUE((filling(path) == 204).all().item<bool>());
  EXPECT_TRUE((filling(path, ", mask_is_known: true") == 0).all().item<bool>());
  EXPECT_TRUE((filling(path, ", range: -1..1") == 230).all().item<bool>());  // 255 * 1.8 / 2
  EXPECT_TRUE((filling(path, ", range: 0..255") == 1).all().item<bool>());
}

TEST_F(TorchScriptInpaint, ShowsHolesAsAsked) {
  const std::string path = network("image, mask", "return image + 0.1");
  EXPECT_TRUE((filling(path) == 26).all().item<bool>());
  EXPECT_TRUE((filling(path, ", holes: grey") == 153).all().item<bool>());
  EXPECT_TRUE((filling(path, ", holes: background") == 126).all().item<bool>());
}

TEST_F(TorchScriptInpaint, StacksAsAsked) {
  const std::string last = network("x", "return x[:, 3:].repeat(1, 3, 1, 1) * 0.6");
  EXPECT_TRUE((filling(last, ", inputs: image_mask_stacked") == 153).all().item<bool>());
  const std::string first = network("x", "return x[:, :1].repeat(1, 3, 1, 1) * 0.6");
  EXPECT_TRUE((filling(first, ", inputs: mask_image_stacked") == 153).all().item<bool>());
}

TEST_F(TorchScriptInpaint, RoundsSidesUp) {
  const std::string path =
      network("image, mask", "return image * 0.0 + (image.size(2) + image.size(3)) / 255.0");
  EXPECT_TRUE((filling(path, ", multiple: 1") == 23).all().item<bool>());
  EXPECT_TRUE((filling(path, ", multiple: 8") == 32).all().item<bool>());
}

TEST_F(TorchScriptInpaint, SaysWhatIsWrongWithAModel) {
  const std::string text = (folder_.path() / "text.pt").string();
  std::ofstream(text) << "no model";
  EXPECT_NE(refusal<momap::ConfigError>(text).find("cannot be read as TorchScript"),
            std::string::npos);
  const std::string one = network("image", "return image");
  EXPECT_NE(refusal<momap::ConfigError>(one).find("check inputs"), std::string::npos);
  const std::string small = network("image, mask", "return image[:, :, :4]");
  EXPECT_NE(refusal<momap::ConfigError>(small).find("expected f32"), std::string::npos);
  const std::string nan = network("image, mask", "return image / (image * 0.0)");
  EXPECT_NE(refusal<momap::DataError>(nan).find("not finite"), std::string::npos);
}

}  // namespace
