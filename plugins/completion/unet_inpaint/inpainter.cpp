// SPDX-License-Identifier: Apache-2.0
#include "inpainter.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <momap/data/tensor_file.h>
#include <momap/stage/torch_threads.h>
#include <network/checkpoint_reader.h>
#include <network/layers.h>

#include <algorithm>
#include <cmath>

namespace momap::inpaint {
namespace {

using network::Convolution;
using network::Normalization;
using network::Parameters;
using network::ResidualBlock;

constexpr const char* kFormat = "momap completion/unet_inpaint 1";
constexpr int64_t kSeen = 6;       // red, green, blue, hole, sure, depth
constexpr int64_t kFold = 2;       // pixels of a cell of the network's finest grid, along each side
constexpr int64_t kPart_px = 512;  // side of what is painted at once
constexpr int64_t kMargin_px = 96;  // seen around it
constexpr float kDepthRange = 2;    // natural logarithms

int64_t width_at(const Architecture& a, int64_t level) { return a.width * (level + 1); }

// Logarithm of depth against the mean of what is around the holes; 0 where nothing is known.
void tell_depth(const completion::Picture& picture, float* out) {
  const int64_t pixels = picture.height * picture.width;
  const auto known = [&](int64_t i) {
    return picture.depth[i] > 0 && std::isfinite(picture.depth[i]);
  };
  double sum = 0;
  int64_t count = 0;
  for (int64_t i = 0; i < pixels; ++i) {
    if (!picture.sure[i] || !known(i)) continue;
    sum += std::log(picture.depth[i]);
    ++count;
  }
  const auto mean = static_cast<float>(count > 0 ? sum / static_cast<double>(count) : 0);
  for (int64_t i = 0; i < pixels; ++i) {
    out[i] = count > 0 && known(i)
                 ? std::clamp(std::log(picture.depth[i]) - mean, -kDepthRange, kDepthRange)
                 : 0.0F;
  }
}

struct Surroundings {
  at::Tensor mean;      // f32 [1, 3, H, W]
  at::Tensor contrast;  // f32 [1, 1, H, W], > 0
};

// Mean and deviation of the sure colours within some 36 px; of all where there are none.
Surroundings surroundings(const at::Tensor& colour, const at::Tensor& sure) {
  static constexpr int64_t kCell = 8, kCells = 9;
  static constexpr double kNoise = 2.0 / 255, kSome = 1e-3;
  const at::Tensor moments = at::cat({sure, sure * colour, sure * colour.square()}, 1);
  const at::Tensor cells = at::avg_pool2d(moments, {kCell, kCell}, {kCell, kCell}, {0, 0},
                                          /*ceil_mode=*/true, /*count_include_pad=*/false);
  const at::Tensor near = at::avg_pool2d(cells, {kCells, kCells}, {1, 1}, {kCells / 2, kCells / 2});
  // A little of the whole picture, which decides where nothing is near.
  const at::Tensor all = near + kSome * cells.mean({2, 3}, true) + 1e-12;
  const at::Tensor mean = all.narrow(1, 1, 3) / all.narrow(1, 0, 1);
  const at::Tensor square = all.narrow(1, 4, 3) / all.narrow(1, 0, 1);
  const at::Tensor variance = (square - mean.square()).clamp_min(0).mean(1, true);
  const auto fine = [&](const at::Tensor& map) {
    return at::upsample_bilinear2d(map, {kCell * map.size(2), kCell * map.size(3)}, false)
        .narrow(2, 0, colour.size(2))
        .narrow(3, 0, colour.size(3));
  };
  return {fine(mean), fine((variance + kNoise * kNoise).sqrt())};
}

}  // namespace

struct Inpainter::Layers {
  struct Level {
    ResidualBlock down;
    Convolution shrink;  // to the level below
    Convolution grow;    // from it
    Convolution merge;
    ResidualBlock up;
  };

  Layers(const Architecture& a, uint64_t seed) : parameters(seed) {
    in = Convolution(parameters, "in", kSeen * kFold * kFold, a.width, 3);
    for (int64_t i = 0; i + 1 < a.levels; ++i) {
      const int64_t here = width_at(a, i), below = width_at(a, i + 1);
      const std::string name = fmt::format("level.{}", i);
      levels.push_back({ResidualBlock(parameters, name + ".down", here),
                        Convolution(parameters, name + ".shrink", here, below, 3, 2),
                        Convolution(parameters, name + ".grow", below, here, 3),
                        Convolution(parameters, name + ".merge", 2 * here, here, 1),
                        ResidualBlock(parameters, name + ".up", here)});
    }
    const int64_t lowest = width_at(a, a.levels - 1);
    for (int i = 0; i < 2; ++i)
      middle.emplace_back(parameters, fmt::format("middle.{}", i), lowest);
    out_norm = Normalization(parameters, "out.norm", a.width);
    out = Convolution(parameters, "out", a.width, 3 * kFold * kFold, 3, 1, 0);
  }

  Parameters parameters;
  Convolution in, out;
  Normalization out_norm;
  std::vector<Level> levels;
  std::vector<ResidualBlock> middle;
};

Question ask(const completion::Picture& picture) {
  const int64_t height = picture.height, width = picture.width, pixels = height * width;
  at::Tensor colour = at::empty({1, 3, height, width}, at::kFloat);
  at::Tensor marks = at::empty({1, 3, height, width}, at::kFloat);  // hole, sure, depth
  auto* level = colour.data_ptr<float>();
  auto* mark = marks.data_ptr<float>();
  for (int64_t i = 0; i < pixels; ++i) {
    for (int64_t c = 0; c < 3; ++c) {
      level[c * pixels + i] = static_cast<float>(picture.rgb[3 * i + c]) / 255;
    }
    mark[i] = picture.hole[i];
    mark[pixels + i] = picture.sure[i];
  }
  tell_depth(picture, mark + 2 * pixels);
  const auto [mean, contrast] = surroundings(colour, marks.narrow(1, 1, 1));
  return {at::cat({(colour - mean) / contrast, marks}, 1), colour, contrast};
}

Inpainter::Inpainter(const Architecture& architecture, uint64_t seed)
    : architecture_(architecture), layers_(std::make_unique<Layers>(architecture, seed)) {}

Inpainter::~Inpainter() = default;

const NamedTensors& Inpainter::parameters() const { return layers_->parameters.list(); }

at::Tensor Inpainter::paint(const Question& question) const {
  const Layers& l = *layers_;
  const int64_t height = question.seen.size(2), width = question.seen.size(3);
  const int64_t unit = kFold << (architecture_.levels - 1);
  const int64_t more_h = (unit - height % unit) % unit, more_w = (unit - width % unit) % unit;
  at::Tensor x = question.seen;
  if (more_h || more_w) x = at::replication_pad2d(x, {0, more_w, 0, more_h});
  x = l.in(at::pixel_unshuffle(x, kFold));
  std::vector<at::Tensor> skips;
  for (const auto& level : l.levels) {
    x = level.down(x);
    skips.push_back(x);
    x = level.shrink(x);
  }
  for (const ResidualBlock& block : l.middle) x = block(x);
  for (size_t i = l.levels.size(); i-- > 0;) {
    const auto& level = l.levels[i];
    x = level.grow(at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}));
    x = level.up(level.merge(at::cat({x, skips[i]}, 1)));
  }
  x = at::pixel_shuffle(l.out(l.out_norm.with_silu(x)), kFold);
  if (more_h || more_w) x = x.narrow(2, 0, height).narrow(3, 0, width);
  return question.colour + question.contrast * x;
}

void Inpainter::refine(const completion::Picture& picture) const {
  keep_torch_on_this_thread();
  const at::NoGradGuard no_grad;
  const Question whole = ask(picture);
  const int64_t height = picture.height, width = picture.width;
  for (int64_t top = 0; top < height; top += kPart_px) {
    for (int64_t left = 0; left < width; left += kPart_px) {
      const int64_t bottom = std::min(top + kPart_px, height);
      const int64_t right = std::min(left + kPart_px, width);
      // The smallest rectangle with all holes of the part.
      int64_t y0 = bottom, y1 = top, x0 = right, x1 = left;
      for (int64_t y = top; y < bottom; ++y) {
        for (int64_t x = left; x < right; ++x) {
          if (!picture.hole[y * width + x]) continue;
          y0 = std::min(y0, y), y1 = std::max(y1, y + 1);
          x0 = std::min(x0, x), x1 = std::max(x1, x + 1);
        }
      }
      if (y0 >= y1) continue;
      const int64_t from_y = std::max<int64_t>(0, y0 - kMargin_px);
      const int64_t from_x = std::max<int64_t>(0, x0 - kMargin_px);
      const int64_t rows = std::min(height, y1 + kMargin_px) - from_y;
      const int64_t columns = std::min(width, x1 + kMargin_px) - from_x;
      const auto part = [&](const at::Tensor& map) {
        return map.narrow(2, from_y, rows).narrow(3, from_x, columns).contiguous();
      };
      const at::Tensor painted = paint({part(whole.seen), part(whole.colour), part(whole.contrast)})
                                     .mul(255)
                                     .round()
                                     .clamp(0, 255)
                                     .contiguous();
      const auto* from = painted.data_ptr<float>();
      for (int64_t y = y0; y < y1; ++y) {
        for (int64_t x = x0; x < x1; ++x) {
          if (!picture.hole[y * width + x]) continue;
          for (int64_t c = 0; c < 3; ++c) {
            picture.rgb[3 * (y * width + x) + c] =
                static_cast<uint8_t>(from[(c * rows + y - from_y) * columns + x - from_x]);
          }
        }
      }
    }
  }
}

std::unique_ptr<Inpainter> load_inpainter(const std::filesystem::path& path) {
  network::CheckpointReader in(path, "completion/unet_inpaint");
  const std::string format = in.text("format");
  in.expect(format == kFormat,
            fmt::format("metadata 'format' = '{}', expected '{}'", format, kFormat));
  in.throw_if_wrong();
  Architecture a;
  a.width = in.number("architecture.width", 8, 512);
  a.levels = in.number("architecture.levels", 1, 6);
  in.expect(a.width % 8 == 0,
            fmt::format("metadata 'architecture.width' = {} is not a multiple of 8", a.width));
  in.throw_if_wrong();
  auto inpainter = std::make_unique<Inpainter>(a, 0);
  for (const auto& [name, tensor] : inpainter->parameters()) in.tensor(name, tensor);
  in.expect_nothing_left();
  in.throw_if_wrong();
  return inpainter;
}

void save_inpainter(const std::filesystem::path& path, const Architecture& architecture,
                    const NamedTensors& parameters, const std::string& card) {
  TensorFile file;
  for (const auto& [name, tensor] : parameters)
    file.tensors[name] = tensor.detach().to(at::kHalf).contiguous();
  file.metadata = {{"format", kFormat},
                   {"architecture.width", std::to_string(architecture.width)},
                   {"architecture.levels", std::to_string(architecture.levels)},
                   {"card", card}};
  write_safetensors(path, file);
}

}  // namespace momap::inpaint
