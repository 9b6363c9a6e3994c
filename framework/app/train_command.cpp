// SPDX-License-Identifier: Apache-2.0
#include "train_command.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/plugin/loader.h>
#include <momap/run/threads.h>
#include <momap/train/trainer.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <mutex>
#include <set>

#include "interrupt.h"
#include "loss_plot.h"
#include "progress_line.h"
#include "run_command.h"
#include "training_examples.h"
#include "validation.h"

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
  ExampleOptions examples;
  ValidationOptions validation;
  TrainOptions options;
};

// Takes the entries that `Options` has parameters for out of `section`, and checks them.
template <class Options>
Options take_options(Config& section, Problems& problems) {
  std::vector<Config::Entry> own, rest;
  const auto schema = schema_of<Options>();
  for (const auto& entry : section.entries()) {
    (std::ranges::count(schema, entry.key, &ParamInfo::name) > 0 ? own : rest).push_back(entry);
  }
  const Mark mark = section.mark();
  section = Config::map(std::move(rest), mark);
  return from_values<Options>(
      check_params(schema, Config::map(std::move(own), mark), "train", "", problems));
}

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
  recipe.examples = take_options<ExampleOptions>(section, problems);
  recipe.validation = take_options<ValidationOptions>(section, problems);
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

// Examples that could not be made: each named once. Without --keep-going the first ends the run.
class FailedExamples {
 public:
  explicit FailedExamples(bool keep_going) : keep_going_(keep_going) {}

  void add(const std::string& why) {
    if (!keep_going_) throw DataError(why + " (--keep-going trains without such samples)");
    const std::lock_guard lock(mutex_);
    if (known_.insert(why).second) fmt::print(stderr, "momap: error: {}\n", why);
  }

  size_t count() const { return known_.size(); }

 private:
  bool keep_going_;
  std::mutex mutex_;
  std::set<std::string> known_;
};

}  // namespace

int train_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  const Recipe recipe = read_recipe(options, catalog);
  const ThreadBudget budget(options.threads);
  const fs::path folder = run_folder(options, fs::path(options.graph).stem().string());
  const auto backbone = make_backbone(recipe.graph.steps[recipe.backbone]);
  const std::function<bool()> cancelled = interrupted;

  const Step& step = recipe.graph.steps[recipe.backbone];
  Validation validation(options, catalog, recipe.validation, step.name, folder, budget.count());
  const TrainingExamples examples(recipe.graph, {recipe.latent, recipe.momap, recipe.condition},
                                  recipe.examples, folder / "examples", *backbone, &cancelled);
  FailedExamples failed(options.keep_going);
  const auto measured = examples.measure([&](const std::string& why) { failed.add(why); });
  if (!options.quiet) {
    fmt::print("{} examples, latents {} x stride {}\n", examples.size(),
               recipe.graph.steps[recipe.latent].plugin.id, measured.stride);
  }

  backbone->begin_training(measured.spec, measured.stride, measured.scale);
  TrainFiles files;
  files.checkpoint = folder / "model.safetensors";
  files.state = folder / "state.safetensors";
  files.card = graph_yaml(recipe.graph);
  LossLog log(folder / "loss.csv");
  ProgressLine line(options.quiet);
  const auto start = std::chrono::steady_clock::now();
  TrainCallbacks callbacks;
  callbacks.cancelled = &cancelled;
  callbacks.saved = [&](int64_t step_done, bool last) {
    plot_loss(folder / "loss.csv", folder / "loss.png");
    validation.saved(step_done, last, files.checkpoint);
  };
  callbacks.skip = [&](int64_t, const std::string& why) { failed.add(why); };
  callbacks.progress = [&](const TrainProgress& p) {
    log.add(p);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    line.show(static_cast<double>(p.step), static_cast<double>(p.steps), seconds.count(),
              fmt::format("loss {:.4f}, {:.1f} items/s", p.loss, p.items_per_second));
  };
  const TrainResult result =
      train(*backbone, examples, recipe.options, recipe.graph.seed, files, callbacks);
  if (!options.quiet) {
    fmt::print("{} steps ({} from an earlier run), loss {:.4f}, {} examples failed\nweights {}\n",
               result.steps, result.resumed, result.loss, failed.count(), shown(files.checkpoint));
  }
  return failed.count() > 0 ? kExitData : kExitOk;
}

}  // namespace momap
