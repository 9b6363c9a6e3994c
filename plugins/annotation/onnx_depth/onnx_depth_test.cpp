// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/stage/annotator.h>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "plugin_fixture.h"
#include "scenes.h"

namespace {

// A message of protocol buffers, as far as an ONNX file needs it.
class Message {
 public:
  Message& number(int field, uint64_t value) {
    varint(static_cast<uint64_t>(field) << 3);
    varint(value);
    return *this;
  }
  Message& text(int field, const std::string& value) {
    varint(static_cast<uint64_t>(field) << 3 | 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  Message& child(int field, const Message& message) { return text(field, message.bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(uint64_t value) {
    for (; value >= 128; value >>= 7) bytes_ += static_cast<char>((value & 127) | 128);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

Message picture(const std::string& name, const std::vector<int64_t>& shape) {
  Message dims;
  for (const int64_t size : shape) {
    dims.child(1, Message().number(1, static_cast<uint64_t>(size)));
  }
  return Message().text(1, name).child(2,
                                       Message().child(1, Message().number(1, 1).child(2, dims)));
}

// y = conv 1x1 of x with these three weights.
std::string weighted_sum(const std::vector<float>& weights, int64_t height, int64_t width) {
  std::string raw(sizeof(float) * weights.size(), '\0');
  std::memcpy(raw.data(), weights.data(), raw.size());
  Message tensor;
  for (const uint64_t size : {1, 3, 1, 1}) tensor.number(1, size);
  tensor.number(2, 1).text(8, "w").text(9, raw);
  Message kernel;
  kernel.text(1, "kernel_shape").number(8, 1).number(8, 1).number(20, 7);
  Message node;
  node.text(1, "x").text(1, "w").text(2, "y").text(3, "n").text(4, "Conv").child(5, kernel);
  const Message graph = Message()
                            .child(1, node)
                            .text(2, "g")
                            .child(5, tensor)
                            .child(11, picture("x", {1, 3, height, width}))
                            .child(12, picture("y", {1, 1, height, width}));
  return Message()
      .number(1, 7)
      .child(7, graph)
      .child(8, Message().text(1, "").number(2, 12))
      .bytes();
}

class OnnxDepthTest : public ::testing::Test {
 protected:
  std::string file(const std::string& content) {
    const std::string path = (folder_.path() / "network.onnx").string();
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  static momap::Clip annotated(const std::string& path, const std::string& more = "") {
    const auto plugin = momap::testing::make_plugin<momap::Annotator>(
        "annotation/onnx_depth",
        "{model: " + path + ", mean: [0, 0, 0], deviation: [1, 1, 1], align: none" + more + "}");
    return plugin->annotate(momap::testing::moving_square({.frames = 3, .height = 64, .width = 96}),
                            momap::testing::context());
  }

  static std::string refusal(const std::string& path, const std::string& more = "") {
    try {
      annotated(path, more);
    } catch (const momap::ConfigError& e) {
      return e.what();
    }
    return "nothing";
  }

  momap::TemporaryFolder folder_{"momap-onnx"};
};

TEST_F(OnnxDepthTest, GivesWhatTheNetworkGives) {
  const momap::Clip clip = annotated(file(weighted_sum({1, 2, 4}, 64, 96)), ", shift: 1");
  const at::Tensor rgb = clip.frames.to(at::kFloat) / 255;
  const at::Tensor expected = 1 + rgb.select(3, 0) + 2 * rgb.select(3, 1) + 4 * rgb.select(3, 2);
  EXPECT_LT((*clip.depth - expected).abs().max().item<double>(), 1e-5);
}

TEST_F(OnnxDepthTest, SaysWhatIsWrongWithAModel) {
  EXPECT_NE(refusal(file("no model")).find("cannot read it as ONNX"), std::string::npos);
  EXPECT_NE(refusal("/nowhere/x.onnx").find("/nowhere/x.onnx"), std::string::npos);
  EXPECT_NE(refusal(file(weighted_sum({1, 2, 4}, 64, 96)), ", output_name: z").find("output_name"),
            std::string::npos);
}

}  // namespace
