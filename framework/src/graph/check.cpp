// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/graph/graph.h>
#include <momap/graph/interpolate.h>
#include <momap/graph/yaml.h>

#include <algorithm>
#include <optional>

#include "draft.h"

namespace momap {
namespace {

constexpr uint64_t kDefaultSeed = 0;

// Gathers everything that is wrong with a graph in passes that each go over all steps.
class Checker {
 public:
  Checker(const Config& root, const Catalog& catalog, const GraphOptions& options)
      : root_(root), catalog_(catalog), options_(options) {}

  Graph check(Problems& problems) {
    problems_ = &problems;
    check_top_level();
    read_steps();
    for (auto& draft : drafts_) look_up_plugin(draft);
    for (auto& draft : drafts_) look_up_reverse(draft);
    for (auto& draft : drafts_) read_inputs(draft, drafts_, problems);
    for (const auto& draft : drafts_) check_kinds(draft, drafts_, problems);
    const auto order = producers_first(drafts_, problems);
    if (problems.empty()) check_used(drafts_, order, roots(), problems);
    return problems.empty() ? assemble(order) : Graph{};
  }

 private:
  void add(const Mark& mark, std::string message, std::string hint = {}) {
    problems_->add(mark, std::move(message), std::move(hint));
  }

  std::optional<uint64_t> read_seed(const Config& config, const std::string& owner) {
    static const ParamSchema schema = [] {
      ParamInfo seed;
      seed.name = "seed";
      seed.default_value = int64_t{0};
      seed.minimum = 0;
      return ParamSchema{seed};
    }();
    const Config map = Config::map({{"seed", config.mark(), config}}, config.mark());
    const auto values = check_params(schema, map, owner, "", *problems_);
    return static_cast<uint64_t>(std::get<int64_t>(values[0].second));
  }

  void check_top_level() {
    if (!root_.is_map()) {
      add(root_.mark(), "a graph is a mapping with 'steps'; this is " + root_.describe(),
          "see docs/guides/write_a_graph.md");
      return;
    }
    std::vector<std::string> known{"seed", "steps"};
    if (!options_.extension.empty()) known.push_back(options_.extension);
    for (const auto& entry : root_.entries()) {
      if (std::ranges::count(known, entry.key) == 0) {
        add(entry.key_mark, fmt::format("no key '{}' in a graph{}", printable(entry.key),
                                        suggestion(entry.key, known)));
      }
    }
    if (const Config* seed = root_.find("seed")) seed_ = read_seed(*seed, "graph");
  }

  void read_steps() {
    const Config* steps = root_.find("steps");
    if (!root_.is_map()) return;
    if (!steps || !steps->is_map() || steps->entries().empty()) {
      add(steps ? steps->mark() : root_.mark(), "a graph needs 'steps': a mapping of named steps",
          "for example  steps: {video: {use: source/video, with: {path: a.mp4}}}");
      return;
    }
    for (const auto& entry : steps->entries()) {
      Draft draft;
      draft.name = entry.key;
      draft.mark = entry.key_mark;
      draft.yaml = &entry.value;
      const bool legal = !entry.key.empty() && std::ranges::all_of(entry.key, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
      });
      if (!legal) {
        add(entry.key_mark, fmt::format("step name '{}' is not allowed; expected letters, digits, "
                                        "'_' and '-'",
                                        printable(entry.key)));
      }
      drafts_.push_back(std::move(draft));
    }
  }

  void look_up_plugin(Draft& draft) {
    if (!draft.yaml->is_map()) {
      add(draft.mark, fmt::format("step '{}' is {}; expected a mapping with 'use'", draft.name,
                                  printable(draft.yaml->describe())));
      return;
    }
    static const std::vector<std::string> kKeys{"use", "reverse", "in", "with", "seed"};
    for (const auto& entry : draft.yaml->entries()) {
      if (std::ranges::count(kKeys, entry.key) == 0) {
        const bool is_param = entry.key != "use" && !nearest_name(entry.key, kKeys);
        add(entry.key_mark,
            fmt::format("step '{}': no key '{}'{}", draft.name, printable(entry.key),
                        suggestion(entry.key, kKeys)),
            is_param ? "parameters of the plugin go under 'with'" : "");
      }
    }
    if (const Config* seed = draft.yaml->find("seed")) {
      draft.seed = read_seed(*seed, fmt::format("step '{}'", draft.name));
    }
    const Config* use = draft.yaml->find("use");
    const Config* reverse = draft.yaml->find("reverse");
    draft.reverse = reverse && !(reverse->is_scalar() && reverse->text() == "false");
    if (draft.reverse) draft.ports = parse_ports(kReverseInputs);
    if (!use && !draft.reverse) {
      add(draft.mark, fmt::format("step '{}' has neither 'use' nor 'reverse'", draft.name),
          "write  use: stage/name  to name a plugin, or  reverse: step  to run an encoding "
          "backwards");
      return;
    }
    if (!use) {
      draft.reverse_of = reverse->text();
      if (const Config* with = draft.yaml->find("with")) {
        add(with->mark(), fmt::format("step '{}': with 'reverse: {}' it takes no parameters; it "
                                      "shares those of that step",
                                      draft.name, printable(draft.reverse_of)));
      }
      return;
    }
    draft.plugin = find_plugin(draft, *use);
    if (!draft.plugin) return;
    if (!draft.reverse) draft.ports = draft.plugin->inputs;
    if (draft.reverse && (draft.plugin->stage() != "encoding" || reverse->text() != "true")) {
      add(reverse->mark(),
          fmt::format("step '{}': 'reverse' = {} beside 'use: {}' is not allowed; expected true, "
                      "beside an encoding",
                      draft.name, printable(reverse->describe()), draft.plugin->id));
    }
    const Config* with = draft.yaml->find("with");
    draft.params = check_params(
        draft.plugin->params, with ? *with : Config::null_at(draft.mark), draft.title(),
        fmt::format("see: momap plugins describe {}", draft.plugin->id), *problems_);
  }

  const PluginInfo* find_plugin(const Draft& draft, const Config& use) {
    if (!use.is_scalar()) {
      add(use.mark(), fmt::format("step '{}': 'use' is {}; expected stage/name", draft.name,
                                  printable(use.describe())));
      return nullptr;
    }
    const auto& id = use.text();
    if (const auto twin = catalog_.duplicates().find(id); twin != catalog_.duplicates().end()) {
      add(use.mark(),
          fmt::format("step '{}': plugin '{}' stands in two libraries: {}", draft.name, id,
                      twin->second),
          "remove or rename one of them");
      return nullptr;
    }
    const PluginInfo* plugin = catalog_.find(id);
    if (plugin) return plugin;
    const std::string stage = id.substr(0, id.find('/'));
    auto candidates = catalog_.ids(stage);
    if (candidates.empty() || nearest_name(id, catalog_.ids())) candidates = catalog_.ids();
    std::string hint = "see: momap plugins list";
    if (const size_t unused = catalog_.problems().size(); unused > 0) {
      hint += fmt::format("; {} plugin librar{} could not be used, see the warnings", unused,
                          unused == 1 ? "y" : "ies");
    }
    add(use.mark(),
        fmt::format("step '{}': no plugin '{}'{}", draft.name, printable(id),
                    suggestion(id, candidates)),
        hint);
    return nullptr;
  }

  void look_up_reverse(Draft& draft) {
    if (draft.reverse_of.empty()) return;
    const Config& reverse = *draft.yaml->find("reverse");
    const Draft* target = find_draft(drafts_, draft.reverse_of);
    if (!target) {
      add(reverse.mark(), fmt::format("step '{}': no step '{}' to reverse{}", draft.name,
                                      printable(draft.reverse_of),
                                      suggestion(draft.reverse_of, names_of(drafts_))));
    } else if (target->plugin && target->plugin->stage() != "encoding") {
      add(reverse.mark(),
          fmt::format("step '{}': step '{}' is a {}; only an encoding can be reversed", draft.name,
                      target->name, target->plugin->stage()));
    } else {
      draft.plugin = target->plugin;
    }
  }

  // Steps that the extension section names: they are used although no score or file needs them.
  std::vector<std::string> roots() const {
    std::vector<std::string> names;
    const Config* section = root_.find(options_.extension);
    for (const auto& key : options_.roots) {
      const Config* root = section ? section->find(key) : nullptr;
      if (root && root->is_scalar()) names.push_back(root->text());
      if (!root || !root->is_map()) continue;
      for (const auto& [name, mark, value] : root->entries()) {
        names.push_back(name);
        if (value.is_scalar()) names.push_back(value.text());
      }
    }
    return names;
  }

  Graph assemble(const std::vector<size_t>& order) {
    Graph graph;
    graph.seed = seed_.value_or(kDefaultSeed);
    if (const Config* section = root_.find(options_.extension)) graph.extension = *section;
    for (const size_t i : order) {
      const Draft& draft = drafts_[i];
      Step step;
      step.name = draft.name;
      step.mark = draft.mark;
      step.plugin = *draft.plugin;
      step.params = draft.params;
      step.seed = draft.seed.value_or(derived_seed(graph.seed, draft.name));
      step.reverse = draft.reverse;
      if (!draft.reverse_of.empty()) {
        step.shares = graph.find(draft.reverse_of);
        step.params = graph.steps[static_cast<size_t>(step.shares)].params;
      }
      for (size_t p = 0; p < draft.ports.size(); ++p) {
        Step::Input input{draft.ports[p], {}};
        for (const auto& [name, mark] : draft.inputs[p]) {
          input.from.push_back(static_cast<size_t>(graph.find(name)));
        }
        step.inputs.push_back(std::move(input));
      }
      graph.steps.push_back(std::move(step));
    }
    return graph;
  }

  const Config& root_;
  const Catalog& catalog_;
  const GraphOptions& options_;
  Problems* problems_ = nullptr;
  Drafts drafts_;
  std::optional<uint64_t> seed_;
};

}  // namespace

Graph check_graph(Config yaml, const std::filesystem::path& file, const Catalog& catalog,
                  const GraphOptions& options) {
  for (const auto& text : options.overrides) apply_override(yaml, text);
  Problems problems;
  interpolate(yaml, problems);
  Graph graph = Checker(yaml, catalog, options).check(problems);
  problems.throw_if_any();
  graph.file = file;
  return graph;
}

Graph read_graph(const std::filesystem::path& file, const Catalog& catalog,
                 const GraphOptions& options) {
  return check_graph(read_yaml(file), file, catalog, options);
}

}  // namespace momap
