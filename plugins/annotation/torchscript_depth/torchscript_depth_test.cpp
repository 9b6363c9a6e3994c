// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/stage/annotator.h>
#include <torch/csrc/jit/api/module.h>

#include <fstream>
#include <string>

#include "plugin_fixture.h"
#include "scenes.h"

namespace {

class TorchScriptDepthTest : public ::testing::Test {
 protected:
  // Writes a network whose forward(self, x) has this body.
  std::string network(const std::string& body) {
    torch::jit::Module module("network");
    module.define("def forward(self, x):\n    " + body + "\n");
    const std::string path = (folder_.path() / "network.pt").string();
    module.save(path);
    return path;
  }

  static momap::Clip annotated(const std::string& path, const std::string& more = "") {
    const auto plugin = momap::testing::make_plugin<momap::Annotator>(
        "annotation/torchscript_depth",
        "{model: " + path + ", mean: [0, 0, 0], deviation: [1, 1, 1], align: none" + more + "}");
    return plugin->annotate(momap::testing::moving_square({.frames = 3, .height = 64, .width = 96}),
                            momap::testing::context());
  }

  template <class Error>
  static std::string refusal(const std::string& path) {
    try {
      annotated(path);
    } catch (const Error& e) {
      return e.what();
    }
    return "nothing";
  }

  momap::TemporaryFolder folder_{"momap-torchscript"};
};

TEST_F(TorchScriptDepthTest, GivesWhatTheNetworkGives) {
  const momap::Clip clip = annotated(network("return x[:, :1] + 1.0"), ", scale: 2");
  const at::Tensor expected =
      2 * (clip.frames.select(3, 0).to(at::kFloat) / 255 + 1);  // red, sides multiples of 32
  EXPECT_LT((*clip.depth - expected).abs().max().item<double>(), 1e-5);
}

TEST_F(TorchScriptDepthTest, TakesTheFirstOfATupleOrList) {
  EXPECT_EQ(annotated(network("return (x[:, 0] * 0.0 + 3.0, x)")).depth->max().item<float>(), 3);
  EXPECT_EQ(annotated(network("return [x[:, 0] * 0.0 + 3.0, x]")).depth->max().item<float>(), 3);
}

TEST_F(TorchScriptDepthTest, SaysWhatIsWrongWithAModel) {
  const std::string text = (folder_.path() / "text.pt").string();
  std::ofstream(text) << "no model";
  EXPECT_NE(refusal<momap::ConfigError>(text).find("cannot be read as TorchScript"),
            std::string::npos);
  EXPECT_NE(refusal<momap::ConfigError>("/nowhere/x.pt").find("/nowhere/x.pt"), std::string::npos);
  EXPECT_NE(refusal<momap::ConfigError>(network("return x.view(-1, 7)")).find("fails on"),
            std::string::npos);
  EXPECT_NE(refusal<momap::ConfigError>(network("return 3")).find("expected a tensor"),
            std::string::npos);
  EXPECT_NE(refusal<momap::DataError>(network("return x")).find("one number a pixel"),
            std::string::npos);
}

}  // namespace
