// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/text.h>

#include <algorithm>

#include "draft.h"

namespace momap {
namespace {

class InputReader {
 public:
  InputReader(const Drafts& drafts, Problems& problems) : drafts_(drafts), problems_(problems) {}

  // `in` is a step name, a list of step names in port order, or a mapping from port to step
  // name(s).
  void read(Draft& draft) {
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
      problems_.add(in->mark(), fmt::format("{} takes no input", draft.title()));
      return;
    }
    if (in->is_map()) {
      for (const auto& entry : in->entries()) read_named_input(draft, entry);
    } else {
      const std::vector<Config> items = in->is_list() ? in->items() : std::vector{*in};
      const bool all_to_one = draft.ports.size() == 1 && draft.ports[0].many;
      for (size_t i = 0; i < items.size(); ++i) {
        if (!all_to_one && i >= draft.ports.size()) {
          problems_.add(items[i].mark(),
                        fmt::format("{} takes {} input(s): {}; this is number {}", draft.title(),
                                    draft.ports.size(), signature(draft), i + 1));
          break;
        }
        read_reference(draft, all_to_one ? 0 : i, items[i]);
      }
    }
    report_missing(draft, in->mark());
  }

 private:
  // For a step whose plugin, and so whose ports, are not known.
  void report_unknown_steps(const Draft& draft, const Config& in) {
    for (const auto& item : in.items()) report_unknown_steps(draft, item);
    for (const auto& entry : in.entries()) report_unknown_steps(draft, entry.value);
    if (in.is_scalar() && !find_draft(drafts_, in.text())) report_unknown_step(draft, in);
  }

  void report_unknown_step(const Draft& draft, const Config& reference) {
    problems_.add(reference.mark(),
                  fmt::format("{}: no step '{}'{}", draft.title(), printable(reference.text()),
                              suggestion(reference.text(), names_of(drafts_))));
  }

  void read_named_input(Draft& draft, const Config::Entry& entry) {
    const auto port = std::ranges::find(draft.ports, entry.key, &Port::name);
    if (port == draft.ports.end()) {
      std::vector<std::string> names;
      for (const auto& known : draft.ports) names.push_back(known.name);
      problems_.add(entry.key_mark,
                    fmt::format("{}: no input '{}'{}", draft.title(), printable(entry.key),
                                suggestion(entry.key, names)));
      return;
    }
    const auto index = static_cast<size_t>(port - draft.ports.begin());
    if (!entry.value.is_list()) {
      read_reference(draft, index, entry.value);
    } else if (!port->many) {
      problems_.add(entry.value.mark(), fmt::format("{}: input '{}' takes one step, not a list",
                                                    draft.title(), port->name));
    } else {
      for (const auto& item : entry.value.items()) read_reference(draft, index, item);
    }
  }

  void read_reference(Draft& draft, size_t port, const Config& reference) {
    if (!reference.is_scalar()) {
      problems_.add(reference.mark(),
                    fmt::format("{}: input '{}' is {}; expected the name of a step", draft.title(),
                                draft.ports[port].name, printable(reference.describe())));
    } else if (!find_draft(drafts_, reference.text())) {
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
        problems_.add(
            mark, fmt::format("{}: input '{}' is missing", draft.title(), draft.ports[i].text()),
            "name the step it comes from under 'in'");
      }
    }
  }

  const Drafts& drafts_;
  Problems& problems_;
};

}  // namespace

void read_inputs(Draft& draft, const Drafts& drafts, Problems& problems) {
  InputReader(drafts, problems).read(draft);
}

void check_kinds(const Draft& draft, const Drafts& drafts, Problems& problems) {
  for (size_t i = 0; i < draft.ports.size(); ++i) {
    for (const auto& [name, mark] : draft.inputs[i]) {
      const Draft* producer = find_draft(drafts, name);
      const auto kind = producer ? producer->kind() : std::nullopt;
      if (!kind || draft.ports[i].accepts(*kind)) continue;
      problems.add(mark, fmt::format("{}: input {} is {} (from '{}'); expected {}", draft.title(),
                                     i + 1, name_of(*kind), name, draft.ports[i].text()));
    }
  }
}

}  // namespace momap
