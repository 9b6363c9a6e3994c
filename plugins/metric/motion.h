// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/base/clones.h>
#include <momap/base/error.h>
#include <momap/data/clip.h>
#include <momap/stage/inputs.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace momap::metric {

/// A motion map with its arrays dense and at hand; keeps them alive.
class Motion {
 public:
  /// Throws DataError when shapes or types do not fit; `what` and `owner` are for messages.
  Motion(const MoMap& momap, std::string what, std::string_view owner)
      : what_(std::move(what)), owner_(owner), camera_(momap.camera) {
    const auto grid = momap.xyz.sizes();
    const bool fits =
        momap.xyz.dim() == 4 && grid[3] == 3 && momap.xyz.scalar_type() == at::kFloat &&
        momap.valid.scalar_type() == at::kBool && momap.valid.sizes() == grid.slice(1, 2) &&
        momap.visible.scalar_type() == at::kBool && momap.visible.sizes() == grid.slice(0, 3);
    if (!fits) {
      throw DataError(fmt::format(
          "{}: {}: xyz {}, visible {}, valid {} do not fit; expected f32 [T, H, W, 3], "
          "bool [T, H, W], bool [H, W]",
          owner_, what_, grid.vec(), momap.visible.sizes().vec(), momap.valid.sizes().vec()));
    }
    tensors_ = {momap.xyz.contiguous(), momap.visible.contiguous(), momap.valid.contiguous()};
    frames_ = grid[0], height_ = grid[1], width_ = grid[2];
    xyz_ = tensors_[0].data_ptr<float>();
    visible_ = tensors_[1].data_ptr<bool>();
    valid_ = tensors_[2].data_ptr<bool>();
  }

  int64_t frames() const { return frames_; }
  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t pixels() const { return height_ * width_; }
  const Camera& camera() const { return camera_; }

  /// Position of pixel i in frame t: 3 floats, metres; of no meaning unless `valid(i)`.
  const float* at(int64_t t, int64_t i) const { return xyz_ + 3 * (t * pixels() + i); }
  const bool* visible_from(int64_t t, int64_t i) const { return visible_ + t * pixels() + i; }
  bool visible(int64_t t, int64_t i) const { return visible_[t * pixels() + i]; }
  bool valid(int64_t i) const { return valid_[i]; }

  /// Largest distance of pixel i from its place in frame 0, metres.
  double peak(int64_t i) const;
  /// The same of pixels [first, last), frame by frame as they lie in memory.
  std::vector<double> peaks(int64_t first, int64_t last) const;

  /// Throws DataError when T, H, W differ from those of `other`.
  void require_size_of(const Motion& other) const {
    if (frames_ == other.frames_ && height_ == other.height_ && width_ == other.width_) return;
    throw DataError(
        fmt::format("{}: {} is [{}, {}, {}] but {} [{}, {}, {}] ([T, H, W]); give both the same "
                    "frames and size",
                    owner_, what_, frames_, height_, width_, other.what_, other.frames_,
                    other.height_, other.width_));
  }

  /// Throws DataError naming the first position that is not finite although marked valid. Called
  /// where a sum came out not finite.
  void require_finite() const {
    for (int64_t t = 0; t < frames_; ++t) {
      for (int64_t i = 0; i < pixels(); ++i) {
        const float* p = at(t, i);
        if (!valid(i) || std::isfinite(p[0] + p[1] + p[2])) continue;
        throw DataError(
            fmt::format("{}: {}: frame {}, pixel x = {}, y = {}: a position is not finite although "
                        "marked valid; the step that made the motion map is at fault",
                        owner_, what_, t, i % width_, i / width_));
      }
    }
  }
  [[noreturn]] void refuse_not_finite() const {
    require_finite();
    throw DataError(fmt::format("{}: {}: positions are too large to be compared", owner_, what_));
  }

 private:
  std::string what_;
  std::string_view owner_;
  Camera camera_;
  std::vector<at::Tensor> tensors_;
  int64_t frames_ = 0, height_ = 0, width_ = 0;
  const float* xyz_ = nullptr;
  const bool* visible_ = nullptr;
  const bool* valid_ = nullptr;
};

inline double squared_distance(const float* a, const float* b) {
  const double dx = static_cast<double>(a[0]) - b[0];
  const double dy = static_cast<double>(a[1]) - b[1];
  const double dz = static_cast<double>(a[2]) - b[2];
  return dx * dx + dy * dy + dz * dz;
}

inline double distance(const float* a, const float* b) { return std::sqrt(squared_distance(a, b)); }

inline double Motion::peak(int64_t i) const {
  double squares = 0;
  for (int64_t t = 1; t < frames_; ++t)
    squares = std::max(squares, squared_distance(at(t, i), at(0, i)));
  return std::sqrt(squares);
}

/// Raises numbers to the squared distances of two lists of points where those are larger.
MOMAP_CLONES inline void raise_to_squared_distances(const float* a, const float* b, int64_t count,
                                                    double* out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = std::max(out[i], squared_distance(a + 3 * i, b + 3 * i));
  }
}

inline std::vector<double> Motion::peaks(int64_t first, int64_t last) const {
  std::vector<double> out(last - first);
  for (int64_t t = 1; t < frames_; ++t) {
    raise_to_squared_distances(at(t, first), at(0, first), last - first, out.data());
  }
  for (double& peak : out) peak = std::sqrt(peak);
  return out;
}

/// The true futures of a clip; there must be at least one. Throws DataError.
inline const std::vector<Future>& true_futures(const Clip& clip, std::string_view owner) {
  if (clip.truth.empty()) {
    throw DataError(
        fmt::format("{}: the reference clip has no true motion; take a source that knows it, such "
                    "as a synthetic one, or give a motion map",
                    owner));
  }
  return clip.truth;
}

/// The motion at the port `reference`: a motion map, or the true motion that a clip's frames show.
inline Motion reference_motion(const Inputs& inputs, std::string_view owner) {
  const auto* momap = inputs.get<MoMap>("reference");
  const MoMap& motion =
      momap ? *momap : true_futures(*inputs.get<Clip>("reference"), owner).front().motion;
  return {motion, "the reference", owner};
}

/// The motion at the port `result`, of the reference's size.
inline Motion result_motion(const Inputs& inputs, const Motion& reference, std::string_view owner) {
  Motion result(*inputs.get<MoMap>("result"), "the result", owner);
  result.require_size_of(reference);
  return result;
}

}  // namespace momap::metric
