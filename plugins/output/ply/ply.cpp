// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>
#include <points/points.h>

#include <bit>
#include <string>

#include "../draw/frame_index.h"

static_assert(std::endian::native == std::endian::little, "the file is declared little-endian");

namespace {

namespace fs = std::filesystem;
using momap::MoMap;

/// Vertices as they lie in the file.
class Vertices {
 public:
  explicit Vertices(bool with_time) : with_time_(with_time) {}

  void add(const float* xyz, const uint8_t* rgb, int32_t time) {
    append(xyz, 3 * sizeof *xyz);
    append(rgb, 3);
    if (with_time_) append(&time, sizeof time);
    ++count_;
  }

  std::string header() const {
    return fmt::format(
        "ply\nformat binary_little_endian 1.0\n"
        "comment metres in the reference camera frame: x right, y down, z forward\n"
        "element vertex {}\n"
        "property float x\nproperty float y\nproperty float z\n"
        "property uchar red\nproperty uchar green\nproperty uchar blue\n{}end_header\n",
        count_, with_time_ ? "property int time\n" : "");
  }

  std::string_view bytes() const { return bytes_; }

 private:
  void append(const void* data, size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
  }

  bool with_time_;
  int64_t count_ = 0;
  std::string bytes_;
};

class PlyOutput final : public momap::Output {
 public:
  static constexpr const char* kInputs = "value: momap, image: clip?";

  struct Params {
    int64_t frame = 0;
    bool tracks = false;
    int64_t stride = 1;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("frame", &Params::frame,
                "Frame whose points are written; negative counts from the end."),
          param("tracks", &Params::tracks,
                "Write the points of all frames, each with the frame number as 'time'."),
          param("stride", &Params::stride,
                "Every how manieth pixel of rows and columns is written.")
              .at_least(1),
      };
    }
  };

  explicit PlyOutput(Params params) : params_(params) {}

  fs::path write(const momap::Inputs& inputs, const fs::path& stem,
                 const momap::Context& context) override {
    const auto& momap = *inputs.get<MoMap>("value");
    const int64_t first =
        params_.tracks ? 0 : momap::draw::frame_index(params_.frame, momap.frames(), "output/ply");
    const int64_t end = params_.tracks ? momap.frames() : first + 1;
    const at::Tensor xyz = momap.xyz.contiguous();
    const int64_t area = momap.height() * momap.width();

    Vertices vertices(params_.tracks);
    for (int64_t t = first; t < end; ++t) {
      context.check_cancelled();
      const auto pixels = momap::points::chosen(momap, params_.stride, t, t + 1);
      const auto colours =
          momap::points::colours(momap, inputs.get<momap::Clip>("image"), pixels, "output/ply");
      for (size_t n = 0; n < pixels.size(); ++n) {
        vertices.add(xyz.data_ptr<float>() + 3 * (t * area + pixels[n]), colours[n].data(),
                     static_cast<int32_t>(t));
      }
    }
    fs::path path = stem;
    path += ".ply";
    momap::AtomicFile file(path);
    file.write(vertices.header());
    file.write(vertices.bytes());
    file.commit();
    return path;
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(PlyOutput, "output/ply", 1,
             "Writes the points of a frame, or of all frames, as a coloured PLY point cloud.");
