// SPDX-License-Identifier: Apache-2.0
#include "new_plugin.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/catalog/catalog.h>

#include <algorithm>
#include <cctype>
#include <map>

namespace momap {
namespace {

namespace fs = std::filesystem;

// What differs between the stages in the source that is written.
struct Template {
  const char* interface;
  const char* extra;  // further declarations of the class
  const char* param;  // one example parameter: member, schema line
  const char* schema;
  const char* body;  // the stage's functions
};

const std::map<std::string, Template>& templates() {
  static const std::map<std::string, Template> kTemplates{
      {"source",
       {"Source", "", "int frames = 8;",
        R"(param("frames", &Params::frames, "Frames of the clip.").between(1, 1000))",
        R"(  int64_t size() override { return 1; }
  std::string name(int64_t) override { return "gray"; }
  std::string fingerprint(int64_t) override { return "gray"; }
  momap::Clip sample(int64_t, const momap::Context&) override {
    momap::Clip clip;
    clip.frames = at::full({params_.frames, 48, 64, 3}, 128, at::kByte);
    return clip;
  })"}},
      {"annotation",
       {"Annotator", "", "double depth_m = 2.0;",
        R"(param("depth_m", &Params::depth_m, "Depth given to every pixel.").above(0).unit("m"))",
        R"(  momap::Clip annotate(const momap::Clip& clip, const momap::Context&) override {
    momap::Clip out = clip;
    out.depth = at::full({clip.length(), clip.height(), clip.width()}, params_.depth_m, at::kFloat);
    return out;
  })"}},
      {"extraction",
       {"Extractor", "", "double drift_m = 0.0;",
        R"(param("drift_m", &Params::drift_m, "Motion along x from frame to frame.").unit("m"))",
        R"(  momap::MoMap extract(const momap::Clip& clip, const momap::Context&) override {
    const auto condition = momap::Condition::from(clip);
    momap::MoMap out;
    out.camera = condition.camera;
    out.valid = condition.points.select(2, 2) > 0;
    out.xyz = condition.points.unsqueeze(0).repeat({clip.length(), 1, 1, 1});
    for (int64_t t = 0; t < clip.length(); ++t) out.xyz[t].select(2, 0).add_(params_.drift_m * t);
    out.visible = out.valid.unsqueeze(0).repeat({clip.length(), 1, 1});
    return out;
  })"}},
      {"encoding",
       {"Encoding", "", "double scale = 1.0;",
        R"(param("scale", &Params::scale, "Displacements are multiplied by it.").above(0))",
        R"(  momap::Latent encode(const momap::MoMap& map, const momap::Context&) override {
    const auto moved = (map.xyz - map.xyz.narrow(0, 0, 1)) * params_.scale;  // [T, H, W, 3]
    const auto values = moved.masked_fill(map.valid.logical_not().unsqueeze(2), 0);
    return {values.permute({0, 3, 1, 2}).reshape({1, -1, map.height(), map.width()}).contiguous(),
            {"@ID@", 1, "metres", map.frames(), map.height(), map.width()}};
  }
  momap::MoMap decode(const momap::Latent& latent, const momap::Condition& condition,
                      const momap::Context&) override {
    const auto& s = latent.spec;
    if (s.encoding != "@ID@") throw momap::DataError("latent is from '" + s.encoding + "'");
    const auto moved = latent.values.reshape({s.frames, 3, s.height, s.width}).permute({0, 2, 3, 1});
    momap::MoMap out;
    out.camera = condition.camera;
    out.valid = condition.points.select(2, 2) > 0;
    out.xyz = (condition.points.unsqueeze(0) + moved / params_.scale).contiguous();
    out.visible = momap::visible_by_depth(out.xyz, out.valid, out.camera);
    return out;
  })"}},
      {"backbone",
       {"Backbone", "", "int channels = 24;",
        R"(param("channels", &Params::channels, "Channels of the latent.").between(1, 1024))",
        R"(  momap::BackboneSpec spec() const override {
    momap::BackboneSpec spec;
    spec.channels = params_.channels;
    spec.latent = {"encoding/dct", 1, "", 8, 0, 0};
    spec.scale = at::ones({params_.channels});
    return spec;
  }
  momap::Conditioning prepare(const momap::Condition& condition) const override {
    return {condition.points.permute({2, 0, 1}).unsqueeze(0), at::zeros({1, 1}, at::kLong)};
  }
  at::Tensor predict(const at::Tensor& noisy, const at::Tensor&,
                     const momap::Conditioning&) const override {
    return at::zeros_like(noisy);
  })"}},
      {"sampling",
       {"Sampler", "\n  static constexpr bool kUsesSeed = true;", "int samples = 4;",
        R"(param("samples", &Params::samples, "How many latents (K) are drawn.").between(1, 1024))",
        R"(  momap::Latent sample(const momap::Backbone& backbone, const momap::Condition& condition,
                       const momap::Context& context) override {
    const at::NoGradGuard no_gradients;
    const auto spec = backbone.spec();
    const auto conditioning = backbone.prepare(condition);
    const int64_t h = conditioning.spatial.size(2), w = conditioning.spatial.size(3);
    const auto out = at::empty({params_.samples, spec.channels, h, w});
    for (int64_t k = 0; k < params_.samples; ++k) {
      momap::Random random(momap::derived_seed(context.seed, std::to_string(k)));
      at::Tensor noise = at::empty({1, spec.channels, h, w});
      random.fill_normal({noise.data_ptr<float>(), static_cast<size_t>(noise.numel())});
      // One step from pure noise: x_0 = -v at noise level 1.
      out[k].copy_(-backbone.predict(noise, at::ones({1}), conditioning)[0]);
    }
    momap::LatentSpec latent = spec.latent;
    latent.height = condition.image.size(0);
    latent.width = condition.image.size(1);
    return {out * spec.scale.view({1, -1, 1, 1}), latent};
  })"}},
      {"warping",
       {"Warper", "", "double brightness = 1.0;",
        R"(param("brightness", &Params::brightness, "1 = as the image, 0 = black.").between(0, 1))",
        R"(  momap::PartialClip warp(const momap::Image& image, const momap::MoMap& map,
                          const momap::View& view, const momap::Context&) override {
    if (!(view.camera == map.camera) || view.cam_from_reference) {
      throw momap::DataError("only the reference view can be shown");
    }
    if (image.height() != map.height() || image.width() != map.width()) {
      throw momap::DataError("image and motion map differ in size");
    }
    momap::PartialClip out;
    out.frames = (image.rgb.to(at::kFloat) * params_.brightness).round().to(at::kByte);
    out.frames = out.frames.unsqueeze(0).repeat({map.frames(), 1, 1, 1});
    out.covered = map.valid.unsqueeze(0).repeat({map.frames(), 1, 1});
    out.depth = map.xyz.select(3, 2).contiguous();
    out.dropped = at::zeros({map.frames(), momap::kDropReasons}, at::kLong);
    return out;
  })"}},
      {"completion",
       {"Completer", "", "int gray = 128;",
        R"(param("gray", &Params::gray, "Value that fills the holes.").between(0, 255))",
        R"(  momap::Clip complete(const momap::PartialClip& partial, const momap::Context&) override {
    momap::Clip out;
    out.fps = partial.fps;
    out.covered = partial.covered;
    out.frames = partial.frames.masked_fill(partial.covered.logical_not().unsqueeze(3), params_.gray);
    return out;
  })"}},
      {"metric",
       {"Metric", "\n  static constexpr const char* kInputs = \"result: clip, reference: clip\";",
        "bool squared = false;", R"(param("squared", &Params::squared, "Square the differences."))",
        R"(  momap::Score score(const momap::Inputs& in, const momap::Context&) override {
    const auto& a = in.get<momap::Clip>("result")->frames;
    const auto& b = in.get<momap::Clip>("reference")->frames;
    momap::ScoreValue value{"difference", "levels", momap::Direction::lower_is_better, {}, ""};
    if (!a.sizes().equals(b.sizes())) {
      value.undefined_reason = "the clips differ in size";
      return {{value}};
    }
    const auto d = a.to(at::kDouble) - b.to(at::kDouble);
    value.value = (params_.squared ? d * d : d.abs()).mean().item<double>();
    return {{value}};
  })"}},
      {"output",
       {"Output", "\n  static constexpr const char* kInputs = \"value: clip\";",
        "std::string note;", R"(param("note", &Params::note, "A line added to the file."))",
        R"(  std::filesystem::path write(const momap::Inputs& in, const std::filesystem::path& stem,
                              const momap::Context&) override {
    const auto& clip = *in.get<momap::Clip>("value");
    auto path = stem;
    path += ".txt";
    momap::write_file(path, std::to_string(clip.length()) + " frames\n" + params_.note + "\n");
    return path;
  })"}}};
  return kTemplates;
}

constexpr const char* kSource = R"(// @ID@: @SUMMARY@
#include <momap/plugin/plugin.h>
@INCLUDES@
namespace {

class @CLASS@ final : public momap::@INTERFACE@ {
 public:@EXTRA@
  struct Params {
    @PARAM@
    static auto schema() {
      using momap::param;
      return std::tuple{@SCHEMA@};
    }
  };
  explicit @CLASS@(Params params) : params_(std::move(params)) {}

@BODY@

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(@CLASS@, "@ID@", 1, "@SUMMARY@");
)";

constexpr const char* kCMake = R"(cmake_minimum_required(VERSION 3.25)
project(@NAME@ LANGUAGES CXX)
find_package(momap REQUIRED)
momap_add_plugin(@ID@ SOURCES @NAME@.cpp)
)";

constexpr const char* kNext = R"(Wrote @FOLDER@. Build, check and use it:
  cmake -S @FOLDER@ -B @FOLDER@/build -DCMAKE_PREFIX_PATH=@PREFIX@
  cmake --build @FOLDER@/build
  momap plugins check @FOLDER@/build/@NAME@.so
and in a graph:  use: @ID@   with  --plugins @FOLDER@/build
)";

// Headers beyond plugin.h that the bodies above call into.
std::string includes_of(const std::string& stage) {
  if (stage == "encoding") return "#include <ATen/ATen.h>\n#include <momap/data/geometry.h>\n";
  if (stage == "sampling") {
    return "#include <ATen/ATen.h>\n#include <ATen/core/grad_mode.h>\n#include "
           "<momap/base/hash.h>\n#include <momap/base/random.h>\n";
  }
  if (stage == "output") return "#include <momap/base/files.h>\n";
  return "#include <ATen/ATen.h>\n";
}

std::string class_name(const std::string& name) {
  std::string out;
  bool upper = true;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = false;
  }
  return out;
}

std::string filled(std::string text,
                   const std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [key, value] : values) {
    for (size_t at = text.find(key); at != std::string::npos;
         at = text.find(key, at + value.size())) {
      text.replace(at, key.size(), value);
    }
  }
  return text;
}

}  // namespace

std::string write_new_plugin(const std::string& id, const fs::path& folder) {
  const size_t slash = id.find('/');
  const std::string stage = id.substr(0, slash);
  const std::string name = slash == std::string::npos ? "" : id.substr(slash + 1);
  std::vector<std::string> stages;
  for (const auto& known : kStages) stages.emplace_back(known.name);
  if (!templates().contains(stage)) {
    throw ConfigError(fmt::format("plugin id '{}': no stage '{}'{}; expected stage/name",
                                  printable(id), printable(stage), suggestion(stage, stages)));
  }
  const bool legal = !name.empty() && std::isalpha(static_cast<unsigned char>(name[0])) &&
                     std::ranges::all_of(name, [](char c) {
                       return std::islower(static_cast<unsigned char>(c)) ||
                              std::isdigit(static_cast<unsigned char>(c)) || c == '_';
                     });
  if (!legal) {
    throw ConfigError(
        fmt::format("plugin id '{}': name '{}' is not allowed; expected lower-case "
                    "letters, digits and '_', for example {}/my_{}",
                    printable(id), printable(name), stage, stage));
  }
  const fs::path target = folder / name;
  if (fs::exists(target)) {
    throw ConfigError(
        fmt::format("{}: exists already; choose another name or folder", shown(target)));
  }
  const Template& t = templates().at(stage);
  const std::vector<std::pair<std::string, std::string>> values{
      {"@EXTRA@", t.extra},
      {"@PARAM@", t.param},
      {"@SCHEMA@", t.schema},
      {"@BODY@", t.body},
      {"@INTERFACE@", t.interface},
      {"@INCLUDES@", includes_of(stage)},
      {"@CLASS@", class_name(name)},
      {"@ID@", id},
      {"@NAME@", name},
      {"@SUMMARY@", "A minimal example of its stage; put your method here."},
      {"@FOLDER@", target.string()},
      {"@PREFIX@", install_root().string()}};
  write_file(target / (name + ".cpp"), filled(kSource, values));
  write_file(target / "CMakeLists.txt", filled(kCMake, values));
  return filled(kNext, values);
}

}  // namespace momap
