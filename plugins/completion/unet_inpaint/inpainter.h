// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <plate/complete.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace momap::inpaint {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// All that decides the names and shapes of the parameters.
struct Architecture {
  int64_t width = 32;  ///< channels at half resolution; twice, three, four times that below
  int64_t levels = 4;  ///< resolutions, the first half of the picture's, each half of the one above

  bool operator==(const Architecture&) const = default;
};

/// What the network sees of a picture, and the colours it starts from.
struct Question {
  at::Tensor seen;      // f32 [1, kSeen, H, W]
  at::Tensor colour;    // f32 [1, 3, H, W], 0 to 1; holes filled roughly
  at::Tensor contrast;  // f32 [1, 1, H, W], deviation of the sure colours around
};

Question ask(const completion::Picture& picture);

/// A U-Net (Ronneberger 2015) that says what to add to a rough filling, in units of the contrast
/// around. It sees the rough colours against the mean around, in the same units, which of them are
/// holes or unsure, and how deep they lie.
class Inpainter {
 public:
  Inpainter(const Architecture& architecture, uint64_t seed);
  ~Inpainter();

  const Architecture& architecture() const { return architecture_; }
  const NamedTensors& parameters() const;

  /// Colours f32 [1, 3, H, W], about 0 to 1, of every pixel. Any H and W; differentiable in the
  /// parameters.
  at::Tensor paint(const Question& question) const;

  /// Repaints the holes of a picture, part by part, so that what the network holds does not grow
  /// with it.
  void refine(const completion::Picture& picture) const;

 private:
  struct Layers;
  Architecture architecture_;
  std::unique_ptr<Layers> layers_;
};

/// Throws ConfigError with all that is wrong with the file.
std::unique_ptr<Inpainter> load_inpainter(const std::filesystem::path& path);

/// As f16, written aside and renamed.
void save_inpainter(const std::filesystem::path& path, const Architecture& architecture,
                    const NamedTensors& parameters, const std::string& card);

/// See Completer::loss; `rounds` of BackgroundParams.
at::Tensor painting_loss(const Inpainter& inpainter, const PartialClip& partial, const Clip& truth,
                         int64_t crop_px, int rounds, uint64_t seed);

}  // namespace momap::inpaint
