// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <network/convolution.h>

#include <functional>
#include <string>

#include "weights.h"

// Layers under the names and with the numerics of the diffusers library. They work in the type of
// their weights, float32 or float64. Images are [B, C, h, w], sequences [B, L, width].

namespace diffusers {

/// Told the value of a module, by its name, as a network runs.
using Observer = std::function<void(const std::string& module, const at::Tensor& value)>;

class Convolution {
 public:
  Convolution() = default;
  Convolution(Weights& weights, const std::string& name, int64_t in, int64_t out, int64_t kernel,
              int64_t stride = 1, int64_t padding = -1);  ///< padding -1: kernel / 2
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  momap::network::ConvolutionKernel kernel_;
};

class Linear {
 public:
  Linear() = default;
  Linear(Weights& weights, const std::string& name, int64_t in, int64_t out, bool bias = true);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor weight_, bias_;
};

class GroupNorm {
 public:
  GroupNorm() = default;
  GroupNorm(Weights& weights, const std::string& name, int64_t groups, int64_t channels,
            double epsilon);
  at::Tensor operator()(const at::Tensor& x) const;
  at::Tensor with_silu(const at::Tensor& x) const;  ///< silu of it, in one pass

 private:
  at::Tensor weight_, bias_;
  int64_t groups_ = 1;
  double epsilon_ = 0;
};

class LayerNorm {
 public:
  LayerNorm() = default;
  LayerNorm(Weights& weights, const std::string& name, int64_t width, double epsilon);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor weight_, bias_;
  double epsilon_ = 0;
};

/// Residual block: two normalised convolutions, between them the shift by the time embedding.
class ResnetBlock {
 public:
  struct Shape {
    int64_t in, out;
    int64_t time_width;  ///< of the time embedding; 0: without one
    int64_t groups;
    double epsilon;
  };
  ResnetBlock(Weights& weights, const std::string& name, const Shape& shape);

  /// `time` [B, time_width], after its activation; undefined without one.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& time) const;

 private:
  GroupNorm norm1_, norm2_;
  Convolution conv1_, conv2_, shortcut_;
  Linear time_;
  bool has_time_, widens_;
};

/// Halves an image by a strided convolution. Without `symmetric` it pads right and bottom only.
class Downsample {
 public:
  Downsample(Weights& weights, const std::string& name, int64_t channels, bool symmetric);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  Convolution conv_;
  bool symmetric_;
};

/// Grows an image to height x width by repeating pixels, then convolves.
class Upsample {
 public:
  Upsample(Weights& weights, const std::string& name, int64_t channels);
  at::Tensor operator()(const at::Tensor& x, int64_t height, int64_t width) const;

 private:
  Convolution conv_;
};

/// softmax(q k^T / sqrt(width of a head) + mask) v over `heads` heads; q [B, N, C], k and v [B, L,
/// C], mask [B or 1, N, L] or undefined -> [B, N, C]. The scores are made a block of queries at a
/// time.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                  const at::Tensor& mask = {});

/// Self-attention of the pixels with its own group norm, added to x.
class PixelAttention {
 public:
  PixelAttention(Weights& weights, const std::string& name, int64_t channels, int64_t heads,
                 int64_t groups, double epsilon);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  GroupNorm norm_;
  Linear q_, k_, v_, out_;
  int64_t heads_;
};

/// Sines and cosines of a timestep [B], [B, width], float32 whatever the network's type.
at::Tensor timestep_sinusoid(const at::Tensor& time, int64_t width, bool cosine_first,
                             double frequency_shift);

/// Two linear layers over the sinusoid.
class TimeEmbedding {
 public:
  TimeEmbedding(Weights& weights, int64_t in, int64_t width);
  at::Tensor operator()(const at::Tensor& sinusoid) const;

 private:
  Linear linear1_, linear2_;
};

/// Transformer blocks over the pixels: self-attention, attention to the text, gated feed-forward.
class PixelTransformer {
 public:
  struct Shape {
    int64_t channels, heads, text_width, groups, depth;
    bool linear_projection;  ///< SD 2.x projects after flattening, SD 1.x before
  };
  PixelTransformer(Weights& weights, const std::string& name, const Shape& shape);
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& text) const;

 private:
  struct Block {
    LayerNorm norm1, norm2, norm3;
    Linear q1, k1, v1, out1, q2, k2, v2, out2, gate, down;
  };
  Shape shape_;
  GroupNorm norm_;
  Convolution conv_in_, conv_out_;
  Linear linear_in_, linear_out_;
  std::vector<Block> blocks_;
};

}  // namespace diffusers
