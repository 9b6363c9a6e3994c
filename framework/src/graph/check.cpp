// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/graph/graph.h>
#include <momap/graph/interpolate.h>
#include <momap/graph/yaml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace momap {
namespace {

constexpr uint64_t kDefaultSeed = 0;

// A step as written, before its names are looked up.
struct Draft {
  std::string name;
  Mark mark;
  const Config* yaml = nullptr;
  const PluginInfo* plugin = nullptr;  // for `reverse: step` that of the step
  bool reverse = false;
  std::string reverse_of;  // the step whose encoding is run backwards; "" = an encoding of its own
  std::vector<Port> ports;
  std::vector<std::vector<std::pair<std::string, Mark>>> inputs;  // step names per port
  ParamValues params;
  std::optional<uint64_t> seed;
};

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
    for (auto& draft : drafts_) read_inputs(draft);
    for (const auto& draft : drafts_) check_kinds(draft);
    const auto order = sorted();
    if (problems.empty()) check_used(order);
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
      step_names_.push_back(entry.key);
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
    draft.params =
        check_params(draft.plugin->params, with ? *with : Config::null_at(draft.mark), title(draft),
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
    for (const auto& problem : catalog_.problems()) {
      hint += fmt::format("\n  not loaded: {}", problem.text());
    }
    add(use.mark(),
        fmt::format("step '{}': no plugin '{}'{}", draft.name, printable(id),
                    suggestion(id, candidates)),
        hint);
    return nullptr;
  }

  std::string title(const Draft& draft) const {
    return draft.plugin && draft.reverse_of.empty()
               ? fmt::format("step '{}' ({})", draft.name, draft.plugin->id)
               : fmt::format("step '{}'", draft.name);
  }

  Draft* find_draft(const std::string& name) {
    const auto found = std::ranges::find(drafts_, name, &Draft::name);
    return found == drafts_.end() ? nullptr : &*found;
  }
  const Draft* find_draft(const std::string& name) const {
    return const_cast<Checker*>(this)->find_draft(name);
  }

  void look_up_reverse(Draft& draft) {
    if (draft.reverse_of.empty()) return;
    const Config& reverse = *draft.yaml->find("reverse");
    const Draft* target = find_draft(draft.reverse_of);
    if (!target) {
      add(reverse.mark(),
          fmt::format("step '{}': no step '{}' to reverse{}", draft.name,
                      printable(draft.reverse_of), suggestion(draft.reverse_of, step_names_)));
    } else if (target->plugin && target->plugin->stage() != "encoding") {
      add(reverse.mark(),
          fmt::format("step '{}': step '{}' is a {}; only an encoding can be reversed", draft.name,
                      target->name, target->plugin->stage()));
    } else {
      draft.plugin = target->plugin;
    }
  }

  // `in` is a step name, a list of step names in port order, or a mapping from port to step
  // name(s).
  void read_inputs(Draft& draft) {
    draft.inputs.resize(draft.ports.size());
    const Config* in = draft.yaml->find("in");
    if (!draft.plugin && draft.reverse_of.empty()) {
      if (in) report_unknown_steps(draft, *in);
      return;
    }
    if (!in || in->is_null()) {
      report_missing(draft, draft.mark);
      return;
    }
    if (draft.ports.empty()) {
      add(in->mark(), fmt::format("{} takes no input", title(draft)));
      return;
    }
    if (in->is_map()) {
      for (const auto& entry : in->entries()) read_named_input(draft, entry);
    } else {
      const std::vector<Config> items = in->is_list() ? in->items() : std::vector{*in};
      const bool all_to_one = draft.ports.size() == 1 && draft.ports[0].many;
      for (size_t i = 0; i < items.size(); ++i) {
        if (!all_to_one && i >= draft.ports.size()) {
          add(items[i].mark(),
              fmt::format("{} takes {} input(s): {}; this is number {}", title(draft),
                          draft.ports.size(), signature(draft), i + 1));
          break;
        }
        read_reference(draft, all_to_one ? 0 : i, items[i]);
      }
    }
    report_missing(draft, in->mark());
  }

  // For a step whose plugin, and so whose ports, are not known.
  void report_unknown_steps(const Draft& draft, const Config& in) {
    for (const auto& item : in.items()) report_unknown_steps(draft, item);
    for (const auto& entry : in.entries()) report_unknown_steps(draft, entry.value);
    if (in.is_scalar() && !find_draft(in.text())) report_unknown_step(draft, in);
  }

  void report_unknown_step(const Draft& draft, const Config& reference) {
    add(reference.mark(),
        fmt::format("{}: no step '{}'{}", title(draft), printable(reference.text()),
                    suggestion(reference.text(), step_names_)));
  }

  void read_named_input(Draft& draft, const Config::Entry& entry) {
    const auto port = std::ranges::find(draft.ports, entry.key, &Port::name);
    if (port == draft.ports.end()) {
      std::vector<std::string> names;
      for (const auto& known : draft.ports) names.push_back(known.name);
      add(entry.key_mark, fmt::format("{}: no input '{}'{}", title(draft), printable(entry.key),
                                      suggestion(entry.key, names)));
      return;
    }
    const auto index = static_cast<size_t>(port - draft.ports.begin());
    if (!entry.value.is_list()) {
      read_reference(draft, index, entry.value);
    } else if (!port->many) {
      add(entry.value.mark(),
          fmt::format("{}: input '{}' takes one step, not a list", title(draft), port->name));
    } else {
      for (const auto& item : entry.value.items()) read_reference(draft, index, item);
    }
  }

  void read_reference(Draft& draft, size_t port, const Config& reference) {
    if (!reference.is_scalar()) {
      add(reference.mark(),
          fmt::format("{}: input '{}' is {}; expected the name of a step", title(draft),
                      draft.ports[port].name, printable(reference.describe())));
    } else if (!find_draft(reference.text())) {
      report_unknown_step(draft, reference);
    }
    draft.inputs[port].emplace_back(reference.text(), reference.mark());
  }

  static std::string signature(const Draft& draft) {
    std::vector<std::string> texts;
    for (const auto& port : draft.ports) texts.push_back(port.text());
    return join(texts, ", ");
  }

  void report_missing(const Draft& draft, const Mark& mark) {
    for (size_t i = 0; i < draft.ports.size(); ++i) {
      if (draft.inputs[i].empty() && !draft.ports[i].optional) {
        add(mark, fmt::format("{}: input '{}' is missing", title(draft), draft.ports[i].text()),
            "name the step it comes from under 'in'");
      }
    }
  }

  std::optional<Kind> kind_of(const Draft& draft) const {
    if (draft.reverse) return Kind::momap;
    if (!draft.plugin) return std::nullopt;
    return draft.plugin->output();
  }

  void check_kinds(const Draft& draft) {
    for (size_t i = 0; i < draft.ports.size(); ++i) {
      for (const auto& [name, mark] : draft.inputs[i]) {
        const Draft* producer = find_draft(name);
        const auto kind = producer ? kind_of(*producer) : std::nullopt;
        if (!kind || draft.ports[i].accepts(*kind)) continue;
        add(mark, fmt::format("{}: input {} is {} (from '{}'); expected {}", title(draft), i + 1,
                              name_of(*kind), name, draft.ports[i].text()));
      }
    }
  }

  // Steps by position, producers first (Kahn); what is left over is a circle.
  std::vector<size_t> sorted() {
    std::vector<size_t> order;
    std::set<std::string> done;
    bool progress = true;
    std::vector<bool> placed(drafts_.size(), false);
    const auto ready = [&](const Draft& draft) {
      const auto is_done = [&](const auto& input) {
        return done.contains(input.first) || !find_draft(input.first);
      };
      const bool reverse_done = draft.reverse_of.empty() || done.contains(draft.reverse_of) ||
                                !find_draft(draft.reverse_of);
      return reverse_done && std::ranges::all_of(draft.inputs, [&](const auto& port) {
               return std::ranges::all_of(port, is_done);
             });
    };
    while (progress) {
      progress = false;
      for (size_t i = 0; i < drafts_.size(); ++i) {
        if (placed[i] || !ready(drafts_[i])) continue;
        placed[i] = progress = true;
        done.insert(drafts_[i].name);
        order.push_back(i);
      }
    }
    if (order.size() < drafts_.size()) report_circle(placed);
    return order;
  }

  void report_circle(const std::vector<bool>& placed) {
    size_t at = static_cast<size_t>(std::ranges::find(placed, false) - placed.begin());
    std::vector<std::string> path;
    while (std::ranges::count(path, drafts_[at].name) == 0) {
      path.push_back(drafts_[at].name);
      at = next_in_circle(at, placed);
    }
    path.erase(path.begin(), std::ranges::find(path, drafts_[at].name));
    path.push_back(drafts_[at].name);
    add(drafts_[at].mark, fmt::format("steps feed each other in a circle: {}", join(path, " <- ")),
        "a step can only use what comes before it");
  }

  size_t next_in_circle(size_t at, const std::vector<bool>& placed) const {
    const auto index_of = [&](const std::string& name) {
      return static_cast<size_t>(std::ranges::find(drafts_, name, &Draft::name) - drafts_.begin());
    };
    for (const auto& port : drafts_[at].inputs) {
      for (const auto& input : port) {
        const size_t i = index_of(input.first);
        if (i < drafts_.size() && !placed[i]) return i;
      }
    }
    return index_of(drafts_[at].reverse_of);
  }

  // Everything must lead to a score or a file (or to what the extension section names).
  void check_used(const std::vector<size_t>& order) {
    std::set<std::string> used;
    if (const Config* section = root_.find(options_.extension)) {
      for (const auto& key : options_.roots) {
        const Config* root = section->find(key);
        if (root && root->is_scalar()) used.insert(root->text());
      }
    }
    for (auto it = order.rbegin(); it != order.rend(); ++it) {
      const Draft& draft = drafts_[*it];
      const auto kind = kind_of(draft);
      if (kind != Kind::score && kind != Kind::file && !used.contains(draft.name)) {
        add(draft.mark,
            fmt::format("step '{}' is not used: no score or file depends on it", draft.name),
            "add an output or metric step that takes it, or remove it");
        continue;
      }
      used.insert(draft.reverse_of);
      for (const auto& port : draft.inputs) {
        for (const auto& input : port) used.insert(input.first);
      }
    }
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
  std::vector<Draft> drafts_;
  std::vector<std::string> step_names_;
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
