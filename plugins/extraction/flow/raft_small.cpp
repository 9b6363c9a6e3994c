// SPDX-License-Identifier: Apache-2.0
#include "raft_small.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/instance_norm.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tanh.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/npz.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "correlation.h"

namespace momap {
namespace {

constexpr int kStep = 8;        // px of a cell
constexpr int kLeastSide = 16;  // px
constexpr int64_t kHidden = 96, kContext = 64, kMotion = 80, kFlow = 2;
constexpr int64_t kPatch = 7;  // px; of the flow the net looks at
constexpr double kNormEps = 1e-5;

using Shapes = std::map<std::string, std::vector<int64_t>>;

void add_conv(Shapes& shapes, const std::string& name, int64_t out, int64_t in, int64_t side) {
  shapes[name + ".weight"] = {out, in, side, side};
  shapes[name + ".bias"] = {out};
}

Shapes shapes_of_raft_small() {
  Shapes shapes;
  for (const auto& [net, out] : {std::pair{"fnet", 128}, {"cnet", int(kHidden + kContext)}}) {
    const std::string n = net;
    add_conv(shapes, n + ".conv1", 32, 3, 7);
    int64_t in = 32;
    for (const auto& [layer, width] : {std::pair{1, 32}, {2, 64}, {3, 96}}) {
      for (int block = 0; block < 2; ++block) {
        const std::string b = fmt::format("{}.layer{}.{}", n, layer, block);
        add_conv(shapes, b + ".conv1", width / 4, in, 1);
        add_conv(shapes, b + ".conv2", width / 4, width / 4, 3);
        add_conv(shapes, b + ".conv3", width, width / 4, 1);
        if (layer > 1 && block == 0) add_conv(shapes, b + ".downsample.0", width, in, 1);
        in = width;
      }
    }
    add_conv(shapes, n + ".conv2", out, in, 1);
  }
  const std::string u = "update_block.";
  add_conv(shapes, u + "encoder.convc1", 96, CorrelationVolume::kChannels, 1);
  add_conv(shapes, u + "encoder.convf1", 64, kFlow, kPatch);
  add_conv(shapes, u + "encoder.convf2", 32, 64, 3);
  add_conv(shapes, u + "encoder.conv", kMotion, 128, 3);
  for (const char* gate : {"convz", "convr", "convq"}) {
    add_conv(shapes, u + "gru." + gate, kHidden, kHidden + kContext + kMotion + kFlow, 3);
  }
  add_conv(shapes, u + "flow_head.conv1", 128, kHidden, 3);
  add_conv(shapes, u + "flow_head.conv2", kFlow, 128, 3);
  return shapes;
}

// [1, C, h, w] -> [h, w, C].
FeatureMap to_map(const at::Tensor& x) {
  FeatureMap map(x.size(2), x.size(3), x.size(1));
  const at::Tensor last = x[0].permute({1, 2, 0}).contiguous();
  const float* in = last.data_ptr<float>();
  for (int64_t i = 0; i < map.pixels(); ++i) {
    std::copy_n(in + i * map.channels, map.channels, map.at(i));
  }
  return map;
}

void add_bias_and_clip(FeatureMap& map, const std::vector<float>& bias) {
  for (int64_t i = 0; i < map.pixels(); ++i) {
    float* pixel = map.at(i);
    for (int64_t c = 0; c < map.channels; ++c) {
      pixel[c] = std::max(0.F, pixel[c] + bias[static_cast<size_t>(c)]);
    }
  }
}

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

RaftSmall::RaftSmall(const std::filesystem::path& weights) {
  read(weights);
  const std::string u = "update_block.";
  const auto dense = [&](const std::string& name) {
    const at::Tensor w = array(name + ".weight").flatten(1).contiguous();
    return Dense{PackedMatrix(w.data_ptr<float>(), w.size(1), w.size(0), 1, w.size(1)), bias(name)};
  };
  from_correlation_ = dense(u + "encoder.convc1");
  from_flow_ = dense(u + "encoder.convf1");
  const auto conv3 = [&](const std::string& name) {
    return Convolution3x3(array(name + ".weight"));
  };
  flow_features_ = conv3(u + "encoder.convf2"), flow_features_bias_ = bias(u + "encoder.convf2");
  motion_ = conv3(u + "encoder.conv"), motion_bias_ = bias(u + "encoder.conv");
  head_ = conv3(u + "flow_head.conv1"), head_bias_ = bias(u + "flow_head.conv1");
  step_ = conv3(u + "flow_head.conv2"), step_bias_ = bias(u + "flow_head.conv2");
  // The published gates read hidden, context, motion; ours the context apart.
  const auto changing = [](const at::Tensor& w) {
    return at::cat({w.narrow(1, 0, kHidden), w.narrow(1, kHidden + kContext, kMotion + kFlow)}, 1);
  };
  const auto constant = [](const at::Tensor& w) { return w.narrow(1, kHidden, kContext); };
  const at::Tensor gates =
      at::cat({array(u + "gru.convz.weight"), array(u + "gru.convr.weight")}, 0);
  gates_ = Convolution3x3(changing(gates)), gates_of_context_ = Convolution3x3(constant(gates));
  const at::Tensor& candidate = array(u + "gru.convq.weight");
  candidate_ = Convolution3x3(changing(candidate));
  candidate_of_context_ = Convolution3x3(constant(candidate));
  gates_bias_ = bias(u + "gru.convz");
  const std::vector<float> reset = bias(u + "gru.convr");
  gates_bias_.insert(gates_bias_.end(), reset.begin(), reset.end());
  candidate_bias_ = bias(u + "gru.convq");
}

void RaftSmall::read(const std::filesystem::path& weights) {
  NpzFile npz(weights);
  const Shapes shapes = shapes_of_raft_small();
  const auto refuse = [&](const std::string& what) {
    throw ConfigError(fmt::format(
        "weights = {}: {}; expected the {} arrays of RAFT-small under the names of its published "
        "code",
        shown(weights), what, shapes.size()));
  };
  for (const auto& [name, shape] : shapes) {
    if (!npz.contains(name)) refuse(fmt::format("array '{}' is missing", name));
    if (npz.shape(name) != shape) {
      refuse(fmt::format("array '{}' has shape {}, not {}", name, npz.shape(name), shape));
    }
    arrays_[name] = npz.read(name).to(at::kFloat).contiguous();
    if (!arrays_[name].isfinite().all().item<bool>()) {
      refuse(fmt::format("array '{}' is not finite", name));
    }
  }
  for (const std::string& name : npz.names()) {
    if (!shapes.contains(name)) refuse(fmt::format("array '{}' belongs to no part of it", name));
  }
}

std::vector<float> RaftSmall::bias(const std::string& name) const {
  const at::Tensor& b = array(name + ".bias");
  return {b.data_ptr<float>(), b.data_ptr<float>() + b.numel()};
}

at::Tensor RaftSmall::conv(const at::Tensor& x, const std::string& name, int64_t stride) const {
  const at::Tensor& weight = array(name + ".weight");
  return at::conv2d(x, weight, array(name + ".bias"), stride, weight.size(3) / 2);
}

at::Tensor RaftSmall::encode(const at::Tensor& picture, const std::string& net) const {
  const bool normalised = net == "fnet";
  const auto norm = [&](const at::Tensor& x) {
    return normalised ? at::instance_norm(x, {}, {}, {}, {}, true, 0.1, kNormEps, false) : x;
  };
  at::Tensor x = at::relu(norm(conv(picture, net + ".conv1", 2)));
  for (int layer = 1; layer <= 3; ++layer) {
    for (int block = 0; block < 2; ++block) {
      const std::string name = fmt::format("{}.layer{}.{}", net, layer, block);
      const int64_t stride = layer > 1 && block == 0 ? 2 : 1;
      at::Tensor y = at::relu(norm(conv(x, name + ".conv1")));
      y = at::relu(norm(conv(y, name + ".conv2", stride)));
      y = at::relu(norm(conv(y, name + ".conv3")));
      if (stride == 2) x = norm(conv(x, name + ".downsample.0", stride));
      x = at::relu(x + y);
    }
  }
  return conv(x, net + ".conv2");
}

RaftSmall::Features RaftSmall::features(const cv::Mat& rgb) const {
  const at::NoGradGuard no_grad;
  const auto padding = [](int side) {
    return std::max(kLeastSide, (side + kStep - 1) / kStep * kStep) - side;
  };
  const int across = padding(rgb.cols), down = padding(rgb.rows);
  Features out;
  out.size = rgb.size();
  out.left = across / 2, out.top = down / 2;
  cv::Mat padded, scaled;
  cv::copyMakeBorder(rgb, padded, out.top, down - out.top, out.left, across - out.left,
                     cv::BORDER_REPLICATE);
  padded.convertTo(scaled, CV_32FC3, 2.0 / 255, -1);
  const at::Tensor picture =
      at::from_blob(scaled.data, {1, scaled.rows, scaled.cols, 3}, at::kFloat)
          .permute({0, 3, 1, 2})
          .contiguous();
  out.matching = to_map(encode(picture, "fnet"));
  const at::Tensor both = encode(picture, "cnet");
  out.hidden = to_map(at::tanh(both.narrow(1, 0, kHidden)));
  out.context = to_map(at::relu(both.narrow(1, kHidden, kContext)));
  return out;
}

cv::Mat RaftSmall::coarse_flow(const Features& from, const Features& to, int iterations) const {
  const int64_t height = from.matching.height, width = from.matching.width;
  const int64_t pixels = height * width;
  const CorrelationVolume volume(from.matching, to.matching);
  FeatureMap gates_base(height, width, 2 * kHidden), candidate_base(height, width, kHidden);
  gates_of_context_(from.context, gates_base);
  candidate_of_context_(from.context, candidate_base);

  constexpr int64_t kChanging = kHidden + kMotion + kFlow;
  FeatureMap looked(height, width, CorrelationVolume::kChannels);
  FeatureMap both(height, width, 128);  // 96 of the correlation, 32 of the flow
  FeatureMap patches(height, width, kPatch * kPatch * kFlow), from_flow(height, width, 64);
  FeatureMap flow_features(height, width, 32), motion(height, width, kMotion);
  FeatureMap state(height, width, kChanging), reset(height, width, kChanging);
  FeatureMap gates(height, width, 2 * kHidden), candidate(height, width, kHidden);
  FeatureMap hidden = from.hidden, head(height, width, 128), step(height, width, kFlow);
  std::vector<std::array<float, 2>> coords(static_cast<size_t>(pixels));
  const auto each_pixel = [&](auto&& work) {
    tbb::parallel_for(int64_t{0}, height, [&](int64_t y) {
      for (int64_t x = 0; x < width; ++x) work(y * width + x, x, y);
    });
  };
  each_pixel([&](int64_t i, int64_t x, int64_t y) {
    coords[static_cast<size_t>(i)] = {static_cast<float>(x), static_cast<float>(y)};
  });
  const auto flow_at = [&](int64_t i, int64_t x, int64_t y) {
    const auto& at = coords[static_cast<size_t>(i)];
    return std::array{at[0] - static_cast<float>(x), at[1] - static_cast<float>(y)};
  };
  const auto product = [&](const Dense& dense, const FeatureMap& in, FeatureMap& out) {
    tbb::parallel_for(int64_t{0}, height, [&](int64_t y) {
      dense.matrix.product(in.at(y * width), in.stride, width, out.at(y * width), out.stride);
      for (int64_t i = y * width; i < (y + 1) * width; ++i) {
        for (size_t c = 0; c < dense.bias.size(); ++c) {
          out.at(i)[c] = std::max(0.F, out.at(i)[c] + dense.bias[c]);
        }
      }
    });
  };

  for (int iteration = 0; iteration < iterations; ++iteration) {
    volume.look_up(coords, looked);
    product(from_correlation_, looked, both);  // its 96 columns are whole Lanes
    each_pixel([&](int64_t i, int64_t x, int64_t y) {
      float* out = patches.at(i);
      for (int64_t c = 0; c < kFlow; ++c) {
        for (int64_t v = y - kPatch / 2; v <= y + kPatch / 2; ++v) {
          for (int64_t u = x - kPatch / 2; u <= x + kPatch / 2; ++u) {
            const bool inside = v >= 0 && u >= 0 && v < height && u < width;
            *out++ = inside ? flow_at(v * width + u, u, v)[static_cast<size_t>(c)] : 0.F;
          }
        }
      }
    });
    product(from_flow_, patches, from_flow);
    flow_features_(from_flow, flow_features);
    add_bias_and_clip(flow_features, flow_features_bias_);
    each_pixel([&](int64_t i, int64_t, int64_t) {
      std::copy_n(flow_features.at(i), 32, both.at(i) + 96);
    });
    motion_(both, motion);
    add_bias_and_clip(motion, motion_bias_);

    each_pixel([&](int64_t i, int64_t x, int64_t y) {
      float* out = state.at(i);
      out = std::copy_n(hidden.at(i), kHidden, out);
      out = std::copy_n(motion.at(i), kMotion, out);
      const auto flow = flow_at(i, x, y);
      out[0] = flow[0], out[1] = flow[1];
      std::copy_n(state.at(i) + kHidden, kMotion + kFlow, reset.at(i) + kHidden);
    });
    gates_(state, gates);
    each_pixel([&](int64_t i, int64_t, int64_t) {
      for (int64_t c = 0; c < kHidden; ++c) {
        const int64_t r = kHidden + c;
        reset.at(i)[c] = hidden.at(i)[c] * sigmoid(gates.at(i)[r] + gates_base.at(i)[r] +
                                                   gates_bias_[static_cast<size_t>(r)]);
      }
    });
    candidate_(reset, candidate);
    each_pixel([&](int64_t i, int64_t, int64_t) {
      for (int64_t c = 0; c < kHidden; ++c) {
        const auto k = static_cast<size_t>(c);
        const float z = sigmoid(gates.at(i)[c] + gates_base.at(i)[c] + gates_bias_[k]);
        const float q =
            std::tanh(candidate.at(i)[c] + candidate_base.at(i)[c] + candidate_bias_[k]);
        hidden.at(i)[c] = (1 - z) * hidden.at(i)[c] + z * q;
      }
    });
    head_(hidden, head);
    add_bias_and_clip(head, head_bias_);
    step_(head, step);
    each_pixel([&](int64_t i, int64_t, int64_t) {
      for (size_t c = 0; c < kFlow; ++c) {
        coords[static_cast<size_t>(i)][c] += step.at(i)[c] + step_bias_[c];
      }
    });
  }
  cv::Mat flow(static_cast<int>(height), static_cast<int>(width), CV_32FC2);
  each_pixel([&](int64_t i, int64_t x, int64_t y) {
    const auto at = flow_at(i, x, y);
    flow.ptr<cv::Vec2f>()[i] = {at[0], at[1]};
  });
  return flow;
}

cv::Mat RaftSmall::flow(const Features& from, const Features& to, int iterations) const {
  const cv::Mat coarse = coarse_flow(from, to, iterations);
  // Bilinear with the corners' centres kept in place, as the published net does it.
  cv::Mat fine(from.size, CV_32FC2);
  const auto place = [](int at, int size) {
    const double p = size > 1 ? at * static_cast<double>(size - 1) / (kStep * size - 1) : 0;
    const int low = std::min(static_cast<int>(p), std::max(0, size - 2));
    return std::pair{low, static_cast<float>(p - low)};
  };
  tbb::parallel_for(0, fine.rows, [&](int y) {
    const auto [top, v] = place(y + from.top, coarse.rows);
    const auto* above = coarse.ptr<cv::Vec2f>(top);
    const auto* below = coarse.ptr<cv::Vec2f>(std::min(top + 1, coarse.rows - 1));
    for (int x = 0; x < fine.cols; ++x) {
      const auto [left, u] = place(x + from.left, coarse.cols);
      const int right = std::min(left + 1, coarse.cols - 1);
      fine.at<cv::Vec2f>(y, x) = kStep * ((1 - v) * ((1 - u) * above[left] + u * above[right]) +
                                          v * ((1 - u) * below[left] + u * below[right]));
    }
  });
  return fine;
}

}  // namespace momap
