// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/hash.h>
#include <momap/base/random.h>
#include <momap/stage/feature_distance.h>
#include <momap/stage/noise_schedule.h>
#include <momap/train/denoising.h>

#include <cmath>
#include <optional>

#include "settings_text.h"

namespace momap {
namespace {

// One example as the network sees it, and what it should say.
struct Question {
  at::Tensor clean;   // f32 [C, h, w], in units of the scale
  at::Tensor noisy;   // f32 [C, h, w]
  at::Tensor target;  // f32 [C, h, w]
  at::Tensor weight;  // f32 [h, w], sums to 1 (or 0 without evidence)
  NoiseLevel amplitude;
  double time;
  Conditioning conditioning;
};

at::Tensor cell_weights(const TrainingItem& item, const at::Tensor& clean, double motion_weight) {
  at::Tensor weight = item.valid.defined() ? item.valid.to(at::kFloat)
                                           : at::ones(clean.sizes().slice(1), at::kFloat);
  if (motion_weight > 0) {
    const at::Tensor motion = clean.square().mean(0).sqrt();
    const double most = motion.max().item<double>();
    if (most > 0) weight = weight * (1 + motion_weight / most * motion);
  }
  const double sum = weight.sum().item<double>();
  return sum > 0 ? weight / sum : weight;
}

at::Tensor target_of(Prediction kind, const at::Tensor& clean, const at::Tensor& noise,
                     NoiseLevel at) {
  switch (kind) {
    case Prediction::epsilon:
      return noise;
    case Prediction::x0:
      return clean;
    case Prediction::v:
      return at.alpha * noise - at.sigma * clean;
    case Prediction::flow:
      return noise - clean;
  }
  throw std::logic_error("training: a kind of prediction it does not know");
}

at::Tensor clean_of(Prediction kind, const at::Tensor& noisy, const at::Tensor& predicted,
                    NoiseLevel at) {
  switch (kind) {
    case Prediction::epsilon:
      return (noisy - at.sigma * predicted) / std::max(at.alpha, 1e-3);
    case Prediction::x0:
      return predicted;
    case Prediction::v:
      return at.alpha * noisy - at.sigma * predicted;
    case Prediction::flow:
      return (noisy - at.sigma * predicted) / (at.alpha + at.sigma);
  }
  throw std::logic_error("training: a kind of prediction it does not know");
}

Question ask(const BackboneSpec& spec, const TrainingSet& set, const DenoisingOptions& options,
             const Slot& slot) {
  const TrainingItem item = set.item(slot.item);
  if (item.latent.dim() != 3 || item.latent.size(0) != spec.channels) {
    throw DataError(fmt::format("training item {}: latent has shape [{}], expected [{}, h, w]",
                                slot.item, fmt::join(item.latent.sizes(), ", "), spec.channels));
  }
  Random random(slot.seed);
  const bool with_text = random.uniform() >= options.drop_text;
  const bool with_image = random.uniform() >= options.drop_image;
  at::Tensor noise = at::empty(item.latent.sizes(), at::kFloat);
  random.fill_normal({noise.data_ptr<float>(), static_cast<size_t>(noise.numel())});

  const double time = spec.schedule.training_time(slot.noise_level);
  const NoiseLevel at = spec.schedule.at(time);
  const at::Tensor clean = item.latent / spec.scale.view({-1, 1, 1});
  const Conditioning& given = item.conditioning;
  return {clean,
          at.alpha * clean + at.sigma * noise,
          target_of(spec.prediction, clean, noise, at),
          cell_weights(item, clean, options.motion_weight),
          at,
          time,
          {with_image ? given.spatial : at::zeros_like(given.spatial),
           with_text ? given.tokens : at::zeros_like(given.tokens),
           with_text || !given.text.defined() ? given.text : at::zeros_like(given.text)}};
}

at::Tensor stack(const std::vector<Question>& questions, at::Tensor Question::*member) {
  std::vector<at::Tensor> rows;
  for (const Question& question : questions) rows.push_back(question.*member);
  return at::stack(rows);
}

// The losses on decoded motion of one example. They count by the share of signal in what the
// network saw: from noise alone it can know no more than the mean of what is possible.
at::Tensor decoded_loss(const MotionDecoders& decoders, const BackboneSpec& spec,
                        const DenoisingOptions& options, const Question& q,
                        const at::Tensor& guessed) {
  constexpr double kPercent = 100;
  const auto decoded = [&](const at::Tensor& clean) {
    return decoders.latent->motion((clean * spec.scale.view({-1, 1, 1})).unsqueeze(0), spec.latent);
  };
  const at::Tensor motion = decoded(guessed), truth = decoded(q.clean);  // [1, T, 3, h', w']
  at::Tensor sum = at::zeros({}, at::kFloat);
  if (options.decoded_l1 > 0) {
    const int64_t h = motion.size(3), w = motion.size(4);
    at::Tensor weight = at::upsample_nearest2d(q.weight.unsqueeze(0).unsqueeze(0), {h, w})[0][0];
    weight = weight / weight.sum().clamp_min(1e-12);
    const at::Tensor error = (motion - truth)[0].abs().mean(at::IntArrayRef{0, 1});
    sum = sum + options.decoded_l1 * kPercent * (error * weight).sum();
  }
  if (options.perceptual > 0) {
    sum = sum + options.perceptual * feature_distance(decoders.network->features(motion),
                                                      decoders.network->features(truth))[0];
  }
  return q.amplitude.alpha * q.amplitude.alpha * sum;
}

// Of questions of one size.
at::Tensor loss_of(const Backbone& backbone, const BackboneSpec& spec,
                   const DenoisingOptions& options, const MotionDecoders& decoders,
                   const std::vector<Question>& questions) {
  std::vector<at::Tensor> spatial;
  std::vector<at::Tensor> tokens;
  std::vector<at::Tensor> text;
  at::Tensor time = at::empty({static_cast<int64_t>(questions.size())}, at::kFloat);
  for (size_t i = 0; i < questions.size(); ++i) {
    spatial.push_back(questions[i].conditioning.spatial);
    tokens.push_back(questions[i].conditioning.tokens);
    if (questions[i].conditioning.text.defined()) text.push_back(questions[i].conditioning.text);
    time.data_ptr<float>()[i] = static_cast<float>(questions[i].time);
  }
  const at::Tensor predicted = backbone.predict(
      stack(questions, &Question::noisy), time,
      {at::cat(spatial), at::cat(tokens), text.empty() ? at::Tensor() : at::cat(text)});
  const at::Tensor weight =
      stack(questions, &Question::weight).unsqueeze(1) / static_cast<double>(predicted.size(1));
  at::Tensor loss = ((predicted - stack(questions, &Question::target)).square() * weight).sum();
  if (options.l1 > 0 || options.decoded_l1 > 0 || options.perceptual > 0) {
    for (size_t i = 0; i < questions.size(); ++i) {
      const Question& q = questions[i];
      const auto row = static_cast<int64_t>(i);
      const at::Tensor guessed = clean_of(spec.prediction, q.noisy, predicted[row], q.amplitude);
      if (options.l1 > 0) {
        loss = loss + options.l1 * ((guessed - q.clean).abs() * weight[row]).sum();
      }
      if (options.decoded_l1 > 0 || options.perceptual > 0) {
        loss = loss + decoded_loss(decoders, spec, options, q, guessed);
      }
    }
  }
  return loss;
}

}  // namespace

DenoisingLesson::DenoisingLesson(const Backbone& backbone, const TrainingSet& set,
                                 const DenoisingOptions& options, const MotionDecoders& decoders)
    : backbone_(backbone), set_(set), options_(options), decoders_(decoders) {}

std::string DenoisingLesson::settings() const { return settings_text(options_); }

at::Tensor DenoisingLesson::loss(const std::vector<Slot>& slots, const SkipExample& skip) const {
  const BackboneSpec spec = backbone_.spec();
  at::Tensor sum;
  std::vector<Question> alike;  // consecutive examples of one size go through the network together
  const auto flush = [&] {
    if (alike.empty()) return;
    const at::Tensor loss = loss_of(backbone_, spec, options_, decoders_, alike);
    sum = sum.defined() ? sum + loss : loss;
    alike.clear();
  };
  for (const Slot& slot : slots) {
    std::optional<Question> question;
    try {
      question = ask(spec, set_, options_, slot);
    } catch (const DataError& error) {
      if (!skip) throw;
      skip(slot.item, error.what());
      continue;
    }
    if (!alike.empty() && alike.back().clean.sizes() != question->clean.sizes()) flush();
    alike.push_back(std::move(*question));
  }
  flush();
  return sum;
}

}  // namespace momap
