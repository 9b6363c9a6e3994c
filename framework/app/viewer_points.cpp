// SPDX-License-Identifier: Apache-2.0
#include "viewer_points.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "base64.h"

namespace momap {
namespace {

constexpr double kLevels = 65535;

// Offsets (y * width + x) of the valid pixels on a lattice that is `step` pixels wide.
std::vector<int64_t> lattice(const MoMap& momap, double step) {
  const auto valid = momap.valid.accessor<bool, 2>();
  std::vector<int64_t> pixels;
  const auto at = [&](int64_t k) { return static_cast<int64_t>(static_cast<double>(k) * step); };
  for (int64_t r = 0; at(r) < momap.height(); ++r) {
    for (int64_t c = 0; at(c) < momap.width(); ++c) {
      if (valid[at(r)][at(c)]) pixels.push_back(at(r) * momap.width() + at(c));
    }
  }
  return pixels;
}

struct Sampled {
  std::vector<int64_t> pixels;
  double step = 1;  // px between neighbours
};

Sampled sampled(const MoMap& momap, int64_t most) {
  const auto all = static_cast<double>(momap.valid.sum().item<int64_t>());
  Sampled out;
  out.step = std::max(1.0, std::sqrt(all / static_cast<double>(most)));
  out.pixels = lattice(momap, out.step);
  while (static_cast<int64_t>(out.pixels.size()) > most) {
    out.step *= 1.01;
    out.pixels = lattice(momap, out.step);
  }
  return out;
}

struct Axis {
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();

  double step() const { return (most - least) / kLevels; }
  uint16_t rounded(double value) const {
    return step() > 0 ? static_cast<uint16_t>(std::lround((value - least) / step())) : 0;
  }
};

std::array<Axis, 3> axes_of(const float* xyz, int64_t frames, int64_t plane,
                            const std::vector<int64_t>& pixels) {
  std::array<Axis, 3> axes;
  for (int64_t t = 0; t < frames; ++t) {
    for (const int64_t pixel : pixels) {
      for (size_t a = 0; a < 3; ++a) {
        const double value = xyz[3 * (t * plane + pixel) + static_cast<int64_t>(a)];
        axes[a].least = std::min(axes[a].least, value);
        axes[a].most = std::max(axes[a].most, value);
      }
    }
  }
  return axes;
}

std::string colours(const at::Tensor& picture, const std::vector<int64_t>& pixels) {
  const at::Tensor rgb = picture.contiguous();
  const auto* from = rgb.data_ptr<uint8_t>();
  std::vector<uint8_t> bytes;
  bytes.reserve(3 * pixels.size());
  for (const int64_t pixel : pixels)
    bytes.insert(bytes.end(), from + 3 * pixel, from + 3 * pixel + 3);
  return base64(bytes);
}

std::string little_endian(const std::vector<uint16_t>& values) {
  std::vector<uint8_t> bytes;
  bytes.reserve(2 * values.size());
  for (const uint16_t value : values) {
    bytes.push_back(static_cast<uint8_t>(value & 0xff));
    bytes.push_back(static_cast<uint8_t>(value >> 8));
  }
  return base64(bytes);
}

// One bit a point, the first in the lowest bit.
std::string bits(const bool* flags, const std::vector<int64_t>& pixels) {
  std::vector<uint8_t> bytes((pixels.size() + 7) / 8);
  for (size_t i = 0; i < pixels.size(); ++i) {
    if (flags[pixels[i]]) bytes[i / 8] |= static_cast<uint8_t>(1u << (i % 8));
  }
  return base64(bytes);
}

std::string per_frame(const std::string& text, int64_t t) {
  return fmt::format("{}\"{}\"", t == 0 ? "" : ",\n", text);
}

}  // namespace

void write_viewer_points(const std::filesystem::path& file, int64_t index, const MoMap& momap,
                         const std::optional<at::Tensor>& picture, int64_t most) {
  const at::Tensor xyz = momap.xyz.contiguous();
  const at::Tensor visible = momap.visible.contiguous();
  const int64_t plane = momap.height() * momap.width();
  const Sampled points = sampled(momap, most);
  if (points.pixels.empty()) {
    throw DataError("the MoMap has no valid pixel, so there is nothing to show");
  }
  const auto axes = axes_of(xyz.data_ptr<float>(), momap.frames(), plane, points.pixels);
  const Camera& camera = momap.camera;
  const nlohmann::ordered_json head{
      {"frames", momap.frames()},
      {"points", points.pixels.size()},
      {"valid", momap.valid.sum().item<int64_t>()},
      {"lattice_px", points.step},
      {"least", {axes[0].least, axes[1].least, axes[2].least}},
      {"step", {axes[0].step(), axes[1].step(), axes[2].step()}},
      {"camera", {{"fx", camera.fx}, {"fy", camera.fy}, {"cx", camera.cx}, {"cy", camera.cy}}},
      {"size", {momap.width(), momap.height()}}};

  AtomicFile out(file);
  out.write(fmt::format("momapPoints({},{{\"head\":{},\n\"rgb\":{},\n\"xyz\":[", index, head.dump(),
                        picture ? '"' + colours(*picture, points.pixels) + '"' : "null"));
  for (int64_t t = 0; t < momap.frames(); ++t) {
    std::vector<uint16_t> rounded;
    rounded.reserve(3 * points.pixels.size());
    for (const int64_t pixel : points.pixels) {
      const float* point = xyz.data_ptr<float>() + 3 * (t * plane + pixel);
      for (size_t a = 0; a < 3; ++a) rounded.push_back(axes[a].rounded(point[a]));
    }
    out.write(per_frame(little_endian(rounded), t));
  }
  out.write("],\n\"visible\":[");
  for (int64_t t = 0; t < momap.frames(); ++t) {
    out.write(per_frame(bits(visible.data_ptr<bool>() + t * plane, points.pixels), t));
  }
  out.write("]});\n");
  out.commit();
}

}  // namespace momap
