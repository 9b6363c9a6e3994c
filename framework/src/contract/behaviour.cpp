// SPDX-License-Identifier: Apache-2.0
#include "behaviour.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/random.h>
#include <momap/base/text.h>
#include <momap/data/archive.h>
#include <momap/stage/annotator.h>
#include <momap/stage/completer.h>
#include <momap/stage/encoding.h>
#include <momap/stage/extractor.h>
#include <momap/stage/metric.h>
#include <momap/stage/output.h>
#include <momap/stage/sampler.h>
#include <momap/stage/source.h>
#include <momap/stage/warper.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>

namespace momap::contract {
namespace {

void add(TensorFile& into, const std::string& prefix, const Datum& datum) {
  const TensorFile archive = to_archive(datum);
  for (const auto& [name, tensor] : archive.tensors) into.tensors.emplace(prefix + name, tensor);
  for (const auto& [name, text] : archive.metadata) into.metadata.emplace(prefix + name, text);
}

template <class... Parts>
void require(bool holds, fmt::format_string<Parts...> text, Parts&&... parts) {
  if (!holds) throw Broken(fmt::format(text, std::forward<Parts>(parts)...));
}

// The noun itself is whole; what a plugin got wrong here is its fault and not the sample's.
void require_whole(const Datum& datum, const std::string& owner) {
  try {
    check(datum, owner);
  } catch (const DataError& error) {
    throw Broken(error.what());
  }
}

std::string size_text(const at::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
}

template <class Interface>
Interface& as(Stage& stage) {
  return static_cast<Interface&>(stage);
}

// --- source

void require_file_name(const std::string& name) {
  const bool legal = !name.empty() && name != "." && name != ".." &&
                     std::ranges::all_of(name, [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
                     });
  require(legal, "name(0) = '{}'; expected letters, digits, '-', '_' and '.'", printable(name));
}

TensorFile read_source(Stage& stage, const Probe&, const Context& context) {
  auto& source = as<Source>(stage);
  const int64_t size = source.size();
  require(size >= 0, "size() = {}; expected at least 0", size);
  if (size == 0) throw NotAsked("it holds no sample with its default parameters");
  const Clip clip = source.sample(0, context);
  require_whole(clip, "sample(0)");
  require_file_name(source.name(0));
  require(!source.fingerprint(0).empty(), "fingerprint(0) is empty");
  TensorFile result;
  add(result, "", clip);
  result.metadata.emplace("source.name", source.name(0));
  result.metadata.emplace("source.fingerprint", source.fingerprint(0));
  // Leaves the source elsewhere than before the first sample, so that the next call shows whether
  // order matters.
  if (size > 1) source.sample(1, context);
  return result;
}

// --- annotation, extraction

TensorFile annotate(Stage& stage, const Probe& probe, const Context& context) {
  const Clip clip = as<Annotator>(stage).annotate(probe.clip, context);
  require_whole(clip, "the annotated clip");
  require(clip.frames.equal(probe.clip.frames), "the frames have changed");
  TensorFile result;
  add(result, "", clip);
  return result;
}

TensorFile extract(Stage& stage, const Probe& probe, const Context& context) {
  const MoMap momap = as<Extractor>(stage).extract(probe.clip, context);
  require_whole(momap, "the motion map");
  const at::Tensor& expected = probe.clip.truth[0].motion.xyz;
  require(momap.xyz.sizes() == expected.sizes(), "the motion map is {}; expected {}",
          size_text(momap.xyz), size_text(expected));
  TensorFile result;
  add(result, "", momap);
  return result;
}

// --- encoding

void require_first_frame(const MoMap& decoded, const MoMap& original) {
  static constexpr float kRelative = 1e-4f;
  const int64_t pixels = decoded.height() * decoded.width();
  const at::Tensor a = decoded.xyz.contiguous(), b = original.xyz.contiguous(),
                   mask = decoded.valid.contiguous();
  int64_t compared = 0;
  for (int64_t i = 0; i < pixels; ++i) {
    if (!mask.data_ptr<bool>()[i]) continue;
    ++compared;
    const float* p = a.data_ptr<float>() + 3 * i;
    const float* q = b.data_ptr<float>() + 3 * i;
    for (int c = 0; c < 3; ++c) {
      require(
          std::abs(p[c] - q[c]) <= kRelative * q[2],
          "frame 0 of decode(encode(x)) is off by {} m at pixel {}; expected the condition's point",
          std::abs(p[c] - q[c]), i);
    }
  }
  require(compared > 0, "decode(encode(x)) has no valid pixel");
}

Act round_trip(const PluginInfo& plugin) {
  return [id = plugin.id, version = plugin.version](Stage& stage, const Probe& probe,
                                                    const Context& context) {
    auto& encoding = as<Encoding>(stage);
    const MoMap& original = probe.clip.truth[0].motion;
    const Latent latent = encoding.encode(original, context);
    require_whole(latent, "the latent");
    require(latent.values.size(0) == 1, "the latent has K = {}; expected 1", latent.values.size(0));
    require(latent.spec.encoding == id && latent.spec.version == version,
            "the latent says it is by {} version {}; expected {} version {}", latent.spec.encoding,
            latent.spec.version, id, version);
    require(latent.spec.frames == original.frames() && latent.spec.height == original.height() &&
                latent.spec.width == original.width(),
            "the latent says it is of a map [{}, {}, {}]; expected [{}, {}, {}]",
            latent.spec.frames, latent.spec.height, latent.spec.width, original.frames(),
            original.height(), original.width());
    const MoMap decoded = encoding.decode(latent, Condition::from(probe.clip), context);
    require_whole(decoded, "the decoded motion map");
    require(decoded.xyz.sizes() == original.xyz.sizes(), "the decoded map is {}; expected {}",
            size_text(decoded.xyz), size_text(original.xyz));
    require_first_frame(decoded, original);
    TensorFile result;
    add(result, "latent.", latent);
    add(result, "decoded.", decoded);
    return result;
  };
}

// --- backbone, sampling

TensorFile predict(Stage& stage, const Probe& probe, const Context& context) {
  const auto& backbone = as<Backbone>(stage);
  const BackboneSpec spec = backbone.spec();
  require(spec.channels > 0 && spec.stride > 0, "spec() has {} channels and stride {}",
          spec.channels, spec.stride);
  const auto cells = [&](int64_t pixels) { return (pixels + spec.stride - 1) / spec.stride; };
  const std::vector<int64_t> shape{1, spec.channels, cells(probe.clip.height()),
                                   cells(probe.clip.width())};
  at::Tensor noisy = at::empty(shape, at::kFloat);
  Random random(context.seed);
  random.fill_normal({noisy.data_ptr<float>(), static_cast<size_t>(noisy.numel())});
  const at::Tensor level = at::empty({1}, at::kFloat).fill_(0.6);
  const Conditioning conditioning = backbone.prepare(Condition::from(probe.clip));
  const at::Tensor prediction = backbone.predict(noisy, level, conditioning);
  require(prediction.defined() && prediction.scalar_type() == at::kFloat &&
              prediction.sizes() == noisy.sizes(),
          "the prediction is {}; expected f32 {}",
          prediction.defined() ? size_text(prediction) : "nothing", size_text(noisy));
  const at::Tensor dense = prediction.contiguous();
  const float* values = dense.data_ptr<float>();
  require(std::all_of(values, values + dense.numel(), [](float v) { return std::isfinite(v); }),
          "the prediction is not finite");
  return {.tensors = {{"prediction", dense}}, .metadata = {}};
}

TensorFile sample(Stage& stage, const Probe& probe, const Context& context) {
  const GaussianBackbone backbone;
  const Condition condition = Condition::from(probe.clip);
  const Latent latent = as<Sampler>(stage).sample(backbone, condition, context);
  require_whole(latent, "the latent");
  const BackboneSpec spec = backbone.spec();
  const at::Tensor grid = backbone.prepare(condition).spatial;
  const at::Tensor& values = latent.values;
  require(values.size(1) == spec.channels && values.size(2) == grid.size(2) &&
              values.size(3) == grid.size(3),
          "the latents are {}; expected [K, {}, {}, {}]", size_text(values), spec.channels,
          grid.size(2), grid.size(3));
  require(latent.spec.encoding == spec.latent.encoding,
          "the latents say they are by {}; expected {}, as the backbone says", latent.spec.encoding,
          spec.latent.encoding);
  TensorFile result;
  add(result, "", latent);
  return result;
}

// --- warping, completion

TensorFile warp(Stage& stage, const Probe& probe, const Context& context) {
  const MoMap& momap = probe.clip.truth[0].motion;
  const PartialClip partial = as<Warper>(stage).warp(probe.clip.image(0), momap, context);
  require_whole(partial, "the warped clip");
  require(partial.frames.sizes() == momap.xyz.sizes(), "the warped clip is {}; expected {}",
          size_text(partial.frames), size_text(momap.xyz));
  TensorFile result;
  add(result, "", partial);
  return result;
}

TensorFile complete(Stage& stage, const Probe& probe, const Context& context) {
  const PartialClip& partial = probe.partial;
  const Clip clip = as<Completer>(stage).complete(partial, context);
  require_whole(clip, "the completed clip");
  require(clip.frames.sizes() == partial.frames.sizes(), "the completed clip is {}; expected {}",
          size_text(clip.frames), size_text(partial.frames));
  const at::Tensor before = partial.frames.contiguous(), after = clip.frames.contiguous(),
                   mask = partial.covered.contiguous();
  for (int64_t i = 0; i < mask.numel(); ++i) {
    const bool same =
        std::memcmp(before.data_ptr<uint8_t>() + 3 * i, after.data_ptr<uint8_t>() + 3 * i, 3) == 0;
    require(same || !mask.data_ptr<bool>()[i],
            "covered pixel {} has changed; expected covered pixels bit for bit", i);
  }
  require(clip.covered && clip.covered->equal(partial.covered),
          "'covered' of the clip is not that of the partial clip");
  TensorFile result;
  add(result, "", clip);
  return result;
}

// --- metric, output

// Which kind each port is given; nullopt leaves an optional port open.
using Wiring = std::vector<std::optional<Kind>>;

// First every port's first kind, then each other kind and each open port by itself.
std::vector<Wiring> wirings_of(const std::vector<Port>& ports) {
  Wiring first;
  for (const Port& port : ports) {
    if (port.accepts(Kind::backbone) || port.accepts(Kind::file)) {
      throw NotAsked(fmt::format("input '{}' takes what the suite cannot make", port.name));
    }
    first.push_back(port.kinds.at(0));
  }
  std::vector<Wiring> wirings{first};
  for (size_t p = 0; p < ports.size(); ++p) {
    for (size_t k = 1; k < ports[p].kinds.size(); ++k) {
      wirings.push_back(first);
      wirings.back()[p] = ports[p].kinds[k];
    }
    if (ports[p].optional) {
      wirings.push_back(first);
      wirings.back()[p] = std::nullopt;
    }
  }
  return wirings;
}

// Calls `use` with the inputs of every wiring. The first must work; the plugin may refuse the
// others.
Act with_inputs(
    const PluginInfo& plugin,
    std::function<void(Stage&, const Inputs&, const Context&, const std::string&, TensorFile&)>
        use) {
  return [ports = plugin.inputs, use = std::move(use)](Stage& stage, const Probe& probe,
                                                       const Context& context) {
    static constexpr size_t kMany = 3;
    TensorFile result;
    size_t index = 0;
    for (const Wiring& wiring : wirings_of(ports)) {
      std::vector<Datum> data(ports.size());
      Inputs inputs;
      for (size_t p = 0; p < ports.size(); ++p) {
        if (!wiring[p]) continue;
        data[p] = datum_of(probe, *wiring[p]);
        inputs.add(ports[p].name, std::vector<const Datum*>(ports[p].many ? kMany : 1, &data[p]));
      }
      try {
        use(stage, inputs, context, fmt::format("{}.", index), result);
      } catch (const DataError&) {
        if (index == 0) throw;
      }
      ++index;
    }
    return result;
  };
}

void score(Stage& stage, const Inputs& inputs, const Context& context, const std::string& prefix,
           TensorFile& result) {
  const Score found = as<Metric>(stage).score(inputs, context);
  require_whole(found, "the score");
  require(!found.values.empty(), "the score holds no value");
  add(result, prefix, found);
}

void write(Stage& stage, const Inputs& inputs, const Context& context, const std::string& prefix,
           TensorFile& result) {
  namespace fs = std::filesystem;
  const TemporaryFolder folder("momap-contract");
  const fs::path stem = folder.path() / "probe";
  const fs::path written = as<Output>(stage).write(inputs, stem, context);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    names.push_back(shown(entry.path().filename()));
  }
  require(names.size() == 1, "{} files were written ({}); expected one", names.size(),
          join(names, ", "));
  require(fs::is_regular_file(written) && written.parent_path() == folder.path(),
          "write() says it wrote '{}', which is not the file that is there", shown(written));
  require(shown(written.filename()).starts_with("probe."),
          "the file is named '{}'; expected the given stem and an extension",
          shown(written.filename()));
  const std::string bytes = read_file(written);
  require(!bytes.empty(), "the file is empty");
  at::Tensor content = at::empty({static_cast<int64_t>(bytes.size())}, at::kByte);
  std::memcpy(content.data_ptr(), bytes.data(), bytes.size());
  result.tensors.emplace(prefix + "file", content);
  result.metadata.emplace(prefix + "name", written.filename());
}

// --- further promises

Promise refuses_other_size() {
  return {"an image of another size is refused", [](Stage& stage, const Context& context) {
            const Probe small = make_probe(2, 16, 16), large = make_probe(2, 24, 32);
            try {
              as<Warper>(stage).warp(large.clip.image(0), small.clip.truth[0].motion, context);
            } catch (const DataError&) {
              return;
            }
            throw Broken("a 32 x 24 px image was warped by a 16 x 16 px map; expected DataError");
          }};
}

Promise refuses_foreign_latent() {
  return {"a latent of another encoding is refused", [](Stage& stage, const Context& context) {
            const Probe probe = make_probe(2, 16, 16);
            try {
              as<Encoding>(stage).decode(foreign_latent(probe), Condition::from(probe.clip),
                                         context);
            } catch (const DataError&) {
              return;
            }
            throw Broken("a latent of 'encoding/made_by_nobody' was decoded; expected DataError");
          }};
}

Promise samples_do_not_depend_on_k(const PluginInfo& plugin, const MakeStage& make) {
  return {
      "sample k does not depend on K", [&plugin, make](Stage&, const Context& context) {
        const auto with = [&](int64_t count) {
          ParamValues values = default_values(plugin.params);
          const auto found = std::ranges::find(values, "samples", &ParamValues::value_type::first);
          if (found == values.end() || !std::holds_alternative<int64_t>(found->second)) {
            throw NotAsked("it has no whole-numbered parameter 'samples'");
          }
          found->second = count;
          const Condition condition = Condition::from(make_probe(2, 48, 64).clip);
          const auto stage = make(values);
          const Latent latent = as<Sampler>(*stage).sample(GaussianBackbone(), condition, context);
          require(latent.values.size(0) == count, "samples = {} gave K = {}", count,
                  latent.values.size(0));
          return latent.values.contiguous();
        };
        const at::Tensor one = with(1), three = with(3);
        require(one[0].equal(three[0]), "sample 0 of 1 differs from sample 0 of 3");
        require(with(2)[1].equal(three[1]), "sample 1 of 2 differs from sample 1 of 3");
        require(!three[0].equal(three[1]), "samples 0 and 1 are the same");
      }};
}

}  // namespace

Act act_of(const PluginInfo& plugin) {
  const std::string stage = plugin.stage();
  if (stage == "source") return read_source;
  if (stage == "annotation") return annotate;
  if (stage == "extraction") return extract;
  if (stage == "encoding") return round_trip(plugin);
  if (stage == "backbone") return predict;
  if (stage == "sampling") return sample;
  if (stage == "warping") return warp;
  if (stage == "completion") return complete;
  if (stage == "metric") return with_inputs(plugin, score);
  if (stage == "output") return with_inputs(plugin, write);
  throw std::logic_error(fmt::format("the contract suite does not know stage '{}'", stage));
}

std::vector<Promise> promises_of(const PluginInfo& plugin, const MakeStage& make) {
  const std::string stage = plugin.stage();
  if (stage == "encoding") return {refuses_foreign_latent()};
  if (stage == "sampling") return {samples_do_not_depend_on_k(plugin, make)};
  if (stage == "warping") return {refuses_other_size()};
  return {};
}

std::optional<std::string> difference(const TensorFile& a, const TensorFile& b) {
  if (a.metadata != b.metadata) return "text or numbers beside the tensors differ";
  if (a.tensors.size() != b.tensors.size()) return "one has more tensors than the other";
  for (const auto& [name, tensor] : a.tensors) {
    const auto found = b.tensors.find(name);
    if (found == b.tensors.end()) return fmt::format("only one has '{}'", name);
    const at::Tensor x = tensor.contiguous(), y = found->second.contiguous();
    if (x.sizes() != y.sizes() || x.scalar_type() != y.scalar_type()) {
      return fmt::format("'{}' is {} and {}", name, size_text(x), size_text(y));
    }
    const auto* p = static_cast<const uint8_t*>(x.data_ptr());
    const auto* q = static_cast<const uint8_t*>(y.data_ptr());
    size_t different = 0;
    for (size_t i = 0; i < x.nbytes(); ++i) different += p[i] != q[i] ? 1 : 0;
    if (different > 0) {
      return fmt::format("'{}' differs in {} of {} bytes", name, different, x.nbytes());
    }
  }
  return std::nullopt;
}

}  // namespace momap::contract
