// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "formats/files.h"
#include "formats/images.h"
#include "formats/pose.h"
#include "formats/sequence_source.h"

// Kubric MOVi dumps: a folder for each video with rgba_00000.png, depth_00000.tiff (distance along
// the ray, f32) or .png (u16 in a range), segmentation_00000.png, forward_flow_00000.png (u16 in a
// range; red = rows, green = columns), metadata.json and data_ranges.json.

namespace {

namespace fs = std::filesystem;
namespace formats = momap::formats;
using formats::ClipFrames;
using momap::DataError;
using nlohmann::json;

constexpr const char* kMetadata = "metadata.json";
constexpr const char* kRanges = "data_ranges.json";

// Members of a JSON file, checked; messages name the file and the path of keys.
class JsonFile {
 public:
  explicit JsonFile(const fs::path& path) : path_(path) {
    try {
      root_ = json::parse(formats::read_bytes(path, 256 << 20));
    } catch (const json::exception& error) {
      throw DataError(fmt::format("{}: is not JSON: {}", momap::shown(path), error.what()));
    }
  }

  const json* find(const std::string& pointer) const {
    const json::json_pointer at(pointer);
    return root_.contains(at) ? &root_.at(at) : nullptr;
  }

  double number(const std::string& pointer) const {
    const json* value = find(pointer);
    if (!value || !value->is_number()) refuse(pointer, "is not a number");
    return value->get<double>();
  }

  template <size_t N>
  std::array<double, N> numbers(const std::string& pointer) const {
    const json* value = find(pointer);
    std::array<double, N> out{};
    bool fits = value && value->is_array() && value->size() == N;
    for (size_t i = 0; fits && i < N; ++i) {
      fits = (*value)[i].is_number();
      if (fits) out[i] = (*value)[i].template get<double>();
    }
    if (!fits) refuse(pointer, fmt::format("is not a list of {} numbers", N));
    return out;
  }

 private:
  [[noreturn]] void refuse(const std::string& pointer, const std::string& what) const {
    throw DataError(fmt::format("{}: {} {}", momap::shown(path_), pointer, what));
  }

  fs::path path_;
  json root_;
};

struct Range {
  double low = 0, high = 0;
};

class MoviSource final : public formats::SequenceSource {
 public:
  struct Params : formats::SequenceParams {
    static auto schema() { return formats::SequenceParams::schema(); }
  };

  explicit MoviSource(const Params& params) : SequenceSource(params) {}

 private:
  static constexpr double kFarthest = 1e6;  // m; the sky's distance is a very large number
  static inline const formats::FrameFiles kFrames{"rgba_", 5, ".png"};

  std::vector<formats::Sequence> sequences() const override {
    std::vector<formats::Sequence> found;
    for (const auto& name : formats::folders_in(root())) {
      const auto range = kFrames.range(root() / name);
      if (range) found.push_back({name, range->first, range->last - range->first + 1});
    }
    return found;
  }

  std::string layout() const override { return "VIDEO/rgba_00000.png and VIDEO/metadata.json"; }

  fs::path file(const ClipFrames& clip, const char* kind, int64_t number,
                const char* suffix) const {
    return root() / clip.sequence.name / formats::FrameFiles{kind, 5, suffix}.name(number);
  }
  fs::path file(const ClipFrames& clip, const char* name) const {
    return root() / clip.sequence.name / name;
  }
  bool has(const ClipFrames& clip, const char* kind, const char* suffix) const {
    return formats::FrameFiles{kind, 5, suffix}.range(root() / clip.sequence.name).has_value();
  }

  std::vector<fs::path> files(const ClipFrames& clip) const override {
    std::vector<fs::path> all{file(clip, kMetadata), file(clip, kRanges),
                              file(clip, "segmentation_", clip.numbers.front(), ".png")};
    for (const int64_t number : clip.numbers) {
      all.push_back(file(clip, "rgba_", number, ".png"));
      all.push_back(file(clip, "depth_", number, ".tiff"));
      all.push_back(file(clip, "depth_", number, ".png"));
      all.push_back(file(clip, "forward_flow_", number, ".png"));
    }
    return all;
  }

  momap::Clip read(const ClipFrames& clip, const momap::Context& context) const override {
    const JsonFile metadata(file(clip, kMetadata));
    momap::Clip out;
    std::vector<fs::path> frames;
    for (const int64_t number : clip.numbers) frames.push_back(file(clip, "rgba_", number, ".png"));
    out.frames = formats::read_frames(frames, context);
    if (metadata.find("/metadata/frame_rate")) {
      out.fps = metadata.number("/metadata/frame_rate") / static_cast<double>(clip.stride);
    }
    read_cameras(metadata, clip, out);
    read_depth(clip, out, context);
    read_flow(clip, out, context);
    if (has(clip, "segmentation_", ".png")) {
      const fs::path path = file(clip, "segmentation_", clip.numbers.front(), ".png");
      out.segments = formats::read_labels(path);
      formats::require_size(*out.segments, out.height(), out.width(), path);
    }
    return out;
  }

  // Blender cameras look along -z with y up; pixel edges, not centres, are at whole numbers.
  void read_cameras(const JsonFile& metadata, const ClipFrames& clip, momap::Clip& out) const {
    const auto width = static_cast<double>(out.width()), height = static_cast<double>(out.height());
    const double focal =
        metadata.number("/camera/focal_length") / metadata.number("/camera/sensor_width") * width;
    if (!(focal > 0) || !std::isfinite(focal)) {
      throw DataError(fmt::format("{}: /camera gives a focal length of {} px; expected > 0",
                                  momap::shown(file(clip, kMetadata)), focal));
    }
    out.camera = momap::Camera{focal,       focal,       0.5 * (width - 1), 0.5 * (height - 1),
                               out.width(), out.height()};
    const Eigen::DiagonalMatrix<double, 3> turn(1, -1, -1);
    std::vector<Eigen::Isometry3d> poses;
    for (const int64_t number : clip.numbers) {
      Eigen::Isometry3d world_from_cam = formats::rigid_motion(
          metadata.numbers<4>(fmt::format("/camera/quaternions/{}", number)),
          metadata.numbers<3>(fmt::format("/camera/positions/{}", number)), file(clip, kMetadata));
      world_from_cam.linear() = world_from_cam.linear() * turn;
      poses.push_back(world_from_cam.inverse());
    }
    out.cam_from_world = formats::pose_tensor(poses);
  }

  // Where the values of 16-bit pngs lie: data_ranges.json or, as in the tfrecords, the metadata.
  Range range(const ClipFrames& clip, const std::string& key) const {
    Range range;
    if (fs::exists(file(clip, kRanges))) {
      const JsonFile ranges(file(clip, kRanges));
      range = {ranges.number("/" + key + "/min"), ranges.number("/" + key + "/max")};
    } else {
      const auto pair =
          JsonFile(file(clip, kMetadata)).numbers<2>(fmt::format("/metadata/{}_range", key));
      range = {pair[0], pair[1]};
    }
    if (!(range.high >= range.low) || !std::isfinite(range.high - range.low)) {
      throw DataError(fmt::format("{}: the range of {} is {} to {}; expected a finite one",
                                  momap::shown(root() / clip.sequence.name), key, range.low,
                                  range.high));
    }
    return range;
  }

  void read_depth(const ClipFrames& clip, momap::Clip& out, const momap::Context& context) const {
    const bool tiff = has(clip, "depth_", ".tiff");
    if (!tiff && !has(clip, "depth_", ".png")) return;
    const Range limits = tiff ? Range{} : range(clip, "depth");
    const auto path = [&](int64_t i) {
      return file(clip, "depth_", clip.numbers[static_cast<size_t>(i)], tiff ? ".tiff" : ".png");
    };
    out.depth = formats::read_stack(
        clip.length(),
        [&](int64_t i) {
          const cv::Mat stored =
              tiff ? formats::read_image(path(i), CV_32FC1, "a 32-bit float tiff of one channel")
                   : formats::read_image(path(i), CV_16UC1, "a 16-bit grey png");
          cv::Mat distance;
          stored.convertTo(distance, CV_32F, tiff ? 1 : (limits.high - limits.low) / 65535,
                           limits.low);
          at::Tensor depth = along_z(distance, *out.camera);
          formats::require_size(depth, out.height(), out.width(), path(i));
          return depth;
        },
        [&](int64_t i) { return momap::shown(path(i)); }, context);
  }

  // Distance along the ray of each pixel to depth along z.
  static at::Tensor along_z(const cv::Mat& distance, const momap::Camera& camera) {
    at::Tensor depth = at::empty({distance.rows, distance.cols}, at::kFloat);
    float* out = depth.data_ptr<float>();
    for (int y = 0; y < distance.rows; ++y) {
      const double ray_y = (y - camera.cy) / camera.fy;
      const auto* row = distance.ptr<float>(y);
      for (int x = 0; x < distance.cols; ++x) {
        const double ray_x = (x - camera.cx) / camera.fx;
        const bool known = row[x] > 0 && row[x] < kFarthest;
        *out++ =
            known ? static_cast<float>(row[x] / std::sqrt(1 + ray_x * ray_x + ray_y * ray_y)) : 0.f;
      }
    }
    return depth;
  }

  void read_flow(const ClipFrames& clip, momap::Clip& out, const momap::Context& context) const {
    if (clip.stride != 1 || clip.length() < 2 || !has(clip, "forward_flow_", ".png")) return;
    const Range limits = range(clip, "forward_flow");
    const double step = (limits.high - limits.low) / 65535;
    const auto path = [&](int64_t i) {
      return file(clip, "forward_flow_", clip.numbers[static_cast<size_t>(i)], ".png");
    };
    out.flow = formats::read_stack(
        clip.length() - 1,
        [&](int64_t i) {
          const cv::Mat png = formats::read_image(path(i), CV_16UC3, "a 16-bit RGB png");
          at::Tensor flow = at::empty({png.rows, png.cols, 2}, at::kFloat);
          float* vector = flow.data_ptr<float>();
          for (int y = 0; y < png.rows; ++y) {
            const auto* pixel = png.ptr<uint16_t>(y);  // blue, green, red
            for (int x = 0; x < png.cols; ++x, pixel += 3, vector += 2) {
              vector[0] = static_cast<float>(limits.low + step * pixel[1]);
              vector[1] = static_cast<float>(limits.low + step * pixel[2]);
            }
          }
          formats::require_size(flow, out.height(), out.width(), path(i));
          return flow;
        },
        [&](int64_t i) { return momap::shown(path(i)); }, context);
  }
};

}  // namespace

MOMAP_PLUGIN(MoviSource, "source/movi", 1,
             "Reads Kubric MOVi dumps: rendered rigid objects with depth, flow and camera.");
