// SPDX-License-Identifier: Apache-2.0
#include "formats/sintel.h"

#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>

#include <limits>

#include "formats/files.h"
#include "formats/flow.h"
#include "formats/images.h"
#include "formats/pose.h"
#include "formats/sequence_source.h"
#include "formats/truth.h"

// MPI-Sintel: SPLIT/{clean,final,albedo}/SEQ/frame_0001.png ..., flow/SEQ/frame_0001.flo (to the
// next frame), occlusions and invalid masks; the depth add-on: depth/SEQ/*.dpt,
// camdata_left/SEQ/*.cam.

namespace {

namespace fs = std::filesystem;
namespace formats = momap::formats;
using formats::ClipFrames;
using momap::DataError;
using momap::param;

class SintelSource final : public formats::SequenceSource {
 public:
  struct Params : formats::SequenceParams {
    std::string split = "training";
    std::string render_pass = "final";

    static auto schema() {
      return std::tuple_cat(
          formats::SequenceParams::schema(),
          std::tuple{param("split", &Params::split, "Which half of the data set.")
                         .one_of({"training", "test"}),
                     param("render_pass", &Params::render_pass,
                           "Images: with all effects, without blur and haze, or without light.")
                         .one_of({"final", "clean", "albedo"})});
    }
  };

  explicit SintelSource(const Params& params)
      : SequenceSource(params), split_(root() / params.split), pass_(params.render_pass) {}

 private:
  std::vector<formats::Sequence> sequences() const override {
    std::vector<formats::Sequence> found;
    for (const auto& name : formats::folders_in(split_ / pass_)) {
      const auto range = kFrames.range(split_ / pass_ / name);
      if (range) found.push_back({name, range->first, range->last - range->first + 1});
    }
    return found;
  }

  std::string layout() const override {
    return fmt::format("{}/{}/SEQUENCE/frame_0001.png", split_.filename().string(), pass_);
  }

  fs::path file(const ClipFrames& clip, const char* kind, int64_t number,
                const char* suffix) const {
    return split_ / kind / clip.sequence.name /
           formats::FrameFiles{"frame_", 4, suffix}.name(number);
  }

  bool has(const ClipFrames& clip, const char* kind) const {
    return fs::is_directory(split_ / kind / clip.sequence.name);
  }

  // Flow leads to the very next frame only, and there is none from the last frame of a sequence.
  bool has_flow(const ClipFrames& clip) const {
    return clip.stride == 1 && clip.length() > 1 && has(clip, "flow");
  }

  std::vector<fs::path> files(const ClipFrames& clip) const override {
    std::vector<fs::path> all;
    for (const int64_t number : clip.numbers) {
      all.push_back(file(clip, pass_.c_str(), number, ".png"));
      all.push_back(file(clip, "depth", number, ".dpt"));
      all.push_back(file(clip, "camdata_left", number, ".cam"));
      if (!has_flow(clip) || number == clip.numbers.back()) continue;
      all.push_back(file(clip, "flow", number, ".flo"));
      all.push_back(file(clip, "occlusions", number, ".png"));
      all.push_back(file(clip, "invalid", number, ".png"));
    }
    return all;
  }

  momap::Clip read(const ClipFrames& clip, const momap::Context& context) const override {
    momap::Clip out;
    std::vector<fs::path> frames;
    for (const int64_t number : clip.numbers) {
      frames.push_back(file(clip, pass_.c_str(), number, ".png"));
    }
    out.frames = formats::read_frames(frames, context);
    out.fps = kFps / static_cast<double>(clip.stride);
    if (has_flow(clip)) read_flow(clip, out, context);
    if (has(clip, "camdata_left")) read_cameras(clip, out);
    if (has(clip, "depth")) {
      out.depth = stack(
          clip, clip.length(), "depth", ".dpt",
          [&](const fs::path& path) { return formats::read_dpt(path); }, out, context);
    }
    const bool exact = out.flow && out.occluded && out.depth && out.camera && clip.length() == 2;
    if (exact) out.truth.push_back({.motion = motion(out), .caption = "", .actions = {}});
    return out;
  }

  // One tensor for each of the first `count` frames, of the frames' size.
  template <class Read>
  at::Tensor stack(const ClipFrames& clip, int64_t count, const char* kind, const char* suffix,
                   Read read_one, const momap::Clip& out, const momap::Context& context) const {
    const auto path = [&](int64_t i) {
      return file(clip, kind, clip.numbers[static_cast<size_t>(i)], suffix);
    };
    return formats::read_stack(
        count,
        [&](int64_t i) {
          at::Tensor map = read_one(path(i));
          formats::require_size(map, out.height(), out.width(), path(i));
          return map;
        },
        [&](int64_t i) { return momap::shown(path(i)); }, context);
  }

  void read_flow(const ClipFrames& clip, momap::Clip& out, const momap::Context& context) const {
    const int64_t pairs = clip.length() - 1;
    out.flow = stack(clip, pairs, "flow", ".flo", formats::read_flo, out, context);
    if (has(clip, "occlusions")) {
      out.occluded = stack(clip, pairs, "occlusions", ".png", formats::read_mask, out, context);
    }
    if (!has(clip, "invalid")) return;
    const at::Tensor invalid =
        stack(clip, pairs, "invalid", ".png", formats::read_mask, out, context);
    float* flow = out.flow->data_ptr<float>();
    for (int64_t i = 0; i < invalid.numel(); ++i) {
      if (invalid.data_ptr<bool>()[i]) {
        flow[2 * i] = flow[2 * i + 1] = std::numeric_limits<float>::quiet_NaN();
      }
    }
  }

  void read_cameras(const ClipFrames& clip, momap::Clip& out) const {
    std::vector<Eigen::Isometry3d> poses;
    momap::Camera camera;
    for (const int64_t number : clip.numbers) {
      const fs::path path = file(clip, "camdata_left", number, ".cam");
      auto found = formats::read_cam(path);
      found.camera.width = out.width();
      found.camera.height = out.height();
      if (poses.empty()) camera = found.camera;
      if (found.camera != camera) {
        throw DataError(fmt::format(
            "{}: fx = {}, and {} in frame {}; the frames of a clip share one camera: use shorter "
            "clips (frames)",
            momap::shown(path), found.camera.fx, camera.fx, clip.numbers.front()));
      }
      poses.push_back(found.cam_from_world);
    }
    out.camera = camera;
    out.cam_from_world = formats::pose_tensor(poses);
  }

  static momap::MoMap motion(const momap::Clip& clip) {
    const at::Tensor flow = (*clip.flow)[0];
    const at::Tensor z = formats::depth_along_flow((*clip.depth)[1], flow);
    const double* poses = clip.cam_from_world->data_ptr<double>();
    return formats::pair_motion(
        (*clip.depth)[0], formats::points_along_flow(flow, z, *clip.camera), (*clip.occluded)[0],
        *clip.camera,
        formats::rigid_motion(poses, "") * formats::rigid_motion(poses + 16, "").inverse());
  }

  static inline const formats::FrameFiles kFrames{"frame_", 4, ".png"};
  static constexpr double kFps = 24;

  fs::path split_;
  std::string pass_;
};

}  // namespace

MOMAP_PLUGIN(SintelSource, "source/sintel", 1,
             "Reads MPI-Sintel: frames with flow, occlusion, depth and camera where they are.");
