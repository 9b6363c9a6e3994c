// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/condition.h>
#include <momap/data/latent.h>
#include <momap/data/momap.h>
#include <momap/stage/stage.h>

#include <memory>
#include <mutex>
#include <string>

#include "temporal_basis.h"

class SurfacePatches;

namespace momap::encoding {

/// Displacements from frame 0 in frustum units, (fx/W) dx/z0, (fy/H) dy/z0 and dz/z0, as their
/// coordinates in a temporal basis, averaged over cells of stride x stride valid pixels. Channel
/// 3 k + axis belongs to curve k.
class PathCodec {
 public:
  struct Options {
    int64_t stride = 1;     // px
    double deadband = 0.1;  // px: a path that never leaves its start by more is exactly still
    bool surfaces = false;  // see SurfacePatches; otherwise EdgeAwareUpsampling
  };

  /// `owner` is the plugin, for messages.
  PathCodec(std::string owner, const Options& options);
  ~PathCodec();

  /// f32 [3 K, h, w], h = ceil(H / stride). Throws DataError for positions that are not finite at
  /// valid pixels and for cameras that do not fit.
  at::Tensor encode(const MoMap& momap, const TemporalBasis& basis, const Context& context) const;

  /// Frame 0 is the condition's point map to the bit.
  MoMap decode(const at::Tensor& coordinates, const TemporalBasis& basis,
               const Condition& condition, const Context& context);

  /// Throws DataError unless the condition is of the size of the latent and has a camera.
  void check_condition(const LatentSpec& spec, const Condition& condition) const;

  int64_t cells(int64_t pixels) const { return (pixels + options_.stride - 1) / options_.stride; }

 private:
  std::shared_ptr<const SurfacePatches> surfaces_of(const Condition& condition);
  void check_camera(const Camera& camera, int64_t height, int64_t width, const char* of) const;

  std::string owner_;
  Options options_;
  // Of the scene decoded last: samplers draw many futures of one.
  std::mutex mutex_;
  std::string last_scene_;
  std::shared_ptr<const SurfacePatches> last_surfaces_;
};

/// Displacements from frame 0, f32 [B, T, 3, h, w] in frustum units, of coordinates f32
/// [B, 3 K, h, w]; differentiable.
at::Tensor displacements(const at::Tensor& coordinates, const TemporalBasis& basis);

/// The other way round.
at::Tensor coordinates(const at::Tensor& displacements, const TemporalBasis& basis);

}  // namespace momap::encoding
