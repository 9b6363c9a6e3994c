// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/data/npz.h>
#include <momap/plugin/plugin.h>

#include <cmath>

#include "formats/files.h"
#include "formats/images.h"
#include "formats/pose.h"
#include "formats/sequence_source.h"
#include "formats/tracks.h"

// TAPVid-3D: one .npz for each video. Tracks are in the camera of each frame.

namespace {

namespace fs = std::filesystem;
namespace formats = momap::formats;
using formats::ClipFrames;
using momap::DataError;

class TapVid3dSource final : public formats::SequenceSource {
 public:
  struct Params : formats::SequenceParams {
    Params() { frames = 0; }
    static auto schema() { return formats::SequenceParams::schema(); }
  };

  explicit TapVid3dSource(const Params& params) : SequenceSource(params) {}

 private:
  static constexpr const char* kImages = "images_jpeg_bytes";

  // What the archive holds is the user's file, and one bad file is one bad sample.
  template <class Act>
  static auto as_sample(Act act) {
    try {
      return act();
    } catch (const momap::ConfigError& error) {
      throw DataError(error.what());
    }
  }

  std::vector<formats::Sequence> sequences() const override {
    std::vector<formats::Sequence> found;
    for (const auto& name : formats::files_in(root(), {".npz"})) {
      int64_t frames = shortest();
      try {
        const auto shape = momap::NpzFile(root() / name).shape("tracks_XYZ");
        frames = shape.empty() ? 0 : shape[0];
      } catch (const momap::ConfigError&) {
        // Counts as one clip, so that reading it says what is wrong and the others can be read.
      }
      found.push_back({name.substr(0, name.size() - 4), 0, frames});
    }
    return found;
  }

  std::string layout() const override { return "VIDEO.npz with images_jpeg_bytes and tracks_XYZ"; }

  fs::path file(const ClipFrames& clip) const { return root() / (clip.sequence.name + ".npz"); }

  std::vector<fs::path> files(const ClipFrames& clip) const override { return {file(clip)}; }

  momap::Clip read(const ClipFrames& clip, const momap::Context& context) const override {
    return as_sample([&] {
      momap::NpzFile npz(file(clip));
      momap::Clip out;
      out.frames = frames(npz, clip, context);
      const auto k = array(npz, clip, "fx_fy_cx_cy", at::kDouble, {4});
      const double* f = k.data_ptr<double>();
      const momap::Camera camera{f[0], f[1], f[2], f[3], out.width(), out.height()};
      out.camera = camera;
      const auto poses = this->poses(npz, clip);
      if (!poses.empty()) out.cam_from_world = formats::pose_tensor(poses);
      out.tracks = tracks(npz, clip, poses, camera);
      return out;
    });
  }

  // A whole array, converted to `type`; -1 in the shape allows any size.
  at::Tensor array(momap::NpzFile& npz, const ClipFrames& clip, const char* name,
                   at::ScalarType type, const std::vector<int64_t>& shape) const {
    const at::Tensor found = npz.read(name);
    return checked(found, clip, name, type, shape);
  }

  // The clip's frames of an array whose first axis is time.
  at::Tensor rows(momap::NpzFile& npz, const ClipFrames& clip, const char* name,
                  at::ScalarType type, std::vector<int64_t> shape) const {
    const auto whole = npz.shape(name);
    if (whole.empty() || whole[0] != clip.sequence.count) {
      throw DataError(fmt::format(
          "{}: array '{}' has shape [{}] and 'tracks_XYZ' {} frames; expected the same number",
          momap::shown(file(clip)), name, fmt::join(whole, ", "), clip.sequence.count));
    }
    const int64_t first = clip.numbers.front(), last = clip.numbers.back();
    const at::Tensor span = npz.read_rows(name, first, last + 1);
    shape.insert(shape.begin(), -1);
    return checked(span.slice(0, 0, span.size(0), clip.stride).contiguous(), clip, name, type,
                   shape);
  }

  at::Tensor checked(const at::Tensor& found, const ClipFrames& clip, const char* name,
                     at::ScalarType type, const std::vector<int64_t>& shape) const {
    bool fits = found.dim() == static_cast<int64_t>(shape.size()) &&
                (type == at::kBool || type == at::kByte ? found.scalar_type() == type
                                                        : at::isFloatingType(found.scalar_type()));
    for (size_t d = 0; fits && d < shape.size(); ++d) {
      fits = shape[d] < 0 || found.size(static_cast<int64_t>(d)) == shape[d];
    }
    if (!fits) {
      throw DataError(
          fmt::format("{}: array '{}' is {} [{}]; expected {} [{}] (-1 = any)",
                      momap::shown(file(clip)), name, c10::toString(found.scalar_type()),
                      fmt::join(found.sizes(), ", "), c10::toString(type), fmt::join(shape, ", ")));
    }
    return found.to(type).contiguous();
  }

  at::Tensor frames(momap::NpzFile& npz, const ClipFrames& clip,
                    const momap::Context& context) const {
    const at::Tensor jpegs = rows(npz, clip, kImages, at::kByte, {-1});
    const auto width = static_cast<size_t>(jpegs.size(1));
    const auto place = [&](int64_t i) {
      return fmt::format("{}: image {}", momap::shown(file(clip)),
                         clip.numbers[static_cast<size_t>(i)]);
    };
    return formats::read_stack(
        jpegs.size(0),
        [&](int64_t i) {
          std::string_view bytes(
              static_cast<const char*>(jpegs.data_ptr()) + static_cast<size_t>(i) * width, width);
          while (bytes.ends_with('\0')) bytes.remove_suffix(1);  // padding of the longest
          return formats::decode_rgb(bytes, place(i));
        },
        place, context);
  }

  // Empty where the file has none: its camera does not move.
  std::vector<Eigen::Isometry3d> poses(momap::NpzFile& npz, const ClipFrames& clip) const {
    std::vector<Eigen::Isometry3d> poses;
    if (!npz.contains("extrinsics_w2c")) return poses;
    const at::Tensor matrices = rows(npz, clip, "extrinsics_w2c", at::kDouble, {4, 4});
    for (int64_t t = 0; t < matrices.size(0); ++t) {
      poses.push_back(formats::rigid_motion(matrices.data_ptr<double>() + 16 * t, file(clip)));
    }
    return poses;
  }

  std::optional<momap::Tracks> tracks(momap::NpzFile& npz, const ClipFrames& clip,
                                      std::vector<Eigen::Isometry3d> poses,
                                      const momap::Camera& camera) const {
    formats::RawTracks raw;
    raw.xyz = rows(npz, clip, "tracks_XYZ", at::kFloat, {-1, 3});
    const int64_t count = raw.xyz.size(1);
    raw.visible = rows(npz, clip, "visibility", at::kBool, {count});
    raw.valid = at::ones(raw.visible.sizes(), at::kBool);
    raw.queries = array(npz, clip, "queries_xyt", at::kDouble, {count, 3}).clone();
    double* query = raw.queries.data_ptr<double>();
    for (int64_t n = 0; n < count; ++n, query += 3) {
      if (!std::isfinite(query[0]) || !std::isfinite(query[1]) || !std::isfinite(query[2])) {
        throw DataError(fmt::format("{}: array 'queries_xyt' is not finite at [{}]",
                                    momap::shown(file(clip)), n));
      }
      const double frame =
          (query[2] - static_cast<double>(clip.numbers.front())) / static_cast<double>(clip.stride);
      const bool inside =
          frame >= 0 && frame < static_cast<double>(clip.length()) && frame == std::floor(frame);
      query[2] = inside ? frame : -1;
    }
    if (poses.empty()) {
      poses.assign(static_cast<size_t>(clip.length()), Eigen::Isometry3d::Identity());
    }
    return formats::tracks_in_first_frame(raw, poses, camera);
  }
};

}  // namespace

MOMAP_PLUGIN(TapVid3dSource, "source/tapvid3d", 1,
             "Reads TAPVid-3D: real video with 3D point tracks, one npz file for each.");
