// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/params/params.h>
#include <momap/stage/backbone.h>
#include <momap/stage/encoding.h>
#include <momap/train/lesson.h>

namespace momap {

/// One example of a training set.
struct TrainingItem {
  at::Tensor latent;  // f32 [C, h, w], as the encoding made it
  at::Tensor valid;   // f32 [h, w], share of the cell's pixels with evidence; undefined: all
  Conditioning conditioning;  // B = 1, from Backbone::prepare
};

/// Examples read on demand; sizes h, w may differ between them.
class TrainingSet {
 public:
  virtual ~TrainingSet() = default;
  virtual int64_t size() const = 0;

  /// Example i in [0, size()), always the same. Called from several threads at once. Throws
  /// DataError for one that cannot be used.
  virtual TrainingItem item(int64_t i) const = 0;
};

/// What the loss of a denoiser counts.
struct DenoisingOptions {
  double l1 = 0;
  double decoded_l1 = 0;
  double perceptual = 0;
  double motion_weight = 0;
  double drop_text = 0.1;
  double drop_image = 0.05;

  static auto schema() {
    return std::tuple{
        param("l1", &DenoisingOptions::l1,
              "Weight of the L1 error of the clean latent; favours medians over means.")
            .at_least(0),
        param("decoded_l1", &DenoisingOptions::decoded_l1,
              "Weight of the L1 error of decoded motion, in percent of the view frustum (image "
              "widths, depth). Counts the less the noisier the latent was.")
            .at_least(0),
        param("perceptual", &DenoisingOptions::perceptual,
              "Weight of the distance of decoded motion as a frozen network sees it: the encoding "
              "named by `perceptual_network`, or the latent's own. Counts the less the noisier the "
              "latent was.")
            .at_least(0),
        param("motion_weight", &DenoisingOptions::motion_weight,
              "How much more the cell that moves most counts than a still one. Above 0, where "
              "still and moving are "
              "both possible, moving is drawn too often.")
            .at_least(0),
        param("drop_text", &DenoisingOptions::drop_text,
              "Share of examples shown without text, for guidance.")
            .between(0, 1),
        param("drop_image", &DenoisingOptions::drop_image,
              "Share of examples shown without image, points and segments.")
            .between(0, 1),
    };
  }
};

/// What losses on decoded motion need; unused, and possibly null, where their weights are 0.
struct MotionDecoders {
  const Encoding* latent = nullptr;   ///< that made the latents
  const Encoding* network = nullptr;  ///< whose features are compared
};

/// Teaches a backbone on which `begin_training` was called to tell latents from noise.
class DenoisingLesson final : public Lesson {
 public:
  DenoisingLesson(const Backbone& backbone, const TrainingSet& set, const DenoisingOptions& options,
                  const MotionDecoders& decoders = {});

  int64_t size() const override { return set_.size(); }
  std::vector<std::pair<std::string, at::Tensor>> parameters() const override {
    return backbone_.parameters();
  }
  at::Tensor loss(const std::vector<Slot>& slots, const SkipExample& skip) const override;
  void save(const std::filesystem::path& path,
            const std::vector<std::pair<std::string, at::Tensor>>& averaged,
            const std::string& card) const override {
    backbone_.save(path, averaged, card);
  }
  std::string settings() const override;

 private:
  const Backbone& backbone_;
  const TrainingSet& set_;
  DenoisingOptions options_;
  MotionDecoders decoders_;
};

}  // namespace momap
