// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>
#include <points/points.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

static_assert(std::endian::native == std::endian::little, "glTF is little-endian");

namespace {

namespace fs = std::filesystem;
using momap::MoMap;
using nlohmann::json;

// Numbers of the glTF 2.0 specification.
constexpr uint32_t kMagic = 0x46546C67, kJsonChunk = 0x4E4F534A, kBinaryChunk = 0x004E4942;
constexpr int kFloat = 5126, kUnsignedShort = 5123, kVertices = 34962, kPointMode = 0;
constexpr double kUsualFps = 10;
constexpr uint16_t kFull = 65535;

/// A level of a photograph (sRGB, IEC 61966-2-1) in proportion to light, as vertex colours are.
uint16_t linear(uint8_t level) {
  const double part = level / 255.0;
  const double light = part <= 0.04045 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4);
  return static_cast<uint16_t>(std::lround(light * kFull));
}

/// The binary part of a file, and what in it is where.
class Arrays {
 public:
  /// A tightly packed array as an accessor; `target` 0: not vertex data.
  size_t add(const void* data, size_t bytes, size_t count, int type, const char* shape,
             int target) {
    while (bytes_.size() % 4 != 0) bytes_ += '\0';
    json view{{"buffer", 0}, {"byteOffset", bytes_.size()}, {"byteLength", bytes}};
    if (target != 0) view["target"] = target;
    bytes_.append(static_cast<const char*>(data), bytes);
    json accessor{
        {"bufferView", views.size()}, {"componentType", type}, {"count", count}, {"type", shape}};
    views.push_back(std::move(view));
    accessors.push_back(std::move(accessor));
    return accessors.size() - 1;
  }

  /// f32 [N, 3] with its bounds, which positions must have.
  size_t add_vectors(const std::vector<float>& xyz) {
    const size_t i =
        add(xyz.data(), xyz.size() * sizeof(float), xyz.size() / 3, kFloat, "VEC3", kVertices);
    std::vector<float> low(3, std::numeric_limits<float>::max());
    std::vector<float> high(3, std::numeric_limits<float>::lowest());
    for (size_t k = 0; k < xyz.size(); ++k) {
      low[k % 3] = std::min(low[k % 3], xyz[k]);
      high[k % 3] = std::max(high[k % 3], xyz[k]);
    }
    accessors[i]["min"] = low;
    accessors[i]["max"] = high;
    return i;
  }

  size_t add_numbers(const std::vector<float>& values, bool with_bounds) {
    const size_t i =
        add(values.data(), values.size() * sizeof(float), values.size(), kFloat, "SCALAR", 0);
    if (with_bounds) {
      accessors[i]["min"] = {values.front()};
      accessors[i]["max"] = {values.back()};
    }
    return i;
  }

  std::string bytes() const {
    std::string padded = bytes_;
    while (padded.size() % 4 != 0) padded += '\0';
    return padded;
  }

  json views = json::array(), accessors = json::array();

 private:
  std::string bytes_;
};

/// Points of a motion map that move: frame t > 0 is a morph target, which is fully on at its time.
class GltfOutput final : public momap::Output {
 public:
  static constexpr const char* kInputs = "value: momap, image: clip?";

  struct Params {
    double fps = 0;
    int64_t stride = 2;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("fps", &Params::fps, "Frames a second; 0 = as the image says, 10 when it does not.")
              .unit("1/s")
              .between(0, 1000),
          param("stride", &Params::stride,
                "Every how manieth pixel of rows and columns is written.")
              .at_least(1),
      };
    }
  };

  explicit GltfOutput(Params params) : params_(params) {}

  fs::path write(const momap::Inputs& inputs, const fs::path& stem,
                 const momap::Context& context) override {
    const auto& momap = *inputs.get<MoMap>("value");
    const auto* image = inputs.get<momap::Clip>("image");
    const auto pixels = momap::points::chosen(momap, params_.stride, 0, momap.frames());
    if (pixels.empty()) {
      throw momap::DataError(
          "output/gltf: no pixel of the motion map has a path that is finite in all frames; lower "
          "'stride' or check the map");
    }
    Arrays arrays;
    const json mesh = mesh_of(momap, image, pixels, arrays, context);
    json document{
        {"asset", {{"version", "2.0"}, {"generator", "momap output/gltf"}}},
        {"scene", 0},
        {"scenes", json::array({{{"nodes", {0}}}})},
        {"nodes", json::array({{{"name", "motion map"}, {"mesh", 0}}})},
        {"meshes", json::array({mesh})},
        // Colours are of the photograph: no lamp shall change them.
        {"materials", json::array({{{"name", "photograph"},
                                    {"extensions", {{"KHR_materials_unlit", json::object()}}}}})},
        {"extensionsUsed", {"KHR_materials_unlit"}}};
    if (momap.frames() > 1) {
      const double fps = params_.fps > 0           ? params_.fps
                         : image && image->fps > 0 ? image->fps
                                                   : kUsualFps;
      document["animations"] = json::array({animation_of(momap.frames(), fps, arrays)});
    }
    fs::path path = stem;
    path += ".glb";
    write_binary(path, document, arrays);
    return path;
  }

 private:
  static json mesh_of(const MoMap& momap, const momap::Clip* image,
                      const std::vector<int64_t>& pixels, Arrays& arrays,
                      const momap::Context& context) {
    const at::Tensor xyz = momap.xyz.contiguous();
    const int64_t area = momap.height() * momap.width();
    // x right, y down, z forward -> x right, y up, z backward.
    const auto place = [&](int64_t t, size_t n, int axis) {
      const float value = xyz.data_ptr<float>()[3 * (t * area + pixels[n]) + axis];
      return axis == 0 ? value : -value;
    };
    std::vector<float> values(3 * pixels.size());
    const auto each = [&](const auto& value) {
      for (size_t n = 0; n < pixels.size(); ++n) {
        for (int axis = 0; axis < 3; ++axis)
          values[3 * n + static_cast<size_t>(axis)] = value(n, axis);
      }
    };
    each([&](size_t n, int axis) { return place(0, n, axis); });
    json primitive{{"mode", kPointMode}, {"material", 0}};
    primitive["attributes"]["POSITION"] = arrays.add_vectors(values);

    const auto colours = momap::points::colours(momap, image, pixels, "output/gltf");
    std::vector<uint16_t> rgba(4 * pixels.size(), kFull);
    for (size_t n = 0; n < pixels.size(); ++n) {
      for (size_t c = 0; c < 3; ++c) rgba[4 * n + c] = linear(colours[n][c]);
    }
    const size_t colour = arrays.add(rgba.data(), rgba.size() * sizeof(uint16_t), pixels.size(),
                                     kUnsignedShort, "VEC4", kVertices);
    arrays.accessors[colour]["normalized"] = true;
    primitive["attributes"]["COLOR_0"] = colour;

    std::vector<double> weights;
    for (int64_t t = 1; t < momap.frames(); ++t) {
      context.check_cancelled();
      each([&](size_t n, int axis) { return place(t, n, axis) - place(0, n, axis); });
      primitive["targets"].push_back({{"POSITION", arrays.add_vectors(values)}});
      weights.push_back(0);
    }
    json mesh{{"name", "points"}, {"primitives", json::array({primitive})}};
    if (!weights.empty()) mesh["weights"] = weights;
    return mesh;
  }

  static json animation_of(int64_t frames, double fps, Arrays& arrays) {
    const int64_t targets = frames - 1;
    std::vector<float> times, weights(static_cast<size_t>(frames * targets), 0.0F);
    for (int64_t t = 0; t < frames; ++t) {
      times.push_back(static_cast<float>(static_cast<double>(t) / fps));
      if (t > 0) weights[static_cast<size_t>(t * targets + t - 1)] = 1;
    }
    const size_t input = arrays.add_numbers(times, true);
    const size_t output = arrays.add_numbers(weights, false);
    return {{"name", "motion"},
            {"samplers",
             json::array({{{"input", input}, {"output", output}, {"interpolation", "LINEAR"}}})},
            {"channels",
             json::array({{{"sampler", 0}, {"target", {{"node", 0}, {"path", "weights"}}}}})}};
  }

  static void write_binary(const fs::path& path, json& document, const Arrays& arrays) {
    const std::string binary = arrays.bytes();
    document["bufferViews"] = arrays.views;
    document["accessors"] = arrays.accessors;
    document["buffers"] = json::array({{{"byteLength", binary.size()}}});
    std::string text = document.dump();
    while (text.size() % 4 != 0) text += ' ';
    constexpr size_t kHeader = 12, kChunkHeader = 8;
    const size_t total = kHeader + kChunkHeader + text.size() + kChunkHeader + binary.size();
    if (total > std::numeric_limits<uint32_t>::max()) {
      throw momap::DataError(
          fmt::format("output/gltf: the file would have {:.1f} GB, and glTF allows 4.2; raise "
                      "'stride'",
                      static_cast<double>(total) / 1e9));
    }
    momap::AtomicFile file(path);
    const auto word = [&](uint32_t value) {
      file.write(std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
    };
    const auto chunk = [&](uint32_t kind, const std::string& bytes) {
      word(static_cast<uint32_t>(bytes.size()));
      word(kind);
      file.write(bytes);
    };
    word(kMagic);
    word(2);
    word(static_cast<uint32_t>(total));
    chunk(kJsonChunk, text);
    chunk(kBinaryChunk, binary);
    file.commit();
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(GltfOutput, "output/gltf", 1,
             "Writes the moving points of a motion map as animated glTF (.glb), for Blender and "
             "three.js.");
