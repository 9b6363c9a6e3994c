// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/data/npz.h>
#include <momap/plugin/plugin.h>

#include <algorithm>
#include <cmath>

#include "formats/files.h"
#include "formats/images.h"
#include "formats/pose.h"
#include "formats/sequence_source.h"
#include "formats/tracks.h"

// PointOdyssey: SPLIT/SEQ/{rgbs/rgb_00000.jpg,depths/depth_00000.png,anno.npz}; annot.npz in
// version 1.0.

namespace {

namespace fs = std::filesystem;
namespace formats = momap::formats;
using formats::ClipFrames;
using momap::DataError;
using momap::param;

class PointOdysseySource final : public formats::SequenceSource {
 public:
  struct Params : formats::SequenceParams {
    std::string split = "train";

    static auto schema() {
      return std::tuple_cat(formats::SequenceParams::schema(),
                            std::tuple{param("split", &Params::split, "Folder of a split.")
                                           .one_of({"train", "val", "test", "sample"})});
    }
  };

  explicit PointOdysseySource(const Params& params)
      : SequenceSource(params), split_(root() / params.split) {}

 private:
  static constexpr double kPerMetre = 65.535;  // 65535 = 1000 m
  static constexpr double kFps = 30;
  static inline const formats::FrameFiles kFrames{"rgb_", 5, ".jpg"};

  std::vector<formats::Sequence> sequences() const override {
    std::vector<formats::Sequence> found;
    for (const auto& name : formats::folders_in(split_)) {
      const auto range = kFrames.range(split_ / name / "rgbs");
      if (range) found.push_back({name, range->first, range->last - range->first + 1});
    }
    return found;
  }

  std::string layout() const override {
    return fmt::format("{}/SEQUENCE/rgbs/rgb_00000.jpg", split_.filename().string());
  }

  fs::path folder(const ClipFrames& clip) const { return split_ / clip.sequence.name; }
  fs::path frame(const ClipFrames& clip, int64_t number) const {
    return folder(clip) / "rgbs" / kFrames.name(number);
  }
  fs::path depth(const ClipFrames& clip, int64_t number) const {
    return folder(clip) / "depths" / formats::FrameFiles{"depth_", 5, ".png"}.name(number);
  }
  fs::path annotation(const ClipFrames& clip) const {
    const fs::path old = folder(clip) / "annot.npz";
    return fs::exists(old) ? old : folder(clip) / "anno.npz";
  }

  std::vector<fs::path> files(const ClipFrames& clip) const override {
    std::vector<fs::path> all{annotation(clip)};
    for (const int64_t number : clip.numbers) {
      all.push_back(frame(clip, number));
      all.push_back(depth(clip, number));
    }
    return all;
  }

  momap::Clip read(const ClipFrames& clip, const momap::Context& context) const override {
    momap::Clip out;
    std::vector<fs::path> frames;
    for (const int64_t number : clip.numbers) frames.push_back(frame(clip, number));
    out.frames = formats::read_frames(frames, context);
    out.fps = kFps / static_cast<double>(clip.stride);
    if (fs::is_directory(folder(clip) / "depths")) {
      const auto path = [&](int64_t i) {
        return depth(clip, clip.numbers[static_cast<size_t>(i)]);
      };
      out.depth = formats::read_stack(
          clip.length(),
          [&](int64_t i) {
            at::Tensor map = formats::read_depth_png(path(i), kPerMetre);
            formats::require_size(map, out.height(), out.width(), path(i));
            return map;
          },
          [&](int64_t i) { return momap::shown(path(i)); }, context);
    }
    if (!fs::exists(annotation(clip))) {
      throw DataError(fmt::format("{}: the file is missing", momap::shown(annotation(clip))));
    }
    try {
      momap::NpzFile npz(annotation(clip));
      read_annotation(npz, clip, out);
    } catch (const momap::ConfigError& error) {
      throw DataError(error.what());  // one bad file is one bad sample
    }
    return out;
  }

  void read_annotation(momap::NpzFile& npz, const ClipFrames& clip, momap::Clip& out) const {
    const auto poses = this->poses(npz, clip);
    out.camera = camera(npz, clip, out);
    out.cam_from_world = formats::pose_tensor(poses);
    const auto whole = npz.shape("trajs_3d");
    if (whole.size() != 3 || whole[1] == 0) return;  // the test split keeps its tracks back
    formats::RawTracks raw;
    raw.xyz = rows(npz, clip, "trajs_3d", at::kFloat, {whole[1], 3}).clone();
    raw.visible =
        rows(npz, clip, npz.contains("visibs") ? "visibs" : "visibilities", at::kBool, {whole[1]});
    raw.valid =
        npz.contains("valids") ? rows(npz, clip, "valids", at::kBool, {whole[1]}) : raw.visible;
    raw.queries = at::empty({whole[1], 3}, at::kDouble).fill_(-1);
    to_cameras(poses, raw.xyz);
    out.tracks = formats::tracks_in_first_frame(raw, poses, *out.camera);
  }

  // The clip's frames of an array whose first axis is time.
  at::Tensor rows(momap::NpzFile& npz, const ClipFrames& clip, const char* name,
                  at::ScalarType type, const std::vector<int64_t>& shape) const {
    const int64_t first = clip.numbers.front() - clip.sequence.first;
    const int64_t last = clip.numbers.back() - clip.sequence.first;
    const auto whole = npz.shape(name);
    if (whole.empty() || whole[0] != clip.sequence.count) {
      throw DataError(fmt::format(
          "{}: array '{}' has shape [{}] and there are {} images; expected the same number",
          momap::shown(annotation(clip)), name, fmt::join(whole, ", "), clip.sequence.count));
    }
    const at::Tensor span = npz.read_rows(name, first, last + 1);
    const at::Tensor found = span.slice(0, 0, span.size(0), clip.stride);
    const bool number = type == at::kBool || at::isFloatingType(found.scalar_type());
    if (!number || found.sizes().slice(1) != c10::IntArrayRef(shape)) {
      throw DataError(fmt::format("{}: array '{}' is {} [{}]; expected {} [T, {}]",
                                  momap::shown(annotation(clip)), name,
                                  c10::toString(found.scalar_type()), fmt::join(whole, ", "),
                                  c10::toString(type), fmt::join(shape, ", ")));
    }
    if (type == at::kBool) require_flags(found, clip, name);
    return found.to(type).contiguous();
  }

  // Flags are stored as bool or, in older files, as numbers 0 and 1.
  void require_flags(const at::Tensor& found, const ClipFrames& clip, const char* name) const {
    const at::Tensor flags = found.to(at::kDouble).contiguous();
    const double* values = flags.data_ptr<double>();
    const auto bad =
        std::find_if_not(values, values + flags.numel(), [](double v) { return v == 0 || v == 1; });
    if (bad == values + flags.numel()) return;
    throw DataError(fmt::format("{}: array '{}' holds {}; expected 0 and 1",
                                momap::shown(annotation(clip)), name, *bad));
  }

  std::vector<Eigen::Isometry3d> poses(momap::NpzFile& npz, const ClipFrames& clip) const {
    const at::Tensor matrices = rows(npz, clip, "extrinsics", at::kDouble, {4, 4});
    std::vector<Eigen::Isometry3d> poses;
    for (int64_t t = 0; t < matrices.size(0); ++t) {
      poses.push_back(
          formats::rigid_motion(matrices.data_ptr<double>() + 16 * t, annotation(clip)));
    }
    return poses;
  }

  momap::Camera camera(momap::NpzFile& npz, const ClipFrames& clip, const momap::Clip& out) const {
    static constexpr double kTolerance = 1e-3;  // px
    const at::Tensor matrices = rows(npz, clip, "intrinsics", at::kDouble, {3, 3});
    const double* k = matrices.data_ptr<double>();
    for (int64_t t = 1; t < matrices.size(0); ++t) {
      const double* other = k + 9 * t;
      for (int i = 0; i < 9; ++i) {
        if (std::abs(other[i] - k[i]) <= kTolerance) continue;
        throw DataError(fmt::format(
            "{}: the intrinsics change between frames {} and {}; the frames of a clip share one "
            "camera: use shorter clips (frames)",
            momap::shown(annotation(clip)), clip.numbers.front(),
            clip.numbers[static_cast<size_t>(t)]));
      }
    }
    return {k[0], k[4], k[2], k[5], out.width(), out.height()};
  }

  // World to the camera of each frame.
  static void to_cameras(const std::vector<Eigen::Isometry3d>& poses, at::Tensor& xyz) {
    const int64_t count = xyz.size(1);
    float* point = xyz.data_ptr<float>();
    for (const auto& pose : poses) {
      for (int64_t n = 0; n < count; ++n, point += 3) {
        const Eigen::Vector3d p = pose * Eigen::Vector3d(point[0], point[1], point[2]);
        for (int c = 0; c < 3; ++c) point[c] = static_cast<float>(p[c]);
      }
    }
  }

  fs::path split_;
};

}  // namespace

MOMAP_PLUGIN(PointOdysseySource, "source/point_odyssey", 1,
             "Reads PointOdyssey: long rendered video with depth, camera and 3D point tracks.");
