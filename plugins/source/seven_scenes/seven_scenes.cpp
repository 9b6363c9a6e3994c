// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>

#include "formats/files.h"
#include "formats/images.h"
#include "formats/pose.h"
#include "formats/sequence_source.h"

// 7-Scenes: SCENE/seq-01/frame-000000.{color.png,depth.png,pose.txt}. The path may be the data set,
// a scene or one sequence.

namespace {

namespace fs = std::filesystem;
namespace formats = momap::formats;
using formats::ClipFrames;

class SevenScenesSource final : public formats::SequenceSource {
 public:
  struct Params : formats::SequenceParams {
    static auto schema() { return formats::SequenceParams::schema(); }
  };

  explicit SevenScenesSource(const Params& params) : SequenceSource(params) {}

 private:
  static constexpr int kDeepest = 2;  // data set / scene / sequence
  static constexpr double kFocal = 585, kCentreX = 320, kCentreY = 240;  // px, at 640 x 480
  static constexpr double kFps = 30;
  static constexpr double kPerMetre = 1000;
  static constexpr uint16_t kUnknown = 65535;
  static inline const formats::FrameFiles kPoses{"frame-", 6, ".pose.txt"};

  std::vector<formats::Sequence> sequences() const override {
    std::vector<formats::Sequence> found;
    find(root(), "", 0, found);
    return found;
  }

  static void find(const fs::path& folder, const std::string& name, int depth,
                   std::vector<formats::Sequence>& found) {
    if (const auto range = kPoses.range(folder)) {
      found.push_back({name.empty() ? folder_name(folder) : name, range->first,
                       range->last - range->first + 1});
      return;
    }
    if (depth == kDeepest) return;
    for (const auto& inner : formats::folders_in(folder)) {
      find(folder / inner, name.empty() ? inner : fmt::format("{}/{}", name, inner), depth + 1,
           found);
    }
  }

  static std::string folder_name(const fs::path& folder) {
    const fs::path path = folder.lexically_normal();
    return (path.has_filename() ? path : path.parent_path()).filename().string();
  }

  std::string layout() const override { return "SCENE/seq-01/frame-000000.pose.txt"; }

  fs::path folder_of(const ClipFrames& clip) const {
    return kPoses.range(root()) ? root() : root() / clip.sequence.name;
  }

  static fs::path file(const fs::path& folder, int64_t number, const char* suffix) {
    return folder / formats::FrameFiles{"frame-", 6, suffix}.name(number);
  }

  static fs::path colour(const fs::path& folder, int64_t number) {
    const fs::path jpg = file(folder, number, ".color.jpg");
    return fs::exists(jpg) ? jpg : file(folder, number, ".color.png");
  }

  std::vector<fs::path> files(const ClipFrames& clip) const override {
    const fs::path folder = folder_of(clip);
    std::vector<fs::path> all{folder / kIntrinsics};
    for (const int64_t number : clip.numbers) {
      all.push_back(colour(folder, number));
      all.push_back(file(folder, number, ".depth.png"));
      all.push_back(file(folder, number, ".pose.txt"));
    }
    return all;
  }

  momap::Clip read(const ClipFrames& clip, const momap::Context& context) const override {
    const fs::path folder = folder_of(clip);
    momap::Clip out;
    std::vector<fs::path> frames;
    std::vector<Eigen::Isometry3d> poses;
    for (const int64_t number : clip.numbers) {
      frames.push_back(colour(folder, number));
      const fs::path pose = file(folder, number, ".pose.txt");
      poses.push_back(
          formats::rigid_motion(formats::read_numbers(pose, 16).data(), pose).inverse());
    }
    out.frames = formats::read_frames(frames, context);
    out.fps = kFps / static_cast<double>(clip.stride);
    const auto path = [&](int64_t i) {
      return file(folder, clip.numbers[static_cast<size_t>(i)], ".depth.png");
    };
    out.depth = formats::read_stack(
        clip.length(),
        [&](int64_t i) {
          at::Tensor depth = formats::read_depth_png(path(i), kPerMetre, kUnknown);
          formats::require_size(depth, out.height(), out.width(), path(i));
          return depth;
        },
        [&](int64_t i) { return momap::shown(path(i)); }, context);
    out.camera = camera(folder, out);
    out.cam_from_world = formats::pose_tensor(poses);
    return out;
  }

  static momap::Camera camera(const fs::path& folder, const momap::Clip& clip) {
    momap::Camera camera{kFocal, kFocal, kCentreX, kCentreY, clip.width(), clip.height()};
    if (fs::exists(folder / kIntrinsics)) {
      const auto k = formats::read_numbers(folder / kIntrinsics, 9);
      camera.fx = k[0];
      camera.fy = k[4];
      camera.cx = k[2];
      camera.cy = k[5];
    }
    return camera;
  }

  static constexpr const char* kIntrinsics = "camera-intrinsics.txt";  // in some copies
};

}  // namespace

MOMAP_PLUGIN(SevenScenesSource, "source/seven_scenes", 1,
             "Reads 7-Scenes: RGB-D video of static rooms with camera poses.");
