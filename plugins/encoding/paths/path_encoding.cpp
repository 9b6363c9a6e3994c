// SPDX-License-Identifier: Apache-2.0
#include "path_encoding.h"

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <momap/base/error.h>

#include <vector>

namespace momap::encoding {

PathEncoding::PathEncoding(std::string id, uint32_t version, const PathParams& params)
    : id_(std::move(id)),
      version_(version),
      stride_(params.stride),
      codec_(id_, {params.stride, params.deadband, params.upsampling == "surfaces"}) {}

std::string PathEncoding::normalization() const {
  return fmt::format("frustum displacement, {} stride={}", basis_name(), stride_);
}

Latent PathEncoding::encode(const MoMap& momap, const Context& context) {
  const at::Tensor values = codec_.encode(momap, basis(momap.frames()), context);
  return {values.unsqueeze(0),
          {id_, version_, normalization(), momap.frames(), momap.height(), momap.width()}};
}

TemporalBasis PathEncoding::check(const Latent& latent, const Condition& condition) const {
  const LatentSpec& spec = latent.spec;
  const auto fail = [&](const std::string& what) {
    throw DataError(fmt::format("{}: {}", id_, what));
  };
  if (spec.encoding != id_ || spec.version != version_) {
    fail(fmt::format("the latent was made by {} version {}; expected {} version {}", spec.encoding,
                     spec.version, id_, version_));
  }
  if (spec.normalization != normalization()) {
    fail(
        fmt::format("the latent has '{}', this step has '{}'; use the parameters it was encoded or "
                    "trained with",
                    spec.normalization, normalization()));
  }
  if (spec.frames < 1)
    fail(fmt::format("the latent says frames = {}; expected at least 1", spec.frames));
  codec_.check_condition(spec, condition);
  TemporalBasis curves = basis(spec.frames);
  const std::vector<int64_t> expected{1, 3 * curves.curves, codec_.cells(spec.height),
                                      codec_.cells(spec.width)};
  if (latent.values.sizes() != at::IntArrayRef(expected)) {
    fail(fmt::format("the latent has shape [{}], expected [{}]",
                     fmt::join(latent.values.sizes(), ", "), fmt::join(expected, ", ")));
  }
  if (!at::isfinite(latent.values).all().item<bool>())
    fail("the latent has values that are not finite");
  return curves;
}

MoMap PathEncoding::decode(const Latent& latent, const Condition& condition,
                           const Context& context) {
  const TemporalBasis curves = check(latent, condition);
  return codec_.decode(latent.values[0], curves, condition, context);
}

at::Tensor PathEncoding::motion(const at::Tensor& values, const LatentSpec& spec) const {
  return displacements(values, basis(spec.frames));
}

}  // namespace momap::encoding
