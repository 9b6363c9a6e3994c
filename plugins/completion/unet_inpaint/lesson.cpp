// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/base/error.h>
#include <momap/base/random.h>
#include <plate/plate.h>
#include <plate/textures.h>

#include <algorithm>

#include "inpainter.h"

namespace momap::inpaint {
namespace {

// The same part of every frame.
struct Part {
  PartialClip partial;
  at::Tensor truth;  // u8 [T, h, w, 3]
};

// Around one of `holes` (i64 [N, 2]), which lies anywhere in the middle half.
Part cut(const PartialClip& partial, const at::Tensor& truth, const at::Tensor& holes,
         int64_t crop_px, Random& random) {
  const at::Tensor at = holes[random.below(holes.size(0))];
  const auto begin = [&](int64_t axis, int64_t size) {
    const int64_t length = std::min(crop_px, size);
    const int64_t before = length / 4 + random.below(length / 2 + 1);
    return std::clamp<int64_t>(at[axis].item<int64_t>() - before, 0, size - length);
  };
  const int64_t height = partial.frames.size(1), width = partial.frames.size(2);
  const int64_t top = begin(0, height), left = begin(1, width);
  const auto part = [&](const at::Tensor& maps) {
    return maps.narrow(1, top, std::min(crop_px, height)).narrow(2, left, std::min(crop_px, width));
  };
  return {{part(partial.frames), part(partial.covered), part(partial.depth), partial.dropped, 0},
          part(truth)};
}

// One of the eight ways to lay a square on itself.
Part turn(const Part& part, Random& random) {
  const bool upside_down = random.below(2) == 1, mirrored = random.below(2) == 1;
  const bool transposed = random.below(2) == 1;
  const auto turned = [&](at::Tensor maps) {
    if (upside_down) maps = maps.flip({1});
    if (mirrored) maps = maps.flip({2});
    if (transposed) maps = maps.transpose(1, 2);
    return maps.contiguous();
  };
  return {{turned(part.partial.frames), turned(part.partial.covered), turned(part.partial.depth),
           part.partial.dropped, 0},
          turned(part.truth)};
}

// What is truly seen in each hole, from the first frame that has it: colours f32 [1, 3, h, w].
at::Tensor answer(const Part& part) {
  const at::Tensor hole = part.partial.covered.logical_not();  // [T, h, w]
  const at::Tensor first = hole.to(at::kByte).argmax(0);       // [h, w]
  const auto grid = first.sizes();
  const at::Tensor at = first.view({1, grid[0], grid[1], 1}).expand({1, grid[0], grid[1], 3});
  return part.truth.gather(0, at).permute({0, 3, 1, 2}).to(at::kFloat).div(255);
}

}  // namespace

at::Tensor painting_loss(const Inpainter& inpainter, const PartialClip& partial, const Clip& truth,
                         int64_t crop_px, int rounds, uint64_t seed) {
  if (truth.frames.sizes() != partial.frames.sizes()) {
    throw DataError(
        fmt::format("completion/unet_inpaint: the true frames are {}, those with holes "
                    "{}; expected one size",
                    truth.frames.sizes().vec(), partial.frames.sizes().vec()));
  }
  const at::Tensor holes = partial.covered.logical_not().any(0).nonzero();
  if (holes.size(0) == 0) return {};
  Random random(seed);
  const Part part = turn(cut(partial, truth.frames, holes, crop_px, random), random);
  if (!part.partial.covered.any().item<bool>()) {
    throw DataError("completion/unet_inpaint: nothing is covered around a hole of the example");
  }
  completion::Plate plate = completion::make_plate(part.partial, {});
  const int64_t height = part.truth.size(1), width = part.truth.size(2);
  const completion::Picture picture{
      plate.rgb.data(), plate.hole.data(), plate.sure.data(), plate.depth.data(), height, width};
  completion::continue_textures(picture, rounds);
  const Question question = ask(picture);
  const at::Tensor painted = inpainter.paint(question);
  const at::Tensor counts =
      at::from_blob(plate.hole.data(), {1, 1, height, width}, at::kByte).to(at::kFloat);
  const double values = 3 * counts.sum().item<double>();
  // In units of the contrast, so that no picture counts more because it is harsher.
  const at::Tensor error = (painted - answer(part)) / question.contrast * counts;
  // PSNR asks for the root mean square; the mean error beside it keeps single pixels from ruling.
  return (error.square().sum() / values + 1e-6).sqrt() + error.abs().sum() / values;
}

}  // namespace momap::inpaint
