// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/data/geometry.h>
#include <momap/plugin/plugin.h>

#include "formats/files.h"
#include "formats/flow.h"
#include "formats/images.h"
#include "formats/sequence_source.h"
#include "formats/truth.h"

// DeepDeform: SPLIT/seq000/{color/000000.jpg,depth/000000.png,intrinsics.txt,
// optical_flow/NAME_000000_000110.oflow,scene_flow/NAME_000000_000110.sflow,mask/NAME_000000.png}.

namespace {

namespace fs = std::filesystem;
namespace formats = momap::formats;
using formats::ClipFrames;
using momap::DataError;
using momap::param;

// The frames of a pair, and its name where flow is known for it.
struct Pair {
  std::string name;  // "shirt_000000_000110"; "" = without truth
  int64_t source = 0, target = 0;
};

class DeepDeformSource final : public formats::SequenceSource {
 public:
  struct Params {
    std::string path;
    std::string split = "train";
    std::string sequence;
    bool camera_relative_truth = false;

    static auto schema() {
      return std::tuple{
          param("path", &Params::path, "Folder of the data set.").required(),
          param("split", &Params::split, "Test has images only.").one_of({"train", "val", "test"}),
          param("sequence", &Params::sequence, "Read this sequence only; empty = all."),
          param(
              "camera_relative_truth", &Params::camera_relative_truth,
              "Give the scene flow as truth[0]. It is relative to the hand-held camera, as if the "
              "camera stood still; the data set does not tell how it moves.")};
    }
  };

  explicit DeepDeformSource(const Params& params)
      : SequenceSource(one_by_one(params)),
        split_(root() / params.split),
        relative_truth_(params.camera_relative_truth) {}

 private:
  static constexpr double kPerMetre = 1000;

  // The k-th "frame" of a sequence stands for its k-th pair.
  static formats::SequenceParams one_by_one(const Params& params) {
    formats::SequenceParams cut;
    cut.path = params.path;
    cut.sequence = params.sequence;
    cut.frames = 1;
    return cut;
  }

  std::vector<formats::Sequence> sequences() const override {
    std::vector<formats::Sequence> found;
    for (const auto& name : formats::folders_in(split_)) {
      const auto count = static_cast<int64_t>(pairs_of(split_ / name).size());
      if (count > 0) found.push_back({name, 0, count});
    }
    return found;
  }

  std::string layout() const override {
    return fmt::format("{}/seq000/color/000000.jpg and optical_flow/*.oflow",
                       split_.filename().string());
  }

  // Those with flow or, where a sequence has none, neighbouring images.
  static std::vector<Pair> pairs_of(const fs::path& folder) {
    std::vector<Pair> pairs;
    for (const auto& file : formats::files_in(folder / "optical_flow", {".oflow"})) {
      const std::string name = file.substr(0, file.size() - 6);
      const auto parts = momap::split(name, '_');
      const auto number = [&](size_t from_end) -> std::optional<int64_t> {
        if (parts.size() <= from_end) return std::nullopt;
        const auto values = formats::parse_numbers(parts[parts.size() - from_end]);
        if (!values || values->size() != 1) return std::nullopt;
        return static_cast<int64_t>((*values)[0]);
      };
      const auto source = number(2), target = number(1);
      if (!source || !target) {
        throw DataError(fmt::format("{}: is not named NAME_SOURCE_TARGET.oflow",
                                    momap::shown(folder / "optical_flow" / file)));
      }
      pairs.push_back({name, *source, *target});
    }
    if (!pairs.empty()) return pairs;
    std::vector<int64_t> numbers;
    for (const auto& file : formats::files_in(folder / "color", {".jpg"})) {
      const auto values = formats::parse_numbers(file.substr(0, file.size() - 4));
      if (values && values->size() == 1) numbers.push_back(static_cast<int64_t>((*values)[0]));
    }
    for (size_t i = 0; i + 1 < numbers.size(); ++i) {
      pairs.push_back({"", numbers[i], numbers[i + 1]});
    }
    return pairs;
  }

  fs::path folder(const ClipFrames& clip) const { return split_ / clip.sequence.name; }
  Pair pair_of(const ClipFrames& clip) const {
    return pairs_of(folder(clip)).at(static_cast<size_t>(clip.numbers.front()));
  }
  static fs::path numbered(const fs::path& folder, int64_t number, const char* suffix) {
    return folder / formats::FrameFiles{"", 6, suffix}.name(number);
  }
  fs::path mask(const ClipFrames& clip, const Pair& pair) const {  // of the source frame
    return folder(clip) / "mask" / (pair.name.substr(0, pair.name.rfind('_')) + ".png");
  }

  std::vector<fs::path> files(const ClipFrames& clip) const override {
    const Pair pair = pair_of(clip);
    const fs::path at = folder(clip);
    std::vector<fs::path> all{at / "intrinsics.txt"};
    for (const int64_t number : {pair.source, pair.target}) {
      all.push_back(numbered(at / "color", number, ".jpg"));
      all.push_back(numbered(at / "depth", number, ".png"));
    }
    if (pair.name.empty()) return all;
    all.push_back(at / "optical_flow" / (pair.name + ".oflow"));
    all.push_back(at / "scene_flow" / (pair.name + ".sflow"));
    all.push_back(mask(clip, pair));
    return all;
  }

  momap::Clip read(const ClipFrames& clip, const momap::Context& context) const override {
    const Pair pair = pair_of(clip);
    const fs::path at = folder(clip);
    const std::vector<fs::path> depths{numbered(at / "depth", pair.source, ".png"),
                                       numbered(at / "depth", pair.target, ".png")};
    momap::Clip out;
    out.frames = formats::read_frames(
        {numbered(at / "color", pair.source, ".jpg"), numbered(at / "color", pair.target, ".jpg")},
        context);
    out.depth = formats::read_stack(
        2,
        [&](int64_t i) {
          const fs::path& path = depths[static_cast<size_t>(i)];
          at::Tensor depth = formats::read_depth_png(path, kPerMetre);
          formats::require_size(depth, out.height(), out.width(), path);
          return depth;
        },
        [&](int64_t i) { return momap::shown(depths[static_cast<size_t>(i)]); }, context);
    const auto k = formats::read_numbers(at / "intrinsics.txt", 16);
    out.camera = momap::Camera{k[0], k[5], k[2], k[6], out.width(), out.height()};
    if (!pair.name.empty()) read_truth(clip, pair, out);
    return out;
  }

  void read_truth(const ClipFrames& clip, const Pair& pair, momap::Clip& out) const {
    const fs::path flow_path = folder(clip) / "optical_flow" / (pair.name + ".oflow");
    const at::Tensor flow = formats::read_oflow(flow_path);
    formats::require_size(flow, out.height(), out.width(), flow_path);
    out.flow = flow.unsqueeze(0);
    if (fs::exists(mask(clip, pair))) {
      const at::Tensor labels = formats::read_labels(mask(clip, pair));
      formats::require_size(labels, out.height(), out.width(), mask(clip, pair));
      out.segments = at::empty(labels.sizes(), at::kInt);
      for (int64_t i = 0; i < labels.numel(); ++i) {
        out.segments->data_ptr<int32_t>()[i] = labels.data_ptr<int32_t>()[i] != 0 ? 1 : 0;
      }
    }
    if (!relative_truth_) return;
    const fs::path path = folder(clip) / "scene_flow" / (pair.name + ".sflow");
    const at::Tensor step = formats::read_sflow(path);
    formats::require_size(step, out.height(), out.width(), path);
    out.truth.push_back({.motion = motion(step, out), .caption = "", .actions = {}});
  }

  // The second point is seen where the flow leads: the set gives flow for what both images show.
  static momap::MoMap motion(const at::Tensor& step, const momap::Clip& clip) {
    const at::Tensor hidden = at::zeros({clip.height(), clip.width()}, at::kBool);
    const at::Tensor first = momap::unproject((*clip.depth)[0], *clip.camera);
    return formats::pair_motion((*clip.depth)[0], first.add(step), hidden, *clip.camera,
                                Eigen::Isometry3d::Identity());
  }

  fs::path split_;
  bool relative_truth_;
};

}  // namespace

MOMAP_PLUGIN(DeepDeformSource, "source/deepdeform", 1,
             "Reads DeepDeform: RGB-D pairs of deforming objects with dense flow.");
