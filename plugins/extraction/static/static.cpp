// SPDX-License-Identifier: Apache-2.0
#include <momap/data/condition.h>
#include <momap/data/geometry.h>
#include <momap/plugin/plugin.h>

namespace {

/// Every point stays where it is: the control row `static` of extraction and generation. What only
/// timid predictions win against it is no gain.
class Static final : public momap::Extractor {
 public:
  struct Params {
    int64_t frames = 0;

    static auto schema() {
      return std::tuple{
          momap::param("frames", &Params::frames, "Frames of the map; 0: as many as the clip has.")
              .between(0, 4096)};
    }
  };

  explicit Static(Params params) : params_(params) {}

  momap::MoMap extract(const momap::Clip& clip, const momap::Context&) override {
    const momap::Condition condition = momap::Condition::from(clip);
    const int64_t frames = params_.frames > 0 ? params_.frames : clip.length();
    const at::Tensor valid = condition.points.select(-1, 2).gt(0);
    const at::Tensor xyz = condition.points.unsqueeze(0).repeat({frames, 1, 1, 1});
    return {xyz, valid.unsqueeze(0).repeat({frames, 1, 1}), valid, condition.camera};
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(Static, "extraction/static", 1, "Lets every point stay where it is: a control.");
