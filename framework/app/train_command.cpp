// SPDX-License-Identifier: Apache-2.0
#include "train_command.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/folder_lock.h>
#include <momap/base/text.h>
#include <momap/run/threads.h>
#include <momap/train/peers.h>
#include <momap/train/trainer.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <set>

#include "interrupt.h"
#include "loss_plot.h"
#include "progress_line.h"
#include "recipe_roots.h"
#include "run_command.h"
#include "teaching.h"
#include "validation.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

struct Recipe {
  Graph graph;
  std::unique_ptr<Teaching> teaching;
  ValidationOptions validation;
  TrainOptions options;
};

// Into `recipe`, which must stay where it is: what it teaches refers to its graph.
void read_recipe(const Options& options, const Catalog& catalog, Recipe& recipe) {
  GraphOptions graph_options;
  graph_options.overrides = options.set;
  graph_options.extension = "train";
  graph_options.roots = kTrainRoots;
  recipe.graph = read_graph(options.graph, catalog, graph_options);
  const Config& given = recipe.graph.extension;
  Problems problems;
  if (!given.is_map()) {
    problems.add(
        {options.graph, 1, 1}, "a recipe needs a 'train' section",
        "for example  train: {backbone: unet, latent: encode, condition: depth, steps: 3000}");
    problems.throw_if_any();
  }
  TrainSection section(recipe.graph, given, problems);
  recipe.teaching = given.find("completer")  ? completing_teaching(recipe.graph, section)
                    : given.find("encoding") ? encoding_teaching(recipe.graph, section)
                                             : denoising_teaching(recipe.graph, section);
  recipe.validation = section.options<ValidationOptions>();
  recipe.options = section.options<TrainOptions>();
  section.expect_nothing_left();
  problems.throw_if_any();
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
  Recipe recipe;
  read_recipe(options, catalog, recipe);
  const ThreadBudget budget(options.threads);
  const fs::path folder = run_folder(options, fs::path(options.graph).stem().string());
  const auto peers = Peers::from_environment();
  const bool leads = !peers || peers->rank() == 0;
  const bool quiet = options.quiet || !leads;
  std::optional<FolderLock> lock;
  if (leads) {
    lock.emplace(folder);
    remove_leftovers(folder);
  }
  if (peers) peers->meet();  // none writes there before
  const std::function<bool()> cancelled = interrupted;

  Teaching& teaching = *recipe.teaching;
  const Step& step = recipe.graph.steps[teaching.step()];
  Validation validation(options, catalog, recipe.validation, step, folder, budget.count());
  FailedExamples failed(options.keep_going);
  const std::string begun = teaching.begin(folder / "examples", cancelled,
                                           [&](const std::string& why) { failed.add(why); });
  if (!quiet) fmt::print("{}\n", begun);

  TrainFiles files;
  files.checkpoint = folder / "model.safetensors";
  files.state = folder / "state.safetensors";
  files.card = graph_yaml(recipe.graph);
  if (teaching.has_learned()) {
    if (leads) teaching.lesson().save(files.checkpoint, {}, files.card);
    if (!quiet) fmt::print("weights {}\n", shown(files.checkpoint));
    return failed.count() > 0 ? kExitData : kExitOk;
  }
  std::optional<LossLog> log;
  if (leads) log.emplace(folder / "loss.csv");
  ProgressLine line(quiet);
  const auto start = std::chrono::steady_clock::now();
  TrainCallbacks callbacks;
  callbacks.cancelled = &cancelled;
  callbacks.saved = [&](int64_t step_done, bool last) {  // at rank 0 only
    plot_loss(folder / "loss.csv", folder / "loss.png");
    validation.saved(step_done, last, files.checkpoint);
  };
  callbacks.skip = [&](int64_t, const std::string& why) { failed.add(why); };
  callbacks.progress = [&](const TrainProgress& p) {
    if (log) log->add(p);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    line.show(static_cast<double>(p.step), static_cast<double>(p.steps), seconds.count(),
              fmt::format("loss {:.4f}, {:.1f} items/s", p.loss, p.items_per_second));
  };
  const TrainResult result =
      train(teaching.lesson(), recipe.options, recipe.graph.seed, files, callbacks, peers.get());
  if (!quiet) {
    fmt::print("{} steps ({} from an earlier run), loss {:.4f}, {} examples failed\nweights {}\n",
               result.steps, result.resumed, result.loss, failed.count(), shown(files.checkpoint));
  }
  return failed.count() > 0 ? kExitData : kExitOk;
}

}  // namespace momap
