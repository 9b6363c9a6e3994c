// SPDX-License-Identifier: Apache-2.0
#include "validation.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/graph/graph.h>
#include <momap/run/executor.h>

#include <cstdlib>
#include <map>

#include "run_command.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHeader = "step,score,mean,samples\n";

struct Mean {
  double sum = 0;
  int64_t samples = 0;
  Direction direction = Direction::lower_is_better;
};

// The value a file of an earlier run has for a score, the best of all steps.
std::optional<double> best_so_far(const fs::path& csv, const std::string& score, bool lower) {
  std::optional<double> best;
  if (score.empty() || !fs::exists(csv)) return best;
  const std::string text = read_file(csv);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    const size_t name = line.find(',') + 1;
    if (line.compare(name, score.size() + 1, score + ",") != 0) continue;
    const double value = std::strtod(line.c_str() + name + score.size() + 1, nullptr);
    if (!best || (lower ? value < *best : value > *best)) best = value;
  }
  return best;
}

}  // namespace

Validation::Validation(const Options& options, const Catalog& catalog, ValidationOptions wanted,
                       const Step& learner, fs::path folder, int threads)
    : options_(options),
      catalog_(catalog),
      wanted_(std::move(wanted)),
      learner_(learner.name),
      folder_(std::move(folder)),
      threads_(threads) {
  if (wanted_.validation.empty()) {
    if (wanted_.keep_best.empty()) return;
    throw ConfigError(
        fmt::format("train: 'keep_best' = {} needs a 'validation' graph that gives this score",
                    printable(wanted_.keep_best)));
  }
  const Graph graph = read_graph(wanted_.validation, catalog_);
  const int step = graph.find(learner_);
  if (step < 0 || graph.steps[static_cast<size_t>(step)].plugin.id != learner.plugin.id) {
    throw ConfigError(fmt::format(
        "{}: has no step '{}' ({}) to give the checkpoint to; name it as the recipe does",
        shown(wanted_.validation), learner_, learner.plugin.id));
  }
  const std::string metric = wanted_.keep_best.substr(0, wanted_.keep_best.find('.'));
  if (!metric.empty() && graph.find(metric) < 0) {
    throw ConfigError(fmt::format("train: 'keep_best' = {}: {} has no step '{}'",
                                  printable(wanted_.keep_best), shown(wanted_.validation),
                                  printable(metric)));
  }
}

void Validation::saved(int64_t step, bool last, const fs::path& checkpoint) {
  if (wanted_.validation.empty()) return;
  if (!last && step / wanted_.validate_every == validated_ / wanted_.validate_every) return;
  validated_ = step;
  validate(step, checkpoint);
}

void Validation::validate(int64_t step, const fs::path& checkpoint) {
  GraphOptions graph_options;
  graph_options.overrides = {
      fmt::format("{}.with.weights={}", learner_, yaml_text(checkpoint.string()))};
  const Graph graph = read_graph(wanted_.validation, catalog_, graph_options);
  std::map<std::string, Mean> means;
  RunOptions run = run_options(options_, threads_, nullptr);
  run.samples = 0;
  run.progress = nullptr;
  run.folder = folder_ / fmt::format("validation-{:07}", step);
  run.on_sample = [&](const SampleResult& result) {
    for (const auto& [at, k, score] : result.scores) {
      for (const ScoreValue& value : score.values) {
        if (!value.value) continue;
        Mean& mean = means[graph.steps[at].name + "." + value.name];
        mean.sum += *value.value;
        mean.direction = value.direction;
        ++mean.samples;
      }
    }
  };
  if (run_graph(graph, run).cancelled) throw Cancelled();

  const fs::path csv = folder_ / "validation.csv";
  const auto chosen = means.find(wanted_.keep_best);
  if (!wanted_.keep_best.empty() && chosen == means.end()) {
    throw ConfigError(fmt::format("train: 'keep_best' = {} is no score of {}; it gives {}",
                                  printable(wanted_.keep_best), shown(wanted_.validation),
                                  means.empty() ? "none" : means.begin()->first));
  }
  const bool lower =
      chosen != means.end() && chosen->second.direction == Direction::lower_is_better;
  if (!best_) best_ = best_so_far(csv, wanted_.keep_best, lower);
  std::string text = fs::exists(csv) ? read_file(csv) : std::string(kHeader);
  for (const auto& [name, mean] : means) {
    text += fmt::format("{},{},{:.6g},{}\n", step, name,
                        mean.sum / static_cast<double>(mean.samples), mean.samples);
  }
  write_file(csv, text);
  if (chosen == means.end()) return;
  const double now = chosen->second.sum / static_cast<double>(chosen->second.samples);
  if (best_ && (lower ? now >= *best_ : now <= *best_)) return;
  best_ = now;
  const fs::path aside = folder_ / "best.safetensors.part";
  fs::copy_file(checkpoint, aside, fs::copy_options::overwrite_existing);
  fs::rename(aside, folder_ / "best.safetensors");
}

}  // namespace momap
