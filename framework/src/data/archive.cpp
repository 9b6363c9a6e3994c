// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/data/archive.h>

#include <nlohmann/json.hpp>

// Tensors keep their names; numbers that must survive bit for bit are small f64 tensors; text and
// whole numbers are metadata. A missing optional member is a missing name.

namespace momap {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "momap.format";
constexpr const char* kFormatVersion = "2";
constexpr const char* kKind = "momap.kind";

at::Tensor doubles(const std::vector<double>& values) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, at::kDouble);
  std::copy(values.begin(), values.end(), tensor.data_ptr<double>());
  return tensor;
}

class Writer {
 public:
  explicit Writer(const char* kind) {
    content_.metadata = {{kFormat, kFormatVersion}, {kKind, kind}};
  }

  void tensor(const std::string& name, const at::Tensor& value) {
    content_.tensors.emplace(name, value.contiguous());
  }
  void tensor(const std::string& name, const std::optional<at::Tensor>& value) {
    if (value) tensor(name, *value);
  }
  void numbers(const std::string& name, const std::vector<double>& values) {
    tensor(name, doubles(values));
  }
  void text(const std::string& name, const std::string& value) {
    content_.metadata.emplace(name, value);
  }
  void structure(const std::string& name, const json& value) {
    // Broken UTF-8 becomes U+FFFD here; `check` refuses it before anything is stored.
    text(name, value.dump(-1, ' ', false, json::error_handler_t::replace));
  }
  void camera(const std::string& name, const Camera& camera) {
    numbers(name, {camera.fx, camera.fy, camera.cx, camera.cy});
    structure(name + ".size", {camera.width, camera.height});
  }
  void momap(const std::string& prefix, const MoMap& momap) {
    tensor(prefix + "xyz", momap.xyz);
    tensor(prefix + "visible", momap.visible);
    tensor(prefix + "valid", momap.valid);
    camera(prefix + "camera", momap.camera);
  }

  TensorFile take() { return std::move(content_); }

 private:
  TensorFile content_;
};

class Reader {
 public:
  explicit Reader(const TensorFile& content) : content_(content) {
    const std::string version = text(kFormat);
    if (version != kFormatVersion) {
      throw DataError(
          fmt::format("archive has format {}; this momap reads format {}; make it again", version,
                      kFormatVersion));
    }
  }

  const std::string& text(const std::string& name) const {
    const auto found = content_.metadata.find(name);
    if (found == content_.metadata.end()) lacks(name);
    return found->second;
  }

  template <class T>
  T structure(const std::string& name) const {
    try {
      return json::parse(text(name)).get<T>();
    } catch (const json::exception& error) {
      throw DataError(fmt::format("archive: '{}' cannot be read: {}", name, error.what()));
    }
  }

  at::Tensor tensor(const std::string& name) const {
    const auto found = content_.tensors.find(name);
    if (found == content_.tensors.end()) lacks(name);
    return found->second;
  }
  std::optional<at::Tensor> optional_tensor(const std::string& name) const {
    const auto found = content_.tensors.find(name);
    return found == content_.tensors.end() ? std::nullopt : std::optional(found->second);
  }
  bool has(const std::string& name) const { return content_.tensors.contains(name); }

  std::vector<double> numbers(const std::string& name, size_t count) const {
    const at::Tensor values = tensor(name).contiguous();
    if (values.scalar_type() != at::kDouble || values.numel() != static_cast<int64_t>(count)) {
      throw DataError(fmt::format("archive: '{}' does not hold {} numbers of f64", name, count));
    }
    const double* begin = values.data_ptr<double>();
    return {begin, begin + count};
  }

  Camera camera(const std::string& name) const {
    const auto values = numbers(name, 4);
    const auto size = structure<std::array<int64_t, 2>>(name + ".size");
    return {.fx = values[0],
            .fy = values[1],
            .cx = values[2],
            .cy = values[3],
            .width = size[0],
            .height = size[1]};
  }

  MoMap momap(const std::string& prefix) const {
    return {.xyz = tensor(prefix + "xyz"),
            .visible = tensor(prefix + "visible"),
            .valid = tensor(prefix + "valid"),
            .camera = camera(prefix + "camera")};
  }

 private:
  [[noreturn]] static void lacks(const std::string& name) {
    throw DataError(
        fmt::format("archive lacks '{}'; it was not written by momap, or is damaged", name));
  }

  const TensorFile& content_;
};

std::string truth_prefix(size_t i) { return fmt::format("truth.{}.", i); }

void write_future(Writer& out, const std::string& prefix, const Future& future) {
  out.momap(prefix, future.motion);
  out.text(prefix + "caption", future.caption);
  json actions = json::array();
  std::vector<double> ranges;
  for (const auto& action : future.actions) {
    actions.push_back({{"segment", action.segment},
                       {"verb", action.verb},
                       {"direction", action.direction},
                       {"speed", action.speed}});
    ranges.insert(ranges.end(), {action.peak_at_least, action.peak_below});
  }
  out.structure(prefix + "actions", actions);
  out.numbers(prefix + "action_ranges", ranges);
}

Future read_future(const Reader& in, const std::string& prefix) {
  Future future{.motion = in.momap(prefix), .caption = in.text(prefix + "caption"), .actions = {}};
  const auto actions = in.structure<json>(prefix + "actions");
  const auto ranges = in.numbers(prefix + "action_ranges", 2 * actions.size());
  try {
    for (size_t i = 0; i < actions.size(); ++i) {
      const json& action = actions.at(i);
      future.actions.push_back({.segment = action.at("segment"),
                                .verb = action.at("verb"),
                                .direction = action.at("direction"),
                                .speed = action.at("speed"),
                                .peak_at_least = ranges[2 * i],
                                .peak_below = ranges[2 * i + 1]});
    }
  } catch (const json::exception& error) {
    throw DataError(fmt::format("archive: '{}actions' cannot be read: {}", prefix, error.what()));
  }
  return future;
}

void write_joints(Writer& out, const std::vector<Joint>& joints) {
  json list = json::array();
  std::vector<double> geometry;
  for (const auto& joint : joints) {
    list.push_back({{"segment", joint.segment}, {"hinge", joint.kind == Joint::Kind::hinge}});
    geometry.insert(geometry.end(), joint.origin.begin(), joint.origin.end());
    geometry.insert(geometry.end(), joint.axis.begin(), joint.axis.end());
  }
  out.structure("joints", list);
  out.numbers("joint_axes", geometry);
}

std::vector<Joint> read_joints(const Reader& in) {
  const auto list = in.structure<json>("joints");
  const auto geometry = in.numbers("joint_axes", 6 * list.size());
  std::vector<Joint> joints;
  try {
    for (size_t i = 0; i < list.size(); ++i) {
      const double* g = geometry.data() + 6 * i;
      joints.push_back(
          {.kind = list.at(i).at("hinge").get<bool>() ? Joint::Kind::hinge : Joint::Kind::slide,
           .segment = list.at(i).at("segment"),
           .origin = {g[0], g[1], g[2]},
           .axis = {g[3], g[4], g[5]}});
    }
  } catch (const json::exception& error) {
    throw DataError(fmt::format("archive: 'joints' cannot be read: {}", error.what()));
  }
  return joints;
}

TensorFile write(const Clip& clip) {
  Writer out("clip");
  out.tensor("frames", clip.frames);
  out.numbers("fps", {clip.fps});
  out.tensor("depth", clip.depth);
  if (clip.camera) out.camera("camera", *clip.camera);
  out.tensor("cam_from_world", clip.cam_from_world);
  out.tensor("segments", clip.segments);
  out.structure("segment_names", clip.segment_names);
  out.text("caption", clip.caption);
  out.tensor("covered", clip.covered);
  out.structure("truth", clip.truth.size());
  for (size_t i = 0; i < clip.truth.size(); ++i) write_future(out, truth_prefix(i), clip.truth[i]);
  write_joints(out, clip.joints);
  out.tensor("flow", clip.flow);
  out.tensor("occluded", clip.occluded);
  if (clip.tracks) {
    out.tensor("tracks.xyz", clip.tracks->xyz);
    out.tensor("tracks.visible", clip.tracks->visible);
    out.tensor("tracks.valid", clip.tracks->valid);
    out.tensor("tracks.queries", clip.tracks->queries);
  }
  return out.take();
}

Clip read_clip(const Reader& in) {
  Clip clip;
  clip.frames = in.tensor("frames");
  clip.fps = in.numbers("fps", 1)[0];
  clip.depth = in.optional_tensor("depth");
  if (in.has("camera")) clip.camera = in.camera("camera");
  clip.cam_from_world = in.optional_tensor("cam_from_world");
  clip.segments = in.optional_tensor("segments");
  clip.segment_names = in.structure<std::vector<std::string>>("segment_names");
  clip.caption = in.text("caption");
  clip.covered = in.optional_tensor("covered");
  const auto truths = in.structure<size_t>("truth");
  for (size_t i = 0; i < truths; ++i) clip.truth.push_back(read_future(in, truth_prefix(i)));
  clip.joints = read_joints(in);
  clip.flow = in.optional_tensor("flow");
  clip.occluded = in.optional_tensor("occluded");
  if (in.has("tracks.xyz")) {
    clip.tracks = {.xyz = in.tensor("tracks.xyz"),
                   .visible = in.tensor("tracks.visible"),
                   .valid = in.tensor("tracks.valid"),
                   .queries = in.tensor("tracks.queries")};
  }
  return clip;
}

TensorFile write(const MoMap& momap) {
  Writer out("momap");
  out.momap("", momap);
  return out.take();
}

TensorFile write(const Latent& latent) {
  Writer out("latent");
  out.tensor("values", latent.values);
  out.text("encoding", latent.spec.encoding);
  out.structure("version", latent.spec.version);
  out.text("normalization", latent.spec.normalization);
  out.structure("momap_size", {latent.spec.frames, latent.spec.height, latent.spec.width});
  return out.take();
}

Latent read_latent(const Reader& in) {
  const auto size = in.structure<std::array<int64_t, 3>>("momap_size");
  return {.values = in.tensor("values"),
          .spec = {.encoding = in.text("encoding"),
                   .version = in.structure<uint32_t>("version"),
                   .normalization = in.text("normalization"),
                   .frames = size[0],
                   .height = size[1],
                   .width = size[2]}};
}

TensorFile write(const PartialClip& partial) {
  Writer out("partial_clip");
  out.tensor("frames", partial.frames);
  out.tensor("covered", partial.covered);
  out.tensor("depth", partial.depth);
  out.tensor("dropped", partial.dropped);
  out.numbers("fps", {partial.fps});
  return out.take();
}

PartialClip read_partial_clip(const Reader& in) {
  return {.frames = in.tensor("frames"),
          .covered = in.tensor("covered"),
          .depth = in.tensor("depth"),
          .dropped = in.tensor("dropped"),
          .fps = in.numbers("fps", 1)[0]};
}

std::string feature_name(const std::string& name) { return "feature." + name; }

TensorFile write(const Score& score) {
  Writer out("score");
  json values = json::array();
  std::vector<double> numbers;
  for (const auto& value : score.values) {
    values.push_back({{"name", value.name},
                      {"unit", value.unit},
                      {"higher_is_better", value.direction == Direction::higher_is_better},
                      {"defined", value.value.has_value()},
                      {"protocol", value.protocol},
                      {"undefined_reason", value.undefined_reason}});
    numbers.insert(numbers.end(), {value.value.value_or(0), value.worst});
  }
  out.structure("values", values);
  out.numbers("numbers", numbers);
  std::vector<std::string> features;
  for (const auto& [name, feature] : score.features) {
    features.push_back(name);
    out.tensor(feature_name(name), feature);
  }
  out.structure("features", features);
  return out.take();
}

Score read_score(const Reader& in) {
  const auto values = in.structure<json>("values");
  const auto numbers = in.numbers("numbers", 2 * values.size());
  Score score;
  try {
    for (size_t i = 0; i < values.size(); ++i) {
      const json& value = values.at(i);
      score.values.push_back(
          {.name = value.at("name"),
           .unit = value.at("unit"),
           .direction = value.at("higher_is_better").get<bool>() ? Direction::higher_is_better
                                                                 : Direction::lower_is_better,
           .value = value.at("defined").get<bool>() ? std::optional(numbers[2 * i]) : std::nullopt,
           .undefined_reason = value.at("undefined_reason"),
           .worst = numbers[2 * i + 1],
           .protocol = value.at("protocol")});
    }
  } catch (const json::exception& error) {
    throw DataError(fmt::format("archive: 'values' cannot be read: {}", error.what()));
  }
  for (const auto& name : in.structure<std::vector<std::string>>("features")) {
    score.features.emplace(name, in.tensor(feature_name(name)));
  }
  return score;
}

Datum read(const Reader& in) {
  const std::string& kind = in.text(kKind);
  if (kind == "clip") return read_clip(in);
  if (kind == "momap") return in.momap("");
  if (kind == "latent") return read_latent(in);
  if (kind == "partial_clip") return read_partial_clip(in);
  if (kind == "score") return read_score(in);
  throw DataError(fmt::format(
      "archive is of kind '{}'; expected clip, momap, latent, partial_clip or score", kind));
}

}  // namespace

TensorFile to_archive(const Datum& datum) {
  return std::visit([](const auto& value) { return write(value); }, datum);
}

Datum from_archive(const TensorFile& archive, ValueCheck values) {
  Datum datum = read(Reader(archive));
  if (values == ValueCheck::all) check(datum, "archive");
  return datum;
}

}  // namespace momap
