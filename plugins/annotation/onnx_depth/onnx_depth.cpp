// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>
#include <tbb/enumerable_thread_specific.h>

#include <algorithm>
#include <opencv2/dnn.hpp>
#include <string>

#include "monocular/frame_depth.h"

namespace {

using momap::ConfigError;
using momap::param;

class OnnxDepth final : public momap::Annotator {
 public:
  struct Params : momap::NetworkFormat {
    std::string model;
    std::string output_name;
    std::string align = "tracks";

    static auto schema() {
      return std::tuple_cat(
          std::tuple{param("model", &Params::model,
                           "The network as an .onnx file with one input f32 [1, 3, h, w]; OpenCV "
                           "runs it on the CPU.")
                         .required()
                         .file(),
                     param("output_name", &Params::output_name,
                           "Output of the network that is taken; empty = its only or last one.")},
          momap::NetworkFormat::schema(),
          std::tuple{param("align", &Params::align,
                           "tracks: bring the frames to one scale by corners followed through the "
                           "clip; none: leave each frame as the network gives it.")
                         .one_of({"tracks", "none"})});
    }
  };

  explicit OnnxDepth(Params params) : params_(std::move(params)) {
    params_.check();
    const std::filesystem::path path(params_.model);
    momap::check_exists(path, "model = " + momap::shown(path));
    nets_.local() = read();
  }

  momap::Clip annotate(const momap::Clip& clip, const momap::Context& context) override {
    const auto network = [this](const at::Tensor& input) { return run(input); };
    return momap::with_depth(clip, params_, network, params_.align, context);
  }

 private:
  cv::dnn::Net read() const {
    try {
      cv::dnn::Net net = cv::dnn::readNetFromONNX(params_.model);
      if (net.empty()) throw ConfigError("it holds no layer");
      net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
      return net;
    } catch (const std::exception& e) {
      std::string said = e.what();
      std::ranges::replace(said, '\n', ' ');
      throw ConfigError(fmt::format(
          "model = {}: OpenCV {} cannot read it as ONNX: {}; simplify the model, export it with an "
          "older opset, or use annotation/torchscript_depth",
          momap::shown(params_.model), CV_VERSION, said.substr(0, 300)));
    }
  }

  at::Tensor run(const at::Tensor& input) {
    cv::dnn::Net& net = nets_.local();  // not for several threads at once
    if (net.empty()) net = read();
    const int sizes[] = {1, 3, static_cast<int>(input.size(2)), static_cast<int>(input.size(3))};
    cv::Mat output;
    try {
      net.setInput(cv::Mat(4, sizes, CV_32F, input.data_ptr()));
      output = params_.output_name.empty() ? net.forward() : net.forward(params_.output_name);
    } catch (const cv::Exception& e) {
      throw ConfigError(fmt::format(
          "model = {}: fails on f32 [1, 3, {}, {}]: {}; check width, height, multiple and "
          "output_name",
          momap::shown(params_.model), sizes[2], sizes[3], e.err));
    }
    if (output.type() != CV_32F) {
      throw ConfigError(fmt::format("model = {}: gives {}; expected float32 numbers",
                                    momap::shown(params_.model), cv::typeToString(output.type())));
    }
    const std::vector<int64_t> shape(output.size.p, output.size.p + output.dims);
    return at::from_blob(output.data, shape, at::kFloat).clone();
  }

  Params params_;
  tbb::enumerable_thread_specific<cv::dnn::Net> nets_;
};

}  // namespace

MOMAP_PLUGIN(OnnxDepth, "annotation/onnx_depth", 1,
             "Depth of single frames by any network exported as ONNX, run by OpenCV.");
