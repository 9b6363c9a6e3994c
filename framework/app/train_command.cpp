// SPDX-License-Identifier: Apache-2.0
#include "train_command.h"

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/data/archive.h>
#include <momap/data/condition.h>
#include <momap/data/tensor_file.h>
#include <momap/plugin/loader.h>
#include <momap/run/threads.h>
#include <momap/train/latent_scale.h>
#include <momap/train/trainer.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "interrupt.h"
#include "progress_line.h"
#include "run_command.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

// The recipe's `train:` section, checked: which steps give what, and the trainer's options.
struct Recipe {
  Graph graph;
  size_t backbone = 0;
  size_t latent = 0;
  size_t momap = 0;  // what the latent was made from
  size_t condition = 0;
  TrainOptions options;
};

Recipe read_recipe(const Options& options, const Catalog& catalog) {
  GraphOptions graph_options;
  graph_options.overrides = options.set;
  graph_options.extension = "train";
  graph_options.roots = {"backbone", "latent", "condition"};
  Recipe recipe;
  recipe.graph = read_graph(options.graph, catalog, graph_options);
  Config section = recipe.graph.extension;
  Problems problems;
  if (!section.is_map()) {
    problems.add(
        {options.graph, 1, 1}, "a recipe needs a 'train' section",
        "for example  train: {backbone: unet, latent: encode, condition: depth, steps: 3000}");
    problems.throw_if_any();
  }
  const auto step_named = [&](const char* key, Kind kind) -> size_t {
    const Config* name = section.find(key);
    const int step = name && name->is_scalar() ? recipe.graph.find(name->text()) : -1;
    if (step < 0 || recipe.graph.steps[static_cast<size_t>(step)].output() != kind) {
      problems.add(name ? name->mark() : section.mark(),
                   fmt::format("train: '{}' = {} is not a step that gives a {}", key,
                               name ? printable(name->describe()) : "nothing", name_of(kind)));
      return 0;
    }
    return static_cast<size_t>(step);
  };
  recipe.backbone = step_named("backbone", Kind::backbone);
  recipe.latent = step_named("latent", Kind::latent);
  recipe.condition = step_named("condition", Kind::clip);
  std::vector<Config::Entry> rest;
  for (const auto& entry : section.entries()) {
    if (entry.key != "backbone" && entry.key != "latent" && entry.key != "condition")
      rest.push_back(entry);
  }
  recipe.options = from_values<TrainOptions>(check_params(
      schema_of<TrainOptions>(), Config::map(rest, section.mark()), "train", "", problems));
  problems.throw_if_any();
  recipe.momap = recipe.graph.steps[recipe.latent].inputs.at(0).from.at(0);
  return recipe;
}

// Frame 0 of a clip with what is known of it: all that a condition is made from.
Clip reference_of(const Clip& clip) {
  Clip first = clip;
  first.frames = clip.frames.narrow(0, 0, 1).contiguous();
  if (clip.depth) first.depth = clip.depth->narrow(0, 0, 1).contiguous();
  if (clip.cam_from_world) first.cam_from_world = clip.cam_from_world->narrow(0, 0, 1).contiguous();
  first.covered.reset();
  first.truth.clear();
  first.joints.clear();
  first.flow.reset();
  first.occluded.reset();
  first.tracks.reset();
  return first;
}

// Examples as one safetensors file each: memory stays the same however many there are.
class ItemFolder final : public TrainingSet {
 public:
  ItemFolder(fs::path folder, const Backbone& backbone)
      : folder_(std::move(folder)), backbone_(backbone) {
    fs::remove_all(folder_);  // made anew from the graph each time
  }

  void add(const at::Tensor& latent, const at::Tensor& valid, const Clip& clip) {
    TensorFile file = to_archive(reference_of(clip));
    file.tensors[kLatent] = latent;
    file.tensors[kValid] = valid;
    write_safetensors(path(size_), file);
    ++size_;
  }

  int64_t size() const override { return size_; }

  TrainingItem item(int64_t i) const override {
    TensorFile file = read_safetensors(path(i));
    TrainingItem item{file.tensors.at(kLatent), file.tensors.at(kValid), {}};
    file.tensors.erase(kLatent);
    file.tensors.erase(kValid);
    item.conditioning = backbone_.prepare(Condition::from(std::get<Clip>(from_archive(file))));
    return item;
  }

 private:
  static constexpr const char* kLatent = "training.latent";
  static constexpr const char* kValid = "training.valid";

  fs::path path(int64_t i) const { return folder_ / fmt::format("{:07}.safetensors", i); }

  fs::path folder_;
  const Backbone& backbone_;
  int64_t size_ = 0;
};

// Share of each latent cell's pixels that have a valid track: [H, W] -> [h, w].
at::Tensor valid_share(const at::Tensor& valid, int64_t stride) {
  const auto map = valid.to(at::kFloat).unsqueeze(0).unsqueeze(0);
  return at::avg_pool2d(map, {stride, stride}, {stride, stride}, {0, 0}, /*ceil_mode=*/true,
                        /*count_include_pad=*/false)[0][0]
      .contiguous();
}

std::shared_ptr<Backbone> make_backbone(const Step& step) {
  return PluginLibrary::open(step.plugin.library)->make<Backbone>(step.plugin.id, step.params);
}

// Loss by step, appended while training goes on, so that a killed run leaves its curve.
class LossLog {
 public:
  explicit LossLog(const fs::path& path) : file_(std::fopen(path.c_str(), "ae"), std::fclose) {
    if (!file_)
      throw ConfigError(fmt::format("{}: cannot be written; check the folder", shown(path)));
    if (std::ftell(file_.get()) == 0)
      fmt::print(file_.get(), "step,loss,learning_rate,items_per_second\n");
  }

  void add(const TrainProgress& p) {
    fmt::print(file_.get(), "{},{:.6f},{:.3e},{:.1f}\n", p.step, p.loss, p.learning_rate,
               p.items_per_second);
    std::fflush(file_.get());
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

}  // namespace

int train_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  const Recipe recipe = read_recipe(options, catalog);
  const ThreadBudget budget(options.threads);
  const auto cache = open_cache(options);
  const fs::path folder = run_folder(options, fs::path(options.graph).stem().string());
  const auto backbone = make_backbone(recipe.graph.steps[recipe.backbone]);

  ItemFolder items(folder / "items", *backbone);
  LatentScale scale;
  LatentSpec spec;
  int64_t stride = 1;
  int64_t failed = 0;
  RunOptions run = run_options(options, budget.count(), cache.get());
  run.keep = {recipe.latent, recipe.momap, recipe.condition};
  run.folder = folder;
  const auto kept = [&](const SampleResult& result, size_t step) -> const Datum& {
    return std::ranges::find(result.kept, step, &std::pair<size_t, Data>::first)->second.at(0);
  };
  run.on_sample = [&](const SampleResult& result) {
    if (!result.failed_step.empty()) {
      ++failed;
      fmt::print(stderr, "momap: error: sample '{}', step '{}': {}\n", result.name,
                 result.failed_step, result.failure);
      return;
    }
    const auto& latent = std::get<Latent>(kept(result, recipe.latent));
    const auto& map = std::get<MoMap>(kept(result, recipe.momap));
    const auto& clip = std::get<Clip>(kept(result, recipe.condition));
    spec = latent.spec;
    spec.height = spec.width = 0;  // a backbone serves any size
    stride = (map.height() + latent.values.size(2) - 1) / latent.values.size(2);
    const auto values = latent.values[0].contiguous();
    const auto valid = valid_share(map.valid, stride);
    scale.add(values, valid);
    items.add(values, valid, clip);
  };
  const RunSummary summary = run_graph(recipe.graph, run);
  if (summary.cancelled) throw Cancelled();
  if (items.size() == 0) throw DataError("the recipe's graph gave no example to train on");
  if (!options.quiet) {
    fmt::print("{} examples ({} failed), latents {} x stride {}\n", items.size(), failed,
               recipe.graph.steps[recipe.latent].plugin.id, stride);
  }

  backbone->begin_training(spec, stride, scale.scale());
  TrainFiles files;
  files.checkpoint = folder / "model.safetensors";
  files.state = folder / "state.safetensors";
  files.card = graph_yaml(recipe.graph);
  LossLog log(folder / "loss.csv");
  ProgressLine line(options.quiet);
  const auto start = std::chrono::steady_clock::now();
  const std::function<bool()> cancelled = interrupted;
  TrainCallbacks callbacks;
  callbacks.cancelled = &cancelled;
  callbacks.progress = [&](const TrainProgress& p) {
    log.add(p);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    line.show(static_cast<double>(p.step), static_cast<double>(p.steps), seconds.count(),
              fmt::format("loss {:.4f}, {:.1f} items/s", p.loss, p.items_per_second));
  };
  const TrainResult result =
      train(*backbone, items, recipe.options, recipe.graph.seed, files, callbacks);
  if (!options.quiet) {
    fmt::print("{} steps ({} from an earlier run), loss {:.4f}\nweights {}\n", result.steps,
               result.resumed, result.loss, shown(files.checkpoint));
  }
  return failed > 0 ? kExitData : kExitOk;
}

}  // namespace momap
