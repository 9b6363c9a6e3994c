// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/params/params.h>
#include <momap/stage/encoding.h>

#include <string>
#include <tuple>

#include "path_codec.h"

namespace momap::encoding {

/// Parameters that all encodings of paths have.
struct PathParams {
  int stride = 1;
  double deadband = 0.1;
  std::string upsampling = "edges";

  static auto schema() {
    return std::tuple{
        param("stride", &PathParams::stride,
              "Side of the square of pixels that shares one latent cell; 1 = every pixel its own.")
            .between(1, 64)
            .unit("px"),
        param("deadband", &PathParams::deadband,
              "A decoded path that never leaves its start by more than this (3D distance times fx "
              "/ z0) is made exactly still.")
            .at_least(0)
            .unit("px"),
        param("upsampling", &PathParams::upsampling,
              "How pixels are decoded from cells: `edges` averages the cells around without mixing "
              "across depth edges or segments; `surfaces` finds what each surface in a cell has to "
              "do with its mean, as nearly rigid bodies.")
            .one_of({"edges", "surfaces"}),
    };
  }
};

/// Paths as coordinates in a temporal basis (see PathCodec), which derived classes choose.
class PathEncoding : public Encoding {
 public:
  Latent encode(const MoMap& momap, const Context& context) override;
  MoMap decode(const Latent& latent, const Condition& condition, const Context& context) override;
  at::Tensor motion(const at::Tensor& values, const LatentSpec& spec) const override;

 protected:
  PathEncoding(std::string id, uint32_t version, const PathParams& params);

  /// For a clip of so many frames. Throws DataError for a length that cannot be encoded.
  virtual TemporalBasis basis(int64_t frames) const = 0;
  /// What tells this basis from others of the same plugin, "coefficients=8".
  virtual std::string basis_name() const = 0;

  const std::string id_;

 private:
  std::string normalization() const;
  TemporalBasis check(const Latent& latent, const Condition& condition) const;

  uint32_t version_;
  int64_t stride_;
  PathCodec codec_;
};

}  // namespace momap::encoding
