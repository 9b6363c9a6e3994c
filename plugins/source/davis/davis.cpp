// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "formats/files.h"
#include "formats/images.h"
#include "formats/sequence_source.h"

// DAVIS: JPEGImages/480p/SEQ/00000.jpg, Annotations/480p/SEQ/00000.png (palette index or 0/255),
// ImageSets/2017/val.txt.

namespace {

namespace fs = std::filesystem;
namespace formats = momap::formats;
using formats::ClipFrames;
using momap::param;

class DavisSource final : public formats::SequenceSource {
 public:
  struct Params : formats::SequenceParams {
    std::string resolution = "480p";
    std::string image_set;

    static auto schema() {
      return std::tuple_cat(
          formats::SequenceParams::schema(),
          std::tuple{param("resolution", &Params::resolution, "Which images.")
                         .one_of({"480p", "Full-Resolution", "1080p"}),
                     param("image_set", &Params::image_set,
                           "A list in ImageSets, as \"2017/val\"; empty = every sequence.")});
    }
  };

  explicit DavisSource(const Params& params)
      : SequenceSource(params),
        images_(root() / "JPEGImages" / params.resolution),
        masks_(root() / "Annotations" / params.resolution),
        image_set_(params.image_set) {}

 private:
  std::vector<formats::Sequence> sequences() const override {
    std::vector<formats::Sequence> found;
    const auto wanted = listed();
    for (const auto& name : formats::folders_in(images_)) {
      const auto range = kFrames.range(images_ / name);
      if (!range || (!image_set_.empty() && !wanted.contains(name))) continue;
      found.push_back({name, range->first, range->last - range->first + 1});
    }
    for (const auto& name : wanted) {
      if (std::ranges::find(found, name, &formats::Sequence::name) == found.end()) {
        throw momap::DataError(
            fmt::format("{}: names the sequence '{}', but {} is missing or empty",
                        momap::shown(list_file()), name, momap::shown(images_ / name)));
      }
    }
    return found;
  }

  fs::path list_file() const { return root() / "ImageSets" / (image_set_ + ".txt"); }

  // A line is a sequence's name (2017) or "/JPEGImages/480p/SEQ/00000.jpg /Annotations/..." (2016).
  std::set<std::string> listed() const {
    std::set<std::string> names;
    if (image_set_.empty()) return names;
    std::istringstream text(formats::read_bytes(list_file(), 64 << 20));
    for (std::string word; text >> word; text.ignore(1 << 20, '\n')) {
      const fs::path path(word);
      names.insert(path.has_parent_path() ? path.parent_path().filename().string() : word);
    }
    return names;
  }

  std::string layout() const override {
    return fmt::format("JPEGImages/{}/SEQUENCE/00000.jpg", images_.filename().string());
  }

  std::vector<fs::path> frame_files(const ClipFrames& clip) const {
    std::vector<fs::path> frames;
    for (const int64_t number : clip.numbers) {
      frames.push_back(images_ / clip.sequence.name / kFrames.name(number));
    }
    return frames;
  }

  // The test sets have masks for their first frame or none at all.
  fs::path mask_file(const ClipFrames& clip) const {
    return masks_ / clip.sequence.name /
           formats::FrameFiles{"", 5, ".png"}.name(clip.numbers.front());
  }

  std::vector<fs::path> files(const ClipFrames& clip) const override {
    auto all = frame_files(clip);
    all.push_back(mask_file(clip));
    return all;
  }

  momap::Clip read(const ClipFrames& clip, const momap::Context& context) const override {
    momap::Clip out;
    out.frames = formats::read_frames(frame_files(clip), context);
    out.fps = kFps / static_cast<double>(clip.stride);
    const fs::path path = mask_file(clip);
    if (!fs::exists(path)) return out;
    const at::Tensor labels = formats::read_labels(path);
    formats::require_size(labels, out.height(), out.width(), path);
    const int32_t* ids = labels.data_ptr<int32_t>();
    const bool foreground_only =
        std::all_of(ids, ids + labels.numel(), [](int32_t id) { return id == 0 || id == 255; });
    out.segments = labels;
    if (foreground_only) {  // DAVIS 2016: 255 = the object
      for (int64_t i = 0; i < labels.numel(); ++i) {
        out.segments->data_ptr<int32_t>()[i] = ids[i] == 255 ? 1 : 0;
      }
    }
    return out;
  }

  static inline const formats::FrameFiles kFrames{"", 5, ".jpg"};
  static constexpr double kFps = 24;

  fs::path images_, masks_;
  std::string image_set_;
};

}  // namespace

MOMAP_PLUGIN(DavisSource, "source/davis", 1,
             "Reads DAVIS: real video with object masks (those of the clip's first frame).");
