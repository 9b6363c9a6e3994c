// SPDX-License-Identifier: Apache-2.0
#include "network.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/npz.h>

#include <array>
#include <utility>
#include <vector>

namespace momap {
namespace {

constexpr double kNormEps = 1e-5;
constexpr int64_t kHeads = 4, kHeadWidth = 8;
constexpr int64_t kPatch = 2;  // side of the patches whose like pixels attend to each other, cells
// Of the blocks "encoder.mv2.<i>".
constexpr std::array kStrides{1, 2, 1, 1, 2, 2, 2};

}  // namespace

// What the decoder takes in again, by the share of the picture's sides.
struct MeterNetwork::Skips {
  at::Tensor quarter, eighth, sixteenth;
};

MeterNetwork::MeterNetwork(const std::filesystem::path& weights) {
  NpzFile npz(weights);
  for (const std::string& name : npz.names()) {
    if (name.ends_with("num_batches_tracked")) continue;
    arrays_[name] = npz.read(name).to(at::kFloat).contiguous();
  }
  try {
    const std::string e = "encoder.";
    fold_batch_norm(e + "conv1.0.pointwise", e + "conv1.1");
    fold_batch_norm(e + "conv2.0", e + "conv2.1");
    for (size_t i = 0; i < kStrides.size(); ++i) {
      const std::string block = fmt::format("{}mv2.{}.conv.", e, i);
      fold_batch_norm(block + "0", block + "1");
      fold_batch_norm(block + "3", block + "4");
      fold_batch_norm(block + "6", block + "7");
    }
    for (int i = 0; i < 3; ++i) {
      const std::string block = fmt::format("{}mvit.{}.", e, i);
      fold_batch_norm(block + "conv1.0.pointwise", block + "conv1.1");
      fold_batch_norm(block + "conv2.0", block + "conv2.1");
      fold_batch_norm(block + "conv3.0", block + "conv3.1");
      fold_batch_norm(block + "conv4.0.pointwise", block + "conv4.1");
    }
    // Running it once asks for every array, and finds those that do not fit each other.
    std::set<std::string> asked;
    asked_ = &asked;
    const at::NoGradGuard no_grad;
    (*this)(at::zeros({1, 3, 64, 64}));
    asked_ = nullptr;
    for (const auto& [name, array] : arrays_) {
      if (!asked.contains(name)) {
        throw ConfigError(
            fmt::format("array '{}' {} belongs to no part of METER", name, array.sizes().vec()));
      }
    }
  } catch (const ConfigError& e) {
    throw ConfigError(fmt::format(
        "weights = {}: {}; expected the arrays of a METER model (s, xs or xxs) under the names of "
        "its published code",
        shown(weights), e.what()));
  }
}

const at::Tensor& MeterNetwork::array(const std::string& name) const {
  const auto found = arrays_.find(name);
  if (found == arrays_.end()) throw ConfigError(fmt::format("array '{}' is missing", name));
  if (asked_) asked_->insert(name);
  return found->second;
}

void MeterNetwork::fold_batch_norm(const std::string& convolution, const std::string& norm) {
  const at::Tensor& weight = array(convolution + ".weight");
  for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
    if (array(norm + part).sizes() != at::IntArrayRef{weight.size(0)}) {
      throw ConfigError(fmt::format("array '{}{}' has shape {}; expected [{}]", norm, part,
                                    array(norm + part).sizes().vec(), weight.size(0)));
    }
  }
  const at::Tensor gain =
      array(norm + ".weight") * at::rsqrt(array(norm + ".running_var") + kNormEps);
  const at::Tensor bias = array(norm + ".bias") - array(norm + ".running_mean") * gain;
  arrays_[convolution + ".weight"] = (weight * gain.reshape({-1, 1, 1, 1})).contiguous();
  arrays_[convolution + ".bias"] = bias;
  for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
    arrays_.erase(norm + part);
  }
}

at::Tensor MeterNetwork::conv(const at::Tensor& x, const std::string& name, int64_t stride,
                              int64_t padding, int64_t groups) const {
  const at::Tensor& weight = array(name + ".weight");
  const bool has_bias = arrays_.contains(name + ".bias");
  if (weight.dim() != 4 || weight.size(1) * groups != x.size(1)) {
    throw ConfigError(fmt::format("array '{}.weight' has shape {}; expected [n, {}, k, k]", name,
                                  weight.sizes().vec(), x.size(1) / groups));
  }
  return at::conv2d(x, weight, has_bias ? array(name + ".bias") : at::Tensor(), stride, padding, 1,
                    groups);
}

// The published code calls it depthwise; its first convolution is a full one.
at::Tensor MeterNetwork::separable(const at::Tensor& x, const std::string& name,
                                   int64_t stride) const {
  return at::relu(conv(conv(x, name + ".depthwise", stride, 1), name + ".pointwise"));
}

at::Tensor MeterNetwork::inverted_residual(const at::Tensor& x, const std::string& name,
                                           int64_t stride) const {
  const at::Tensor wide = at::relu(conv(x, name + ".conv.0"));
  const at::Tensor mixed = at::relu(conv(wide, name + ".conv.3", stride, 1, wide.size(1)));
  const at::Tensor out = conv(mixed, name + ".conv.6");
  return stride == 1 && out.size(1) == x.size(1) ? x + out : out;
}

// [B, P, N, D]: N patches, attention among the same pixel of all of them.
at::Tensor MeterNetwork::transformer(const at::Tensor& x, const std::string& name) const {
  const auto normed = [&](const at::Tensor& tokens, const std::string& norm) {
    return at::layer_norm(tokens, {tokens.size(3)}, array(norm + ".weight"), array(norm + ".bias"),
                          kNormEps);
  };
  const std::string attention = name + ".0", feed_forward = name + ".1";
  const at::Tensor qkv =
      at::linear(normed(x, attention + ".norm"), array(attention + ".fn.to_qkv.weight"));
  // [3, B, P, heads, N, d]
  const at::Tensor parts = qkv.reshape({x.size(0), x.size(1), x.size(2), 3, kHeads, kHeadWidth})
                               .permute({3, 0, 1, 4, 2, 5});
  const double scale = 1 / std::sqrt(static_cast<double>(kHeadWidth));
  const at::Tensor weights =
      at::softmax(at::matmul(parts[0], parts[1].transpose(-1, -2)) * scale, -1);
  const at::Tensor mixed = at::matmul(weights, parts[2]).transpose(2, 3).flatten(3);
  const at::Tensor attended = x + at::linear(mixed, array(attention + ".fn.to_out.0.weight"),
                                             array(attention + ".fn.to_out.0.bias"));
  const at::Tensor hidden = at::relu(at::linear(normed(attended, feed_forward + ".norm"),
                                                array(feed_forward + ".fn.net.0.weight"),
                                                array(feed_forward + ".fn.net.0.bias")));
  return attended + at::linear(hidden, array(feed_forward + ".fn.net.3.weight"),
                               array(feed_forward + ".fn.net.3.bias"));
}

at::Tensor MeterNetwork::mobile_vit(const at::Tensor& x, const std::string& name) const {
  const at::Tensor local = at::relu(conv(separable(x, name + ".conv1.0", 1), name + ".conv2.0"));
  const int64_t batch = local.size(0), depth = local.size(1);
  const int64_t rows = local.size(2) / kPatch, columns = local.size(3) / kPatch;
  const at::Tensor tokens = local.reshape({batch, depth, rows, kPatch, columns, kPatch})
                                .permute({0, 3, 5, 2, 4, 1})
                                .reshape({batch, kPatch * kPatch, rows * columns, depth});
  const at::Tensor mixed = transformer(tokens, name + ".transformer.layers.0")
                               .reshape({batch, kPatch, kPatch, rows, columns, depth})
                               .permute({0, 5, 3, 1, 4, 2})
                               .reshape(local.sizes());
  const at::Tensor out = at::relu(conv(mixed, name + ".conv3.0"));
  return separable(at::cat({out, x}, 1), name + ".conv4.0", 1);
}

at::Tensor MeterNetwork::encode(const at::Tensor& input, Skips& skips) const {
  const auto block = [&](const at::Tensor& x, size_t i) {
    return inverted_residual(x, fmt::format("encoder.mv2.{}", i), kStrides[i]);
  };
  skips.quarter = block(block(separable(input, "encoder.conv1.0", 2), 0), 1);
  skips.eighth = block(block(block(skips.quarter, 2), 3), 4);
  skips.sixteenth = block(mobile_vit(skips.eighth, "encoder.mvit.0"), 5);
  const at::Tensor last = block(mobile_vit(skips.sixteenth, "encoder.mvit.1"), 6);
  return at::relu(conv(mobile_vit(last, "encoder.mvit.2"), "encoder.conv2.0"));
}

at::Tensor MeterNetwork::encode(const at::Tensor& input) const {
  Skips skips;
  return encode(input, skips);
}

at::Tensor MeterNetwork::up(const at::Tensor& x, const at::Tensor& skip,
                            const std::string& name) const {
  const at::Tensor& weight = array(name + ".conv2d_transpose.weight");
  const at::Tensor larger = at::conv_transpose2d(x, weight, {}, 2, 1, 1);
  return separable(at::cat({larger, skip}, 1), name + ".end_up_layer.0", 1);
}

at::Tensor MeterNetwork::operator()(const at::Tensor& input) const {
  Skips skips;
  at::Tensor x = conv(encode(input, skips), "decoder.conv2d_in");
  x = up(x, skips.sixteenth, "decoder.ups_block_1");
  x = up(x, skips.eighth, "decoder.ups_block_2");
  x = up(x, skips.quarter, "decoder.ups_block_3");
  return conv(x, "decoder.conv2d_out", 1, 1);
}

}  // namespace momap
