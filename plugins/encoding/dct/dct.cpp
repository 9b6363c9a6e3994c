// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/plugin/plugin.h>

#include "path_encoding.h"

namespace {

using momap::encoding::PathParams;

constexpr const char* kId = "encoding/dct";
constexpr uint32_t kVersion = 1;

/// The low frequencies of the paths: the first coefficients of their DCT over time.
class Dct final : public momap::encoding::PathEncoding {
 public:
  struct Params : PathParams {
    int coefficients = 8;

    static auto schema() {
      using momap::param;
      return std::tuple_cat(
          std::tuple{
              param("coefficients", &Params::coefficients,
                    "How many DCT coefficients over time are kept; a clip with fewer frames is "
                    "exact.")
                  .between(1, 256)},
          PathParams::schema());
    }
  };

  explicit Dct(const Params& params)
      : PathEncoding(kId, kVersion, params), coefficients_(params.coefficients) {}

 protected:
  momap::encoding::TemporalBasis basis(int64_t frames) const override {
    return momap::encoding::cosines(coefficients_, frames);
  }
  std::string basis_name() const override { return fmt::format("coefficients={}", coefficients_); }

 private:
  int64_t coefficients_;
};

}  // namespace

MOMAP_PLUGIN(Dct, "encoding/dct", 1,
             "Keeps the low frequencies over time of frustum-normalised displacements.");
