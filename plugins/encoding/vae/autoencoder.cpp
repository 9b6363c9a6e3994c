// SPDX-License-Identifier: Apache-2.0
#include "autoencoder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <momap/base/text.h>
#include <momap/data/tensor_file.h>
#include <network/checkpoint_reader.h>
#include <network/layers.h>

#include "scene_guide.h"

namespace vae {
namespace {

using momap::network::Convolution;
using momap::network::Normalization;
using momap::network::Parameters;
using momap::network::ResidualBlock;

constexpr const char* kId = "encoding/vae";
constexpr const char* kFormat = "momap encoding/vae 1";
constexpr const char* kUnit = "unit";
constexpr int64_t kFold = 4;    // pixels of a cell of the finest grid, along each side
constexpr int64_t kBlocks = 2;  // a level

int64_t halvings(int64_t stride) { return stride == 4 ? 0 : stride == 8 ? 1 : 2; }
int64_t width_at(const Architecture& a, int64_t level) { return a.width * (level + 2) / 2; }

std::vector<ResidualBlock> blocks(Parameters& parameters, const std::string& name,
                                  int64_t channels) {
  std::vector<ResidualBlock> out;
  for (int64_t i = 0; i < kBlocks; ++i)
    out.emplace_back(parameters, fmt::format("{}.{}", name, i), channels);
  return out;
}

at::Tensor through(const std::vector<ResidualBlock>& blocks, at::Tensor x) {
  for (const ResidualBlock& block : blocks) x = block(x);
  return x;
}

// To a multiple of `unit` along each side, by repeating the border.
at::Tensor padded(const at::Tensor& x, int64_t unit) {
  const int64_t more_h = (unit - x.size(2) % unit) % unit;
  const int64_t more_w = (unit - x.size(3) % unit) % unit;
  return more_h || more_w ? at::replication_pad2d(x, {0, more_w, 0, more_h}) : x;
}

}  // namespace

struct Autoencoder::Layers {
  struct Level {
    std::vector<ResidualBlock> down, up;
    Convolution shrink, grow;  // to and from the level below; not at the lowest
  };

  Layers(const Architecture& a, uint64_t seed) : parameters(seed) {
    const int64_t lowest = halvings(a.stride), folded = 3 * a.curves * kFold * kFold;
    in = Convolution(parameters, "in", folded, a.width, 3);
    for (int64_t i = 0; i <= lowest; ++i) {
      const std::string name = fmt::format("level.{}", i);
      Level level{blocks(parameters, name + ".down", width_at(a, i)),
                  blocks(parameters, name + ".up", width_at(a, i)),
                  {},
                  {}};
      if (i < lowest) {
        level.shrink =
            Convolution(parameters, name + ".shrink", width_at(a, i), width_at(a, i + 1), 3, 2);
        level.grow = Convolution(parameters, name + ".grow", width_at(a, i + 1), width_at(a, i), 3);
      }
      levels.push_back(std::move(level));
    }
    const int64_t deepest = width_at(a, lowest);
    posterior_norm = Normalization(parameters, "posterior.norm", deepest);
    posterior = Convolution(parameters, "posterior", deepest, 2 * a.channels, 1);
    from_latent = Convolution(parameters, "from_latent", a.channels, deepest, 3);
    guide = Convolution(parameters, "guide", kGuideChannels * kFold * kFold, a.width, 3);
    merge = Convolution(parameters, "merge", 2 * a.width, a.width, 1);
    out_norm = Normalization(parameters, "out.norm", a.width);
    // The paths, and for each pixel whether it moves at all.
    out = Convolution(parameters, "out", a.width, folded + kFold * kFold, 3);
  }

  Parameters parameters;
  Convolution in, posterior, from_latent, guide, merge, out;
  Normalization posterior_norm, out_norm;
  std::vector<Level> levels;
};

Autoencoder::Autoencoder(const Architecture& architecture, uint64_t seed)
    : unit(at::ones({3 * architecture.curves}, at::kFloat)),
      architecture_(architecture),
      layers_(std::make_unique<Layers>(architecture, seed)) {}

Autoencoder::~Autoencoder() = default;

const NamedTensors& Autoencoder::parameters() const { return layers_->parameters.list(); }

std::vector<at::Tensor> Autoencoder::features(const at::Tensor& paths) const {
  const Layers& l = *layers_;
  at::Tensor x = l.in(at::pixel_unshuffle(padded(paths, architecture_.stride), kFold));
  std::vector<at::Tensor> seen;
  for (size_t i = 0; i < l.levels.size(); ++i) {
    x = through(l.levels[i].down, x);
    seen.push_back(x);
    if (i + 1 < l.levels.size()) x = l.levels[i].shrink(x);
  }
  return seen;
}

Posterior Autoencoder::encode(const at::Tensor& paths) const {
  const Layers& l = *layers_;
  const at::Tensor both = l.posterior(l.posterior_norm.with_silu(features(paths).back()));
  const int64_t channels = architecture_.channels;
  return {both.narrow(1, 0, channels), both.narrow(1, channels, channels).clamp(-20, 10)};
}

at::Tensor Autoencoder::decode(const at::Tensor& latent, const at::Tensor& guide) const {
  const Layers& l = *layers_;
  at::Tensor x = l.from_latent(latent);
  for (size_t i = l.levels.size(); i-- > 0;) {
    if (i + 1 < l.levels.size()) {
      x = l.levels[i].grow(at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}));
    }
    if (i == 0) {
      const at::Tensor shown =
          l.guide(at::pixel_unshuffle(padded(guide, architecture_.stride), kFold));
      x = l.merge(at::cat({x, shown}, 1));
    }
    x = through(l.levels[i].up, x);
  }
  const at::Tensor fine = at::pixel_shuffle(l.out(l.out_norm.with_silu(x)), kFold)
                              .narrow(2, 0, guide.size(2))
                              .narrow(3, 0, guide.size(3));
  const int64_t paths = 3 * architecture_.curves;
  return fine.narrow(1, 0, paths) * fine.narrow(1, paths, 1).sigmoid();
}

std::unique_ptr<Autoencoder> load_autoencoder(const std::filesystem::path& path) {
  momap::network::CheckpointReader in(path, kId);
  const std::string format = in.text("format");
  in.expect(format == kFormat, fmt::format("metadata 'format' = '{}', expected '{}'",
                                           momap::printable(format), kFormat));
  in.throw_if_wrong();
  Architecture a;
  a.curves = in.number("architecture.curves", 1, 256);
  a.stride = in.number("architecture.stride", 4, 16);
  a.channels = in.number("architecture.channels", 1, 256);
  a.width = in.number("architecture.width", 16, 512);
  in.expect(a.stride == 4 || a.stride == 8 || a.stride == 16,
            fmt::format("metadata 'architecture.stride' = {} is not 4, 8 or 16", a.stride));
  in.expect(a.width % 16 == 0,
            fmt::format("metadata 'architecture.width' = {} is not a multiple of 16", a.width));
  in.throw_if_wrong();
  auto out = std::make_unique<Autoencoder>(a, 0);
  for (const auto& [name, tensor] : out->parameters()) in.tensor(name, tensor);
  in.tensor(kUnit, out->unit);
  in.expect(out->unit.gt(0).all().item<bool>(), fmt::format("tensor '{}' has values <= 0", kUnit));
  in.expect_nothing_left();
  in.throw_if_wrong();
  return out;
}

void save_autoencoder(const std::filesystem::path& path, const Autoencoder& autoencoder,
                      const NamedTensors& parameters, const std::string& card) {
  momap::TensorFile file;
  for (const auto& [name, tensor] : parameters)
    file.tensors[name] = tensor.detach().to(at::kHalf).contiguous();
  file.tensors[kUnit] = autoencoder.unit;
  const Architecture& a = autoencoder.architecture();
  file.metadata = {{"format", kFormat},
                   {"architecture.curves", std::to_string(a.curves)},
                   {"architecture.stride", std::to_string(a.stride)},
                   {"architecture.channels", std::to_string(a.channels)},
                   {"architecture.width", std::to_string(a.width)},
                   {"card", card}};
  momap::write_safetensors(path, file);
}

}  // namespace vae
