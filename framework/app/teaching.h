// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/catalog.h>
#include <momap/graph/graph.h>
#include <momap/params/params.h>
#include <momap/plugin/loader.h>
#include <momap/train/trainer.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "options.h"

namespace momap {

/// The `train:` section of a recipe, taken apart piece by piece; what nobody took is unknown.
class TrainSection {
 public:
  TrainSection(const Graph& graph, const Config& section, Problems& problems)
      : graph_(graph), mark_(section.mark()), left_(section.entries()), problems_(problems) {}

  /// The step that `key` names, which must give this kind of value and, where `stage` is not empty,
  /// be of that stage.
  size_t step(const std::string& key, Kind kind, const std::string& stage = "");

  /// The same for a key that may be left out.
  std::optional<size_t> optional_step(const std::string& key, Kind kind, const std::string& stage);

  /// Pairs of steps that `key` maps from one kind of value to another; at least one.
  std::vector<std::pair<size_t, size_t>> step_pairs(const std::string& key, Kind from, Kind to);

  /// The entries that `Options` has parameters for, checked.
  template <class Options>
  Options options() {
    const auto schema = schema_of<Options>();
    return from_values<Options>(check_params(schema, take(schema), "train", "", problems_));
  }

  /// Adds a problem for each entry that is left.
  void expect_nothing_left();

 private:
  const Config* find(const std::string& key) const;
  size_t step_named(const std::string& name, const Mark& mark, const std::string& what, Kind kind,
                    const std::string& stage = "");
  Config take(const ParamSchema& schema);
  void drop(const std::string& key);

  const Graph& graph_;
  Mark mark_;
  std::vector<Config::Entry> left_;
  std::vector<std::string> known_;  // all that was asked for
  Problems& problems_;
};

/// What a recipe teaches, and from which examples.
class Teaching {
 public:
  virtual ~Teaching() = default;

  /// The step that learns.
  virtual size_t step() const = 0;

  /// Prepares the network and its examples, which are kept in `folder`; those that cannot be made
  /// are told to `failed`. Returns a line that says what there is to learn from.
  virtual std::string begin(const std::filesystem::path& folder,
                            const std::function<bool()>& cancelled,
                            const std::function<void(const std::string& why)>& failed) = 0;

  /// After `begin`.
  virtual const Lesson& lesson() const = 0;

  /// Whether `begin` taught all there is to learn, so that only saving is left.
  virtual bool has_learned() const { return false; }
};

/// For recipes with `backbone`, `latent` and `condition`.
std::unique_ptr<Teaching> denoising_teaching(const Graph& graph, TrainSection& section);

/// For recipes with `completer` and `examples`.
std::unique_ptr<Teaching> completing_teaching(const Graph& graph, TrainSection& section);

/// For recipes with `encoding` and `condition`.
std::unique_ptr<Teaching> encoding_teaching(const Graph& graph, TrainSection& section);

/// The object of a step that learns.
template <class T>
std::shared_ptr<T> make_learner(const Step& step) {
  return PluginLibrary::open(step.plugin.library)->make<T>(step.plugin.id, step.params);
}

}  // namespace momap
