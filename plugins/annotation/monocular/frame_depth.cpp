// SPDX-License-Identifier: Apache-2.0
#include "frame_depth.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/data/opencv.h>
#include <momap/stage/torch_threads.h>
#include <tbb/parallel_for.h>

#include <cmath>
#include <cstring>
#include <opencv2/imgproc.hpp>

#include "scale_alignment.h"

namespace momap {
namespace {

constexpr double kFarthest_m = 1e4;  // beyond it a disparity is as good as 0

int64_t rounded_up(int64_t size, int64_t multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

at::Tensor network_input(const at::Tensor& frame, const NetworkFormat& format) {
  const cv::Mat rgb = as_mat(frame);
  const int width =
      static_cast<int>(format.width > 0 ? format.width : rounded_up(rgb.cols, format.multiple));
  const int height =
      static_cast<int>(format.height > 0 ? format.height : rounded_up(rgb.rows, format.multiple));
  cv::Mat sized;
  const bool shrinks = width < rgb.cols;
  cv::resize(rgb, sized, {width, height}, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
  at::Tensor input = at::empty({1, 3, height, width}, at::kFloat);
  float* out = input.data_ptr<float>();
  const int64_t plane = int64_t{height} * width;
  for (int c = 0; c < 3; ++c) {
    const int from = format.channels == "rgb" ? c : 2 - c;
    const auto i = static_cast<size_t>(from);
    const double gain = 1 / (255 * format.deviation[i]);
    const double offset = -format.mean[i] / format.deviation[i];
    for (int y = 0; y < height; ++y) {
      const uint8_t* row = sized.ptr<uint8_t>(y) + from;
      float* to = out + c * plane + int64_t{y} * width;
      for (int x = 0; x < width; ++x) to[x] = static_cast<float>(row[3 * x] * gain + offset);
    }
  }
  return input;
}

// [h, w], whatever the network's batch and channel dimensions.
at::Tensor as_picture(const at::Tensor& output) {
  at::Tensor picture = output.detach();
  while (picture.dim() > 2 && picture.size(0) == 1) picture = picture[0];
  if (picture.dim() != 2 || picture.numel() == 0) {
    throw DataError(fmt::format(
        "the network gave {}; expected one number a pixel: [1, 1, h, w], [1, h, w] or [h, w]",
        output.sizes().vec()));
  }
  return picture.to(at::kCPU, at::kFloat).contiguous();
}

}  // namespace

void NetworkFormat::check() const {
  for (const auto& [name, values] : {std::pair{"mean", &mean}, {"deviation", &deviation}}) {
    if (values->size() != 3) {
      throw ConfigError(fmt::format("{} = {} holds {} numbers; expected 3 (red, green, blue)", name,
                                    *values, values->size()));
    }
  }
  for (const double value : deviation) {
    if (!(value > 0)) {
      throw ConfigError(
          fmt::format("deviation = {} is not allowed; expected numbers above 0", deviation));
    }
  }
}

at::Tensor frame_depth(const at::Tensor& frame, const NetworkFormat& format,
                       const DepthNetwork& network) {
  const at::Tensor picture = as_picture(network(network_input(frame.contiguous(), format)));
  at::Tensor depth = at::empty({frame.size(0), frame.size(1)}, at::kFloat);
  cv::Mat sized = as_mat(depth);
  // What the network speaks is interpolated, not what it means: disparities stay smooth.
  cv::resize(as_mat(picture), sized, sized.size(), 0, 0, cv::INTER_LINEAR);
  float* out = depth.data_ptr<float>();
  int64_t known = 0;
  for (int64_t i = 0; i < depth.numel(); ++i) {
    const double value = out[i] + format.shift;
    const double metres =
        format.output == "depth" ? format.scale * value : format.scale / std::max(value, 0.0);
    const bool is_depth = metres > 0 && metres <= kFarthest_m;  // false for NaN
    out[i] = is_depth ? static_cast<float>(metres) : 0;
    known += is_depth;
  }
  if (known == 0) {
    throw DataError(fmt::format(
        "the network gave no depth between 0 and {:.0f} m for any pixel; check the weights, output "
        "(it is '{}'), scale and shift",
        kFarthest_m, format.output));
  }
  return depth;
}

Clip with_depth(const Clip& clip, const NetworkFormat& format, const DepthNetwork& network,
                const std::string& align, const Context& context) {
  Clip out = clip;
  const int64_t pixels = clip.height() * clip.width();
  at::Tensor depth = at::empty({clip.length(), clip.height(), clip.width()}, at::kFloat);
  tbb::parallel_for(int64_t{0}, clip.length(), [&](int64_t t) {
    context.check_cancelled();
    keep_torch_on_this_thread();
    try {
      const at::Tensor of_frame = frame_depth(clip.frames[t], format, network);
      std::memcpy(depth.data_ptr<float>() + t * pixels, of_frame.data_ptr<float>(),
                  static_cast<size_t>(pixels) * sizeof(float));
    } catch (const DataError& e) {
      throw DataError(fmt::format("frame {}: {}", t, e.what()));
    }
  });
  out.depth = depth;
  if (align == "tracks" && clip.length() > 1) out.depth = align_scales(out, context);
  return out;
}

}  // namespace momap
