// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/stages.h>
#include <momap/data/datum.h>
#include <momap/stage/backbone.h>

// The made-up world that plugins are tried on: a square at 2 m that moves to the right in front of
// a wall at 4 m.

namespace momap::contract {

struct Probe {
  Clip clip;  // with depth, camera, poses, segments, caption and truth
  PartialClip
      partial;  // the clip's frames with a hole that moves, and a strip at the right, taken out
};

Probe make_probe(int64_t frames, int64_t height, int64_t width);

/// A probe of which no pixel is covered.
Probe make_uncovered_probe(int64_t frames, int64_t height, int64_t width);

/// What a port of this kind is given. Throws std::invalid_argument for kinds that do not travel as
/// data.
Datum datum_of(const Probe& probe, Kind kind);

/// A latent of the probe's size that no encoding has made.
Latent foreign_latent(const Probe& probe);

/// Predicts v exactly for latents that are normally distributed, each value by itself.
class GaussianBackbone final : public Backbone {
 public:
  BackboneSpec spec() const override;
  Conditioning prepare(const Condition& condition) const override;
  at::Tensor predict(const at::Tensor& noisy, const at::Tensor& noise_level,
                     const Conditioning& conditioning) const override;
};

}  // namespace momap::contract
