// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>
#include <momap/data/datum.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

namespace momap {
namespace {

std::string sizes_text(const at::Tensor& tensor) {
  return tensor.defined() ? fmt::format("[{}]", fmt::join(tensor.sizes(), ", ")) : "nothing";
}

const char* type_text(at::ScalarType type) {
  switch (type) {
    case at::kByte:
      return "u8";
    case at::kBool:
      return "bool";
    case at::kInt:
      return "i32";
    case at::kLong:
      return "i64";
    case at::kFloat:
      return "f32";
    case at::kDouble:
      return "f64";
    default:
      return c10::toString(type);
  }
}

// Throws for one value; every message starts with who made it and which member is meant.
class Checker {
 public:
  explicit Checker(std::string owner) : owner_(std::move(owner)) {}

  Checker inside(const std::string& part) const { return Checker(owner_ + ": " + part); }

  [[noreturn]] void refuse(const std::string& what) const {
    throw DataError(fmt::format("{}: {}", owner_, what));
  }

  /// The member has this type and these sizes; -1 allows any from 1.
  void tensor(const char* name, const at::Tensor& value, at::ScalarType type,
              const std::vector<int64_t>& sizes) const {
    if (!value.defined()) refuse(fmt::format("{} is missing", name));
    bool fits = value.scalar_type() == type && value.dim() == static_cast<int64_t>(sizes.size()) &&
                value.device().is_cpu();
    for (size_t d = 0; fits && d < sizes.size(); ++d) {
      const int64_t size = value.size(static_cast<int64_t>(d));
      fits = sizes[d] < 0 ? size >= 1 : size == sizes[d];
    }
    if (fits) return;
    std::vector<std::string> expected;
    for (const int64_t size : sizes) expected.push_back(size < 0 ? "n" : std::to_string(size));
    refuse(fmt::format("{} is {} {} on {}; expected {} [{}] on cpu", name,
                       type_text(value.scalar_type()), sizes_text(value), value.device().str(),
                       type_text(type), join(expected, ", ")));
  }

  void fps(double value) const {
    if (!std::isfinite(value) || value < 0) {
      refuse(fmt::format("fps = {}; expected a number > 0, or 0 for unknown", value));
    }
  }

  void camera(const Camera& camera, int64_t height, int64_t width) const {
    if (!(camera.fx > 0 && camera.fy > 0) || !std::isfinite(camera.fx + camera.fy) ||
        !std::isfinite(camera.cx) || !std::isfinite(camera.cy)) {
      refuse(
          fmt::format("camera fx = {}, fy = {}, cx = {}, cy = {}; expected finite numbers and "
                      "focal lengths > 0",
                      camera.fx, camera.fy, camera.cx, camera.cy));
    }
    if (camera.width != width || camera.height != height) {
      refuse(fmt::format("camera is for {} x {} px and the images have {} x {} px", camera.width,
                         camera.height, width, height));
    }
  }

  void text(const char* name, const std::string& value) const {
    std::string plain = value;
    std::replace_if(
        plain.begin(), plain.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
    if (printable(plain) != plain) {
      refuse(fmt::format("{} '{}' is not valid UTF-8", name, printable(value)));
    }
  }

 private:
  std::string owner_;
};

// Index of the first value for which `bad` holds, or -1.
template <class T, class Bad>
int64_t first_bad(const at::Tensor& tensor, Bad bad) {
  const at::Tensor dense = tensor.contiguous();
  const T* values = dense.data_ptr<T>();
  const int64_t count = dense.numel();
  for (int64_t i = 0; i < count; ++i) {
    if (bad(values[i], i)) return i;
  }
  return -1;
}

// No early exit, so that it runs at the speed of memory.
bool all_finite(const float* values, int64_t count) {
  constexpr uint32_t kExponent = 0x7f800000;
  uint32_t others = 0;
  for (int64_t i = 0; i < count; ++i) {
    others |= (std::bit_cast<uint32_t>(values[i]) & kExponent) == kExponent ? 1U : 0U;
  }
  return others == 0;
}

// Index of the first value that is NaN or infinite and for which `known` holds, or -1.
template <class Known>
int64_t first_not_finite(const at::Tensor& tensor, Known known) {
  constexpr int64_t kBlock = 512;
  const at::Tensor dense = tensor.contiguous();
  const float* values = dense.data_ptr<float>();
  const int64_t count = dense.numel();
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(count, begin + kBlock);
    if (all_finite(values + begin, end - begin)) continue;
    for (int64_t i = begin; i < end; ++i) {
      if (!std::isfinite(values[i]) && known(i)) return i;
    }
  }
  return -1;
}

bool everywhere(int64_t) { return true; }

// "[2, 0, 5]" for a flat index.
std::string place(const at::Tensor& tensor, int64_t flat) {
  std::vector<std::string> index(static_cast<size_t>(tensor.dim()));
  for (int64_t d = tensor.dim() - 1; d >= 0; --d) {
    index[static_cast<size_t>(d)] = std::to_string(flat % tensor.size(d));
    flat /= tensor.size(d);
  }
  return "[" + join(index, ", ") + "]";
}

void check_poses(const at::Tensor& poses, const Checker& checker) {
  static constexpr double kTolerance = 1e-3;  // data sets store rotations as short decimal text
  const at::Tensor dense = poses.contiguous();
  for (int64_t t = 0; t < dense.size(0); ++t) {
    const double* m = dense.data_ptr<double>() + 16 * t;
    const bool finite = std::all_of(m, m + 16, [](double v) { return std::isfinite(v); });
    double error = std::abs(m[12]) + std::abs(m[13]) + std::abs(m[14]) + std::abs(m[15] - 1);
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        const double dot =
            m[4 * i] * m[4 * j] + m[4 * i + 1] * m[4 * j + 1] + m[4 * i + 2] * m[4 * j + 2];
        error = std::max(error, std::abs(dot - (i == j ? 1.0 : 0.0)));
      }
    }
    const double determinant = m[0] * (m[5] * m[10] - m[6] * m[9]) -
                               m[1] * (m[4] * m[10] - m[6] * m[8]) +
                               m[2] * (m[4] * m[9] - m[5] * m[8]);
    if (!finite || error > kTolerance || determinant < 0) {
      checker.refuse(fmt::format(
          "cam_from_world of frame {} is not a rigid motion; expected a rotation without mirror, a "
          "translation and the last row 0 0 0 1",
          t));
    }
  }
}

void check_value(const MoMap& momap, const Checker& checker) {
  checker.tensor("xyz", momap.xyz, at::kFloat, {-1, -1, -1, 3});
  const int64_t frames = momap.frames(), height = momap.height(), width = momap.width();
  checker.tensor("visible", momap.visible, at::kBool, {frames, height, width});
  checker.tensor("valid", momap.valid, at::kBool, {height, width});
  checker.camera(momap.camera, height, width);
  const at::Tensor mask = momap.valid.contiguous();
  const bool* valid = mask.data_ptr<bool>();
  const int64_t frame_values = 3 * height * width;
  const int64_t bad =
      first_not_finite(momap.xyz, [&](int64_t i) { return valid[(i % frame_values) / 3]; });
  if (bad >= 0) {
    checker.refuse(
        fmt::format("xyz is not finite at {}, which 'valid' marks as known; "
                    "expected finite points there or 'valid' false",
                    place(momap.xyz, bad)));
  }
}

void check_future(const Future& future, int64_t height, int64_t width, const Checker& checker) {
  check_value(future.motion, checker);
  if (future.motion.height() != height || future.motion.width() != width) {
    checker.refuse(fmt::format("is {} x {} px and the frames are {} x {} px", future.motion.width(),
                               future.motion.height(), width, height));
  }
  checker.text("caption", future.caption);
  for (const auto& action : future.actions) {
    checker.text("verb", action.verb);
    checker.text("direction", action.direction);
    checker.text("speed", action.speed);
    if (action.segment < 0) {
      checker.refuse(
          fmt::format("an action is of segment {}; expected an id from 0", action.segment));
    }
    const double low = action.peak_at_least, high = action.peak_below;
    if (!(low >= 0 && std::isfinite(high) && high >= low)) {
      checker.refuse(
          fmt::format("speed '{}' of an action is from {} to {} m; expected 0 <= from <= to",
                      action.speed, low, high));
    }
  }
}

void check_joint(const Joint& joint, const Checker& checker) {
  double length = 0;
  bool finite = true;
  for (size_t i = 0; i < 3; ++i) {
    length += joint.axis[i] * joint.axis[i];
    finite = finite && std::isfinite(joint.origin[i]);
  }
  if (!finite || !(std::abs(length - 1) < 1e-6) || joint.segment < 0) {
    checker.refuse(fmt::format(
        "the joint of segment {} has origin ({}) and axis ({}); expected finite numbers and a unit "
        "axis",
        joint.segment, fmt::join(joint.origin, ", "), fmt::join(joint.axis, ", ")));
  }
}

void check_tracks(const Tracks& tracks, int64_t frames, const Checker& checker) {
  checker.tensor("xyz", tracks.xyz, at::kFloat, {frames, -1, 3});
  const int64_t count = tracks.count();
  checker.tensor("visible", tracks.visible, at::kBool, {frames, count});
  checker.tensor("valid", tracks.valid, at::kBool, {frames, count});
  checker.tensor("queries", tracks.queries, at::kDouble, {count, 3});
  const at::Tensor mask = tracks.valid.contiguous();
  const bool* valid = mask.data_ptr<bool>();
  const int64_t bad = first_not_finite(tracks.xyz, [&](int64_t i) { return valid[i / 3]; });
  if (bad >= 0) {
    checker.refuse(fmt::format("xyz is not finite at {}, which 'valid' marks as known",
                               place(tracks.xyz, bad)));
  }
  const int64_t bad_query = first_bad<double>(tracks.queries, [&](double v, int64_t i) {
    return !std::isfinite(v) || (i % 3 == 2 && !(v >= 0 && v < static_cast<double>(frames)));
  });
  if (bad_query >= 0) {
    checker.refuse(
        fmt::format("queries is out of range at {}; expected x px, y px and a frame from "
                    "0 to {}",
                    place(tracks.queries, bad_query), frames - 1));
  }
}

void check_value(const Clip& clip, const Checker& checker) {
  checker.tensor("frames", clip.frames, at::kByte, {-1, -1, -1, 3});
  checker.fps(clip.fps);
  const int64_t frames = clip.length(), height = clip.height(), width = clip.width();
  if (clip.depth) {
    checker.tensor("depth", *clip.depth, at::kFloat, {frames, height, width});
    const int64_t bad =
        first_bad<float>(*clip.depth, [](float z, int64_t) { return z < 0 || std::isinf(z); });
    if (bad >= 0) {
      checker.refuse(
          fmt::format("depth is negative or infinite at {}; expected metres > 0, or 0 "
                      "or NaN for unknown",
                      place(*clip.depth, bad)));
    }
  }
  if (clip.camera) checker.camera(*clip.camera, height, width);
  if (clip.cam_from_world) {
    checker.tensor("cam_from_world", *clip.cam_from_world, at::kDouble, {frames, 4, 4});
    check_poses(*clip.cam_from_world, checker);
  }
  if (clip.segments) {
    checker.tensor("segments", *clip.segments, at::kInt, {height, width});
    const int64_t bad =
        first_bad<int32_t>(*clip.segments, [](int32_t id, int64_t) { return id < 0; });
    if (bad >= 0) {
      checker.refuse(fmt::format("segments is negative at {}; expected ids from 0 (background)",
                                 place(*clip.segments, bad)));
    }
  }
  for (const auto& name : clip.segment_names) checker.text("segment name", name);
  checker.text("caption", clip.caption);
  if (clip.covered) {
    checker.tensor("covered", *clip.covered, at::kBool, {frames, height, width});
  }
  for (size_t i = 0; i < clip.truth.size(); ++i) {
    check_future(clip.truth[i], height, width, checker.inside(fmt::format("truth {}", i)));
  }
  for (const auto& joint : clip.joints) check_joint(joint, checker);
  if (clip.flow) {
    checker.tensor("flow", *clip.flow, at::kFloat, {frames - 1, height, width, 2});
    const int64_t bad =
        first_bad<float>(*clip.flow, [](float v, int64_t) { return std::isinf(v); });
    if (bad >= 0) {
      checker.refuse(fmt::format("flow is infinite at {}; expected pixels, or NaN for unknown",
                                 place(*clip.flow, bad)));
    }
  }
  if (clip.occluded) {
    checker.tensor("occluded", *clip.occluded, at::kBool, {frames - 1, height, width});
  }
  if (clip.tracks) check_tracks(*clip.tracks, frames, checker.inside("tracks"));
}

void check_value(const Latent& latent, const Checker& checker) {
  checker.tensor("values", latent.values, at::kFloat, {-1, -1, -1, -1});
  const int64_t bad = first_not_finite(latent.values, everywhere);
  if (bad >= 0) {
    checker.refuse(fmt::format("values is not finite at {}", place(latent.values, bad)));
  }
  const LatentSpec& spec = latent.spec;
  if (spec.encoding.empty()) checker.refuse("the latent does not name its encoding");
  checker.text("encoding", spec.encoding);
  checker.text("normalization", spec.normalization);
  if (spec.frames < 1 || spec.height < 1 || spec.width < 1) {
    checker.refuse(
        fmt::format("the latent is of a motion map of {} frames, {} x {} px; expected "
                    "each from 1",
                    spec.frames, spec.width, spec.height));
  }
}

void check_value(const PartialClip& partial, const Checker& checker) {
  checker.tensor("frames", partial.frames, at::kByte, {-1, -1, -1, 3});
  const int64_t frames = partial.frames.size(0), height = partial.frames.size(1),
                width = partial.frames.size(2);
  checker.tensor("covered", partial.covered, at::kBool, {frames, height, width});
  checker.tensor("depth", partial.depth, at::kFloat, {frames, height, width});
  checker.tensor("dropped", partial.dropped, at::kLong, {frames, kDropReasons});
  checker.fps(partial.fps);
  const at::Tensor mask = partial.covered.contiguous();
  const bool* covered = mask.data_ptr<bool>();
  const int64_t bad_depth = first_bad<float>(partial.depth, [&](float z, int64_t i) {
    return covered[i] && !(z > 0 && std::isfinite(z));
  });
  if (bad_depth >= 0) {
    checker.refuse(
        fmt::format("depth at {} is not a finite number > 0 although the pixel is "
                    "covered",
                    place(partial.depth, bad_depth)));
  }
  const int64_t bad_count =
      first_bad<int64_t>(partial.dropped, [](int64_t n, int64_t) { return n < 0; });
  if (bad_count >= 0) {
    checker.refuse(fmt::format("dropped is negative at {}; expected a count",
                               place(partial.dropped, bad_count)));
  }
}

void check_value(const Score& score, const Checker& checker) {
  std::set<std::string> names;
  for (const auto& value : score.values) {
    if (value.name.empty()) checker.refuse("a value has no name");
    checker.text("name", value.name);
    checker.text("unit", value.unit);
    checker.text("reason", value.undefined_reason);
    if (!names.insert(value.name).second) {
      checker.refuse(fmt::format("two values are named '{}'", value.name));
    }
    if (value.value && !std::isfinite(*value.value)) {
      checker.refuse(
          fmt::format("{} = {}; expected a finite number, or an undefined value with "
                      "its reason",
                      value.name, *value.value));
    }
    if (!value.value && value.undefined_reason.empty()) {
      checker.refuse(fmt::format("{} is undefined without a reason", value.name));
    }
    if (value.protocol == 0) checker.refuse(fmt::format("{} has no protocol version", value.name));
    const bool lower = value.direction == Direction::lower_is_better;
    const bool beyond = lower ? value.value > value.worst : value.value < value.worst;
    if (std::isnan(value.worst) || (value.value && beyond)) {
      checker.refuse(fmt::format("{} = {} but its worst value is {}; expected none {} than that",
                                 value.name, value.value.value_or(0), value.worst,
                                 lower ? "higher" : "lower"));
    }
  }
  for (const auto& [name, feature] : score.features) {
    checker.text("feature", name);
    const bool fits = feature.defined() && feature.scalar_type() == at::kFloat;
    if (!fits) checker.refuse(fmt::format("feature '{}' is not a tensor of f32", name));
    const int64_t bad = first_not_finite(feature, everywhere);
    if (bad >= 0) {
      checker.refuse(fmt::format("feature '{}' is not finite at {}", name, place(feature, bad)));
    }
  }
}

int64_t bytes(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<int64_t>(tensor.nbytes()) : 0;
}
int64_t bytes(const std::optional<at::Tensor>& tensor) { return tensor ? bytes(*tensor) : 0; }
int64_t bytes(const MoMap& momap) {
  return bytes(momap.xyz) + bytes(momap.visible) + bytes(momap.valid);
}
int64_t bytes(const Clip& clip) {
  int64_t total = bytes(clip.frames) + bytes(clip.depth) + bytes(clip.cam_from_world) +
                  bytes(clip.segments) + bytes(clip.covered) + bytes(clip.flow) +
                  bytes(clip.occluded);
  for (const auto& future : clip.truth) total += bytes(future.motion);
  if (clip.tracks) {
    total += bytes(clip.tracks->xyz) + bytes(clip.tracks->visible) + bytes(clip.tracks->valid) +
             bytes(clip.tracks->queries);
  }
  return total;
}
int64_t bytes(const Latent& latent) { return bytes(latent.values); }
int64_t bytes(const PartialClip& partial) {
  return bytes(partial.frames) + bytes(partial.covered) + bytes(partial.depth) +
         bytes(partial.dropped);
}
int64_t bytes(const Score& score) {
  int64_t total = 0;
  for (const auto& [name, feature] : score.features) total += bytes(feature);
  return total;
}

// The last size of images and points is always 3 and goes without saying.
std::string grid_text(const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.dim() == 0) return "of nothing";
  return fmt::format("[{}]", fmt::join(tensor.sizes().slice(0, tensor.dim() - 1), ", "));
}

std::string shape(const MoMap& momap) { return "momap " + grid_text(momap.xyz); }
std::string shape(const Clip& clip) { return "clip " + grid_text(clip.frames); }
std::string shape(const Latent& latent) { return "latent " + sizes_text(latent.values); }
std::string shape(const PartialClip& partial) {
  return "partial clip " + grid_text(partial.frames);
}
std::string shape(const Score& score) {
  return fmt::format("score of {} value{}", score.values.size(),
                     score.values.size() == 1 ? "" : "s");
}

}  // namespace

std::string describe(const Datum& datum) {
  return std::visit([](const auto& value) { return shape(value); }, datum);
}

void check(const Datum& datum, const std::string& owner) {
  std::visit([&](const auto& value) { check_value(value, Checker(owner)); }, datum);
}

int64_t bytes_of(const Datum& datum) {
  return std::visit([](const auto& value) { return bytes(value); }, datum);
}

}  // namespace momap
