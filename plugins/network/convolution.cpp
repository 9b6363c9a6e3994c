// SPDX-License-Identifier: Apache-2.0
#include "convolution.h"

#include <ATen/ATen.h>

#include <mutex>

namespace momap::network {
namespace {

// oneDNN has the weights in an order of its own, and brings them into it at each call. For small
// images that costs as much as the convolution; there the ordered weights are kept, unless they are
// large.
constexpr int64_t kSmall_px = 4096;
constexpr int64_t kLargestKept = int64_t{1} << 20;  // weights

}  // namespace

/// The weights in oneDNN's order, made when they are first needed and again when they have changed.
struct ConvolutionKernel::Packed {
  std::mutex mutex;
  at::Tensor weight;
  uint32_t version = 0;  // of the weights they were made from
};

ConvolutionKernel::ConvolutionKernel(at::Tensor weight, at::Tensor bias, int64_t stride,
                                     int64_t padding)
    : weight_(std::move(weight)),
      bias_(std::move(bias)),
      stride_(stride),
      padding_(padding),
      packed_(std::make_shared<Packed>()) {}

at::Tensor ConvolutionKernel::packed_weight() const {
  const std::lock_guard lock(packed_->mutex);
  const uint32_t version = weight_.unsafeGetTensorImpl()->version_counter().current_version();
  if (!packed_->weight.defined() || packed_->version != version) {
    packed_->weight = at::mkldnn_reorder_conv2d_weight(
        weight_.detach().to_mkldnn(), {padding_, padding_}, {stride_, stride_}, {1, 1}, 1);
    packed_->version = version;
  }
  return packed_->weight;
}

at::Tensor ConvolutionKernel::operator()(const at::Tensor& x) const {
  // For one small image at::conv2d turns to a slow unfold + BLAS; oneDNN is four times faster
  // there.
  if (!x.device().is_cpu() || x.scalar_type() != at::kFloat || !at::hasMKLDNN()) {
    return at::conv2d(x, weight_, bias_, {stride_, stride_}, {padding_, padding_});
  }
  const bool learns = at::GradMode::is_enabled() && (x.requires_grad() || weight_.requires_grad());
  const bool keep =
      !learns && x.size(0) * x.size(2) * x.size(3) <= kSmall_px && weight_.numel() <= kLargestKept;
  return at::mkldnn_convolution(x.contiguous(), keep ? packed_weight() : weight_, bias_,
                                {padding_, padding_}, {stride_, stride_}, {1, 1}, 1);
}

}  // namespace momap::network
