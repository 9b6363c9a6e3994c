// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/full.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>

#include <limits>

#include "formats/files.h"
#include "formats/flow.h"
#include "formats/images.h"
#include "formats/sequence_source.h"

// Middlebury flow: other-data/SEQ/frame07.png ... frame14.png, other-gt-flow/SEQ/flow10.flo (frame
// 10 to 11), and SEQ/frame10i11.png, the photograph half-way between frames 10 and 11.

namespace {

namespace fs = std::filesystem;
namespace formats = momap::formats;
using formats::ClipFrames;
using momap::param;

class MiddleburyFlowSource final : public formats::SequenceSource {
 public:
  struct Params {
    std::string path;
    std::string images = "other-data";
    std::string truth = "other-gt-flow";
    std::string sequence;
    std::string content = "pair";

    static auto schema() {
      return std::tuple{
          param("path", &Params::path, "Folder of the data set.").required(),
          param("images", &Params::images,
                "Folder in it with a folder of frames for each scene (other-data, eval-data, "
                "other-color-allframes ...)."),
          param("truth", &Params::truth,
                "Folder in it with SCENE/flow10.flo; flow is absent where the folder or scene is."),
          param("sequence", &Params::sequence, "Read this scene only; empty = all."),
          param("content", &Params::content,
                "pair: frames 10 and 11. between: frames 10, 10i11 (half-way) and 11; the flow is "
                "that of the pair and is left out. all: every frame; flow from frame 10 only.")
              .one_of({"pair", "between", "all"})};
    }
  };

  explicit MiddleburyFlowSource(const Params& params)
      : SequenceSource(whole_scenes(params)),
        images_(root() / params.images),
        truth_(root() / params.truth),
        content_(params.content) {}

 private:
  static constexpr int64_t kReference = 10;

  static formats::SequenceParams whole_scenes(const Params& params) {
    formats::SequenceParams cut;
    cut.path = params.path;
    cut.sequence = params.sequence;
    cut.frames = 0;
    return cut;
  }

  std::vector<formats::Sequence> sequences() const override {
    std::vector<formats::Sequence> found;
    for (const auto& name : formats::folders_in(images_)) {
      const auto range = formats::FrameFiles{"frame", 2, ".png"}.range(images_ / name);
      if (!range) continue;
      if (content_ == "between") {
        if (fs::exists(images_ / name / kBetween)) found.push_back({name, kReference, 3});
      } else if (content_ == "pair") {
        found.push_back({name, kReference, 2});
      } else {
        found.push_back({name, range->first, range->last - range->first + 1});
      }
    }
    return found;
  }

  std::string layout() const override {
    return fmt::format("{}/SCENE/{}", images_.filename().string(),
                       content_ == "between" ? kBetween : "frame10.png");
  }

  std::vector<fs::path> frame_files(const ClipFrames& clip) const {
    const fs::path folder = images_ / clip.sequence.name;
    if (content_ == "between") {
      return {folder / "frame10.png", folder / kBetween, folder / "frame11.png"};
    }
    std::vector<fs::path> frames;
    for (const int64_t number : clip.numbers) {
      frames.push_back(folder / formats::FrameFiles{"frame", 2, ".png"}.name(number));
    }
    return frames;
  }

  fs::path flow_file(const ClipFrames& clip) const {
    return truth_ / clip.sequence.name / "flow10.flo";
  }

  std::vector<fs::path> files(const ClipFrames& clip) const override {
    auto all = frame_files(clip);
    all.push_back(flow_file(clip));
    return all;
  }

  momap::Clip read(const ClipFrames& clip, const momap::Context& context) const override {
    momap::Clip out;
    out.frames = formats::read_frames(frame_files(clip), context);
    const bool has_flow =
        content_ != "between" && out.length() > 1 && fs::is_directory(truth_ / clip.sequence.name);
    if (!has_flow) return out;
    const at::Tensor flow = formats::read_flo(flow_file(clip));
    formats::require_size(flow, out.height(), out.width(), flow_file(clip));
    const int64_t pair = kReference - clip.sequence.first;
    if (pair < 0 || pair >= out.length() - 1) return out;
    out.flow = at::full({out.length() - 1, out.height(), out.width(), 2},
                        std::numeric_limits<float>::quiet_NaN(), at::kFloat);
    (*out.flow)[pair].copy_(flow);
    return out;
  }

  static constexpr const char* kBetween = "frame10i11.png";

  fs::path images_, truth_;
  std::string content_;
};

}  // namespace

MOMAP_PLUGIN(MiddleburyFlowSource, "source/middlebury_flow", 1,
             "Reads Middlebury flow: frames with dense flow, or the true in-between photograph.");
