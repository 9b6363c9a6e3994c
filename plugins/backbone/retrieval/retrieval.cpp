// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <momap/plugin/plugin.h>
#include <momap/stage/noise_schedule.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "conditioning.h"
#include "example_backbone.h"

namespace {

// Words of a prompt, each once.
std::vector<int64_t> words_of(const std::string& text) {
  auto words = denoiser::tokenize(text, 256);
  std::ranges::sort(words);
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

// 1 - share of words that both have (Jaccard).
double difference(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  std::vector<int64_t> both;
  std::ranges::set_intersection(a, b, std::back_inserter(both));
  const size_t either = a.size() + b.size() - both.size();
  return either == 0 ? 0 : 1 - static_cast<double>(both.size()) / static_cast<double>(either);
}

/// The motion of the training scenes most like the given one: the control row `retrieval`. What a
/// model makes up shows in what it is better than what it has seen.
///
/// Likeness: mean squared difference of image, points and segment edges on a grid of 8 x 8 cells,
/// each channel over its variance in the examples, plus `text_weight` times the share of words that
/// differ, where there is a prompt. The prediction is the exact denoiser of "one of the
/// `neighbours` nearest, each as likely": sum_i w_i z_i with w_i ~ exp(-|x - alpha z_i|^2 / (2
/// sigma^2)), so any sampler draws one of them.
class Retrieval final : public ExampleBackbone {
 public:
  struct Params {
    std::string examples;
    int neighbours = 16;
    double text_weight = 2;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("examples", &Params::examples,
                "Folder of example files, as `momap train` leaves it.")
              .required(),
          param("neighbours", &Params::neighbours, "How many of the nearest may be drawn.")
              .between(1, 1024),
          param("text_weight", &Params::text_weight,
                "What a wholly other prompt counts against the mean difference of two scenes.")
              .at_least(0),
      };
    }
  };

  explicit Retrieval(Params params) : params_(std::move(params)) {
    read("backbone/retrieval", params_.examples, [&](const momap::ExampleFile& example) {
      const at::Tensor looks = look(momap::Condition::from(example.reference));
      for (int64_t m = 0; m < example.latents.size(0); ++m) {
        looks_.push_back(looks);
        words_.push_back(words_of(example.captions[static_cast<size_t>(m)]));
        latents_.push_back(example.latents[m].to(at::kHalf));
      }
    });
    at::Tensor sum = at::zeros_like(looks_[0]), squares = sum;
    for (const at::Tensor& one : looks_) sum = sum + one, squares = squares + one.square();
    const auto count = static_cast<double>(looks_.size());
    const at::Tensor variance =
        (squares / count - (sum / count).square()).mean({1, 2}, true).clamp_min(1e-6);
    weight_ = 1 / variance / static_cast<double>(looks_[0].numel());  // [C, 1, 1]
  }

  /// The neighbours' latents, stacked as channels.
  momap::Conditioning prepare(const momap::Condition& condition) const override {
    const at::Tensor looks = look(condition);
    const auto words = words_of(condition.text);
    std::vector<double> distance(looks_.size());
    for (size_t i = 0; i < looks_.size(); ++i) {
      // Futures of one scene share their look.
      if (i > 0 && looks_[i].is_same(looks_[i - 1])) {
        distance[i] = distance[i - 1];
      } else {
        distance[i] = ((looks_[i] - looks).square() * weight_).sum().item<double>();
      }
    }
    if (!words.empty()) {
      for (size_t i = 0; i < looks_.size(); ++i)
        distance[i] += params_.text_weight * difference(words, words_[i]);
    }
    std::vector<size_t> order(looks_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const size_t count = std::min(order.size(), static_cast<size_t>(params_.neighbours));
    std::ranges::partial_sort(
        order, order.begin() + static_cast<std::ptrdiff_t>(count),
        [&](size_t a, size_t b) { return std::pair(distance[a], a) < std::pair(distance[b], b); });
    const auto [h, w] = cells(condition);
    std::vector<at::Tensor> found;
    for (size_t n = 0; n < count; ++n) {
      found.push_back(
          at::upsample_bilinear2d(latents_[order[n]].to(at::kFloat).unsqueeze(0), {h, w}, false));
    }
    return {at::cat(found, 1), at::zeros({1, 1}, at::kLong)};
  }

  at::Tensor predict(const at::Tensor& noisy, const at::Tensor& time,
                     const momap::Conditioning& conditioning) const override {
    check(noisy, conditioning.spatial);
    const int64_t batch = noisy.size(0), channels = noisy.size(1);
    const at::Tensor candidates = conditioning.spatial.reshape(
        {batch, -1, channels, noisy.size(2), noisy.size(3)});  // [B, N, C, h, w]
    at::Tensor out = at::empty_like(noisy);
    for (int64_t b = 0; b < batch; ++b) {
      const momap::NoiseLevel at = spec().schedule.at(time[b].item<double>());
      const at::Tensor square = (noisy[b].unsqueeze(0) - at.alpha * candidates[b])
                                    .square()
                                    .sum({1, 2, 3}, false, at::kDouble);
      const double temperature = std::max(2 * at.sigma * at.sigma, 1e-12);
      const at::Tensor share = at::softmax(-square / temperature, 0).to(at::kFloat);
      out[b].copy_((share.view({-1, 1, 1, 1}) * candidates[b]).sum(0));
    }
    return out;
  }

 private:
  static constexpr int64_t kGrid = 8;

  // What a scene looks like, f32 [C, 8, 8].
  static at::Tensor look(const momap::Condition& condition) {
    const int64_t side = std::max(condition.image.size(0), condition.image.size(1));
    const int64_t stride = std::max<int64_t>(1, side / (2 * kGrid));
    return at::adaptive_avg_pool2d(denoiser::make_conditioning(condition, stride).spatial[0],
                                   {kGrid, kGrid});
  }

  Params params_;
  std::vector<at::Tensor> looks_;            // f32 [C, 8, 8] each, shared by a scene's futures
  std::vector<std::vector<int64_t>> words_;  // sorted
  std::vector<at::Tensor> latents_;          // f16 [C, h, w] each
  at::Tensor weight_;
};

}  // namespace

MOMAP_PLUGIN(Retrieval, "backbone/retrieval", 1,
             "Predicts the motion of the training scenes most like the given one: a control.");
