// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/data/npy.h>
#include <momap/graph/yaml.h>
#include <momap/plugin/plugin.h>

#include <cmath>
#include <numbers>

#include "formats/files.h"
#include "formats/images.h"
#include "formats/pfm.h"
#include "formats/sequence_source.h"
#include "formats/sintel.h"

// A folder of images in the order of their names, or a folder of such folders; beside them, if
// wanted, a folder of depth files in the same order and a camera file.

namespace {

namespace fs = std::filesystem;
namespace formats = momap::formats;
using formats::ClipFrames;
using momap::ConfigError;
using momap::DataError;
using momap::param;

const std::vector<std::string> kImageSuffixes{".png", ".jpg",  ".jpeg", ".ppm", ".bmp",
                                              ".PNG", ".webp", ".JPG",  ".tif", ".tiff"};
const std::vector<std::string> kDepthSuffixes{".png", ".pfm", ".dpt", ".npy"};

// fx, fy, cx, cy in px.
struct CameraFile {
  double fx = 0, fy = 0, cx = 0, cy = 0;

  static auto schema() {
    return std::tuple{param("fx", &CameraFile::fx, "Focal length.").unit("px").above(0),
                      param("fy", &CameraFile::fy, "Focal length; 0 = fx.").unit("px").at_least(0),
                      param("cx", &CameraFile::cx, "Principal point.").unit("px"),
                      param("cy", &CameraFile::cy, "Principal point.").unit("px")};
  }
};

class ImageFolderSource final : public formats::SequenceSource {
 public:
  struct Params : formats::SequenceParams {
    double fps = 0;
    double fov_degrees = 60;
    std::string camera;
    std::string depth;
    double depth_per_metre = 1000;
    std::string caption;

    static auto schema() {
      return std::tuple_cat(
          formats::SequenceParams::schema(),
          std::tuple{
              param("fps", &Params::fps, "Images a second; 0 = unknown.").unit("Hz").at_least(0),
              param("fov_degrees", &Params::fov_degrees,
                    "Horizontal field of view, where there is no camera file.")
                  .unit("degrees")
                  .above(0)
                  .below(180),
              param("camera", &Params::camera,
                    "YAML file with fx, fy, cx, cy in px (pixel centres at whole numbers).")
                  .file(),
              param("depth", &Params::depth,
                    "Folder of depth files, one for each image in the same order (16-bit png, pfm, "
                    "dpt, npy); with a folder of folders, one of the same name in each."),
              param("depth_per_metre", &Params::depth_per_metre,
                    "What one metre is in the depth files.")
                  .above(0),
              param("caption", &Params::caption, "Caption given to every clip.")});
    }
  };

  explicit ImageFolderSource(const Params& params) : SequenceSource(params), params_(params) {}

 private:
  std::vector<formats::Sequence> sequences() const override {
    std::vector<formats::Sequence> found;
    const auto count = [](const fs::path& folder) {
      return static_cast<int64_t>(formats::files_in(folder, kImageSuffixes).size());
    };
    if (const int64_t images = count(root())) return {{root_name(), 0, images}};
    for (const auto& name : formats::folders_in(root())) {
      if (const int64_t images = count(root() / name)) found.push_back({name, 0, images});
    }
    return found;
  }

  std::string root_name() const {
    const fs::path path = fs::absolute(root()).lexically_normal();
    return (path.has_filename() ? path : path.parent_path()).filename().string();
  }

  std::string layout() const override { return "images in it or in its folders"; }

  bool flat() const { return !formats::files_in(root(), kImageSuffixes).empty(); }
  fs::path image_folder(const ClipFrames& clip) const {
    return flat() ? root() : root() / clip.sequence.name;
  }
  fs::path depth_folder(const ClipFrames& clip) const {
    return flat() ? fs::path(params_.depth) : root() / clip.sequence.name / params_.depth;
  }

  // The clip's files of a folder that must hold one for each image.
  static std::vector<fs::path> chosen(const fs::path& folder,
                                      const std::vector<std::string>& suffixes,
                                      const ClipFrames& clip) {
    const auto names = formats::files_in(folder, suffixes);
    if (static_cast<int64_t>(names.size()) != clip.sequence.count) {
      throw DataError(fmt::format(
          "{}: holds {} files ({}) and there are {} images; expected one "
          "for each",
          momap::shown(folder), names.size(), fmt::join(suffixes, " "), clip.sequence.count));
    }
    std::vector<fs::path> out;
    for (const int64_t number : clip.numbers) {
      out.push_back(folder / names[static_cast<size_t>(number)]);
    }
    return out;
  }

  std::vector<fs::path> files(const ClipFrames& clip) const override {
    auto all = chosen(image_folder(clip), kImageSuffixes, clip);
    if (!params_.depth.empty()) {
      const auto depths = chosen(depth_folder(clip), kDepthSuffixes, clip);
      all.insert(all.end(), depths.begin(), depths.end());
    }
    return all;
  }

  momap::Clip read(const ClipFrames& clip, const momap::Context& context) const override {
    momap::Clip out;
    out.frames = formats::read_frames(chosen(image_folder(clip), kImageSuffixes, clip), context);
    out.fps = params_.fps / static_cast<double>(clip.stride);
    out.camera = camera(out);
    out.caption = params_.caption;
    if (params_.depth.empty()) return out;
    const auto paths = chosen(depth_folder(clip), kDepthSuffixes, clip);
    out.depth = formats::read_stack(
        clip.length(),
        [&](int64_t i) {
          const fs::path& path = paths[static_cast<size_t>(i)];
          at::Tensor depth = read_depth(path);
          formats::require_size(depth, out.height(), out.width(), path);
          return depth;
        },
        [&](int64_t i) { return momap::shown(paths[static_cast<size_t>(i)]); }, context);
    return out;
  }

  momap::Camera camera(const momap::Clip& clip) const {
    const auto width = static_cast<double>(clip.width()),
               height = static_cast<double>(clip.height());
    if (params_.camera.empty()) {
      const double focal = 0.5 * width / std::tan(params_.fov_degrees * std::numbers::pi / 360);
      return {focal, focal, 0.5 * (width - 1), 0.5 * (height - 1), clip.width(), clip.height()};
    }
    momap::Problems problems;
    const auto values = momap::check_params(
        momap::schema_of<CameraFile>(),
        momap::parse_yaml(momap::read_file(params_.camera, 1 << 20), params_.camera), "camera file",
        "", problems);
    problems.throw_if_any();
    const auto file = momap::from_values<CameraFile>(values);
    if (file.fx <= 0) {
      throw ConfigError(fmt::format("{}: 'fx' is missing; expected fx, fy, cx, cy in px",
                                    momap::shown(params_.camera)));
    }
    return {file.fx,      file.fy > 0 ? file.fy : file.fx, file.cx, file.cy, clip.width(),
            clip.height()};
  }

  at::Tensor read_depth(const fs::path& path) const {
    const auto suffix = path.extension();
    if (suffix == ".png") return formats::read_depth_png(path, params_.depth_per_metre);
    at::Tensor depth = suffix == ".pfm"   ? formats::read_pfm(path)
                       : suffix == ".dpt" ? formats::read_dpt(path)
                                          : read_array(path);
    if (depth.dim() != 2) {
      throw DataError(fmt::format("{}: has shape [{}]; expected [H, W]", momap::shown(path),
                                  fmt::join(depth.sizes(), ", ")));
    }
    float* z = depth.data_ptr<float>();
    for (int64_t i = 0; i < depth.numel(); ++i) {
      const bool known = z[i] > 0 && std::isfinite(z[i]);
      z[i] = known ? static_cast<float>(z[i] / params_.depth_per_metre) : 0.f;
    }
    return depth;
  }

  static at::Tensor read_array(const fs::path& path) {
    try {
      const at::Tensor depth = momap::read_npy(path);
      if (at::isFloatingType(depth.scalar_type())) return depth.to(at::kFloat).contiguous();
      throw DataError(fmt::format("{}: is {}; expected f16, f32 or f64", momap::shown(path),
                                  c10::toString(depth.scalar_type())));
    } catch (const ConfigError& error) {
      throw DataError(error.what());
    }
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(ImageFolderSource, "source/image_folder", 1,
             "Reads folders of images as video, with depth and camera files beside them if given.");
