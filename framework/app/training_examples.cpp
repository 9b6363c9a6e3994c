// SPDX-License-Identifier: Apache-2.0
#include "training_examples.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/condition.h>
#include <momap/stage/torch_threads.h>
#include <momap/train/latent_scale.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>

namespace momap {
namespace {

namespace fs = std::filesystem;

// A cell whose motion is less than this, root mean square of the latent's channels, stands still:
// about a hundredth of a pixel for displacements in image widths.
constexpr double kStill = 1e-4;

// Frame 0 of a clip with what is known of it: all that a condition is made from.
Clip reference_of(const Clip& clip) {
  Clip first;
  first.frames = clip.frames.narrow(0, 0, 1).contiguous();
  first.fps = clip.fps;
  if (clip.depth) first.depth = clip.depth->narrow(0, 0, 1).contiguous();
  first.camera = clip.camera;
  first.segments = clip.segments;
  first.segment_names = clip.segment_names;
  first.caption = clip.caption;
  return first;
}

// Share of each latent cell's pixels that have a valid track: [H, W] -> [h, w].
at::Tensor valid_share(const at::Tensor& valid, int64_t stride) {
  const auto map = valid.to(at::kFloat).unsqueeze(0).unsqueeze(0);
  return at::avg_pool2d(map, {stride, stride}, {stride, stride}, {0, 0}, /*ceil_mode=*/true,
                        /*count_include_pad=*/false)[0][0];
}

// 1 where a cell of a latent [C, h, w] moves, [h, w].
at::Tensor moves(const at::Tensor& latent) {
  return latent.square().mean(0).sqrt().gt(kStill).to(at::kFloat);
}

template <class T>
const T& only(const Data& data) {
  return std::get<T>(data.at(0));
}

}  // namespace

TrainingExamples::TrainingExamples(const Graph& graph, const Steps& steps,
                                   const ExampleOptions& options, fs::path folder,
                                   const Backbone& backbone, const std::function<bool()>* cancelled)
    : samples_(graph, {steps.latent, steps.momap, steps.condition}),
      options_(options),
      folder_(std::move(folder)),
      backbone_(backbone),
      cancelled_(cancelled) {
  fs::create_directories(folder_);
}

ExampleFile TrainingExamples::compute(int64_t i, const std::string& key) const {
  const auto futures = samples_.compute(i, options_.futures, cancelled_);
  ExampleFile example;
  example.reference = reference_of(only<Clip>(futures[0][2]));
  example.key = key;
  std::vector<at::Tensor> latents, valid;
  for (const auto& future : futures) {
    const auto& latent = only<Latent>(future[0]);
    const auto& map = only<MoMap>(future[1]);
    if (!at::isfinite(latent.values).all().item<bool>()) {
      throw DataError(
          fmt::format("sample '{}': the latent of future {} has values that are not "
                      "finite",
                      samples_.name(i), latents.size()));
    }
    example.spec = latent.spec;
    example.stride = (map.height() + latent.values.size(2) - 1) / latent.values.size(2);
    example.captions.push_back(only<Clip>(future[2]).caption);
    latents.push_back(latent.values[0]);
    valid.push_back(valid_share(map.valid, example.stride));
  }
  example.latents = at::stack(latents);
  example.valid = at::stack(valid);
  return example;
}

ExampleFile TrainingExamples::sample(int64_t i) const {
  const fs::path path = folder_ / fmt::format("{:08}.safetensors", i);
  const std::string key = fmt::format("{} futures={}", samples_.key(i), options_.futures);
  const std::lock_guard lock(making_[static_cast<size_t>(i) % making_.size()]);
  if (fs::exists(path)) {
    try {
      ExampleFile example = read_example(path);
      if (example.key == key) return example;
    } catch (const ConfigError&) {  // damaged: made anew
    }
  }
  ExampleFile example = compute(i, key);
  write_example(path, example);
  return example;
}

TrainingItem TrainingExamples::item(int64_t i) const {
  const int64_t m = i % options_.futures;
  // Isolated: whoever waits for a file to be made must not begin another one meanwhile.
  ExampleFile example = tbb::this_task_arena::isolate([&] { return sample(i / options_.futures); });
  example.reference.caption = example.captions[static_cast<size_t>(m)];
  return {example.latents[m], example.valid[m],
          backbone_.prepare(Condition::from(example.reference))};
}

TrainingExamples::Measured TrainingExamples::measure(
    const std::function<void(const std::string& why)>& failed) const {
  const int64_t count = std::min(options_.measured, samples_.size());
  const auto index = [&](int64_t n) { return n * samples_.size() / count; };
  std::vector<std::string> reasons(static_cast<size_t>(count));
  tbb::parallel_for(
      tbb::blocked_range<int64_t>(0, count, 1),
      [&](const tbb::blocked_range<int64_t>& range) {
        keep_torch_on_this_thread();
        for (int64_t n = range.begin(); n < range.end(); ++n) {
          if (cancelled_ && (*cancelled_)()) throw Cancelled();
          try {
            tbb::this_task_arena::isolate([&] { sample(index(n)); });
          } catch (const DataError& error) {
            reasons[n] = error.what();
          }
        }
      },
      tbb::simple_partitioner());
  Measured out;
  LatentScale scale;
  bool any = false;
  for (int64_t n = 0; n < count; ++n) {
    if (!reasons[n].empty()) {
      failed(reasons[n]);
      continue;
    }
    const ExampleFile example = sample(index(n));
    out.spec = example.spec;
    out.spec.height = out.spec.width = 0;  // a backbone serves any size
    out.stride = example.stride;
    for (int64_t m = 0; m < options_.futures; ++m) {
      at::Tensor counts = example.valid[m];
      if (options_.scale_over == "moving") counts = counts * moves(example.latents[m]);
      scale.add(example.latents[m], counts);
    }
    any = true;
  }
  if (!any) throw DataError("the recipe's graph gave no example to train on");
  out.scale = scale.scale();
  return out;
}

}  // namespace momap
