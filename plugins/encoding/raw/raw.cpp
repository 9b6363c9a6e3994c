// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/plugin/plugin.h>

#include "path_encoding.h"

namespace {

using momap::encoding::PathParams;

constexpr const char* kId = "encoding/raw";
constexpr uint32_t kVersion = 1;

/// The paths as they are, frame by frame.
class Raw final : public momap::encoding::PathEncoding {
 public:
  struct Params : PathParams {
    int frames = 24;

    static auto schema() {
      using momap::param;
      return std::tuple_cat(
          std::tuple{param("frames", &Params::frames,
                           "Longest clip, which decides the number of channels: three a frame. "
                           "Those of the frames a shorter clip lacks are zero.")
                         .between(1, 1024)},
          PathParams::schema());
    }
  };

  explicit Raw(const Params& params)
      : PathEncoding(kId, kVersion, params), frames_(params.frames) {}

 protected:
  momap::encoding::TemporalBasis basis(int64_t frames) const override {
    if (frames > frames_) {
      throw momap::DataError(
          fmt::format("{}: the motion map has {} frames, more than parameter 'frames' = {}; raise "
                      "it or read shorter clips",
                      kId, frames, frames_));
    }
    return momap::encoding::instants(frames_, frames);
  }
  std::string basis_name() const override { return fmt::format("frames={}", frames_); }

 private:
  int64_t frames_;
};

}  // namespace

MOMAP_PLUGIN(Raw, "encoding/raw", 1,
             "Frustum-normalised displacements, frame by frame: nothing is lost over time.");
