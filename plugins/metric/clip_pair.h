// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/base/error.h>
#include <momap/data/clip.h>
#include <momap/data/score.h>
#include <momap/stage/inputs.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace momap::clip_metric {

/// The pixels over which a picture metric is taken.
enum class Region { all, covered, disoccluded };

inline constexpr std::array kRegions{Region::all, Region::covered, Region::disoccluded};

inline constexpr std::string_view name_of(Region region) {
  constexpr std::array<std::string_view, 3> kNames{"all", "covered", "disoccluded"};
  return kNames[static_cast<size_t>(region)];
}

/// A result and its reference on the same frames, contiguous.
struct ClipPair {
  at::Tensor result;                  // u8 [T, H, W, 3]
  at::Tensor reference;               // u8 [T, H, W, 3]
  std::optional<at::Tensor> covered;  // bool [T, H, W], what warping showed of the result

  int64_t frames() const { return result.size(0); }
  int64_t height() const { return result.size(1); }
  int64_t width() const { return result.size(2); }

  /// The first frame that counts. Frame 0 of a video is given; a single frame that was warped is a
  /// picture with holes.
  int64_t first() const { return frames() == 1 && covered ? 0 : 1; }

  /// Whether pixel i of [T, H, W] belongs to the region; needs `covered` unless the region is
  /// `all`.
  bool contains(Region region, int64_t i) const {
    return region == Region::all || covered->data_ptr<bool>()[i] == (region == Region::covered);
  }

  /// Why no value can be given for the region whatever the pixels; "" when it can.
  std::string undefined_reason(Region region) const {
    if (first() >= frames()) return "the clip has no frame after frame 0, which is given";
    if (region != Region::all && !covered) return "the result has no 'covered' mask";
    return "";
  }
};

/// Reads the ports `result` and `reference`. Throws DataError when their sizes differ; `owner` is
/// the metric.
inline ClipPair clip_pair(const Inputs& inputs, std::string_view owner) {
  const Clip& result = *inputs.get<Clip>("result");
  const Clip& reference = *inputs.get<Clip>("reference");
  for (const Clip* clip : {&result, &reference}) {
    if (clip->frames.scalar_type() != at::kByte || clip->frames.dim() != 4 ||
        clip->frames.size(3) != 3) {
      throw DataError(fmt::format("{}: frames are {} {}; expected u8 [T, H, W, 3]", owner,
                                  at::toString(clip->frames.scalar_type()),
                                  clip->frames.sizes().vec()));
    }
  }
  if (result.length() != reference.length()) {
    throw DataError(
        fmt::format("{}: the result has {} frames but the reference {}; give both the same length",
                    owner, result.length(), reference.length()));
  }
  if (result.height() != reference.height() || result.width() != reference.width()) {
    throw DataError(
        fmt::format("{}: the result is {} x {} px but the reference {} x {}; resize one of them",
                    owner, result.width(), result.height(), reference.width(), reference.height()));
  }
  ClipPair pair{result.frames.contiguous(), reference.frames.contiguous(), std::nullopt};
  if (result.covered) {
    if (result.covered->scalar_type() != at::kBool ||
        result.covered->sizes() != pair.result.sizes().slice(0, 3)) {
      throw DataError(fmt::format(
          "{}: 'covered' of the result is {} {}; expected bool [T, H, W] as its frames", owner,
          at::toString(result.covered->scalar_type()), result.covered->sizes().vec()));
    }
    pair.covered = result.covered->contiguous();
  }
  return pair;
}

}  // namespace momap::clip_metric
