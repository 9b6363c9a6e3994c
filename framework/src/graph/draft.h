// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/config.h>
#include <momap/catalog/catalog.h>
#include <momap/params/params.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace momap {

/// A step as written, before all of its names are looked up.
struct Draft {
  std::string name;
  Mark mark;
  const Config* yaml = nullptr;
  const PluginInfo* plugin = nullptr;  ///< for `reverse: step` that of the step
  bool reverse = false;
  std::string reverse_of;  ///< the step whose encoding is run backwards; "" = one of its own
  std::vector<Port> ports;
  std::vector<std::vector<std::pair<std::string, Mark>>> inputs;  ///< step names per port
  ParamValues params;
  std::optional<uint64_t> seed;

  /// "step 'e' (encoding/dct)": how messages name it.
  std::string title() const;
  /// What it makes; none while its plugin is not known.
  std::optional<Kind> kind() const;
};

/// The steps of a graph in the order they are written.
using Drafts = std::vector<Draft>;

/// nullptr when there is none.
const Draft* find_draft(const Drafts& drafts, const std::string& name);

std::vector<std::string> names_of(const Drafts& drafts);

/// Reads `in` of a step and reports what is unknown, missing or too many.
void read_inputs(Draft& draft, const Drafts& drafts, Problems& problems);

/// Reports inputs whose step makes another kind of value than the port takes.
void check_kinds(const Draft& draft, const Drafts& drafts, Problems& problems);

/// Positions of the steps, producers first; steps in a circle are reported and left out.
std::vector<size_t> producers_first(const Drafts& drafts, Problems& problems);

/// Reports steps that lead to no score, no file and none of `roots`.
void check_used(const Drafts& drafts, const std::vector<size_t>& order,
                const std::vector<std::string>& roots, Problems& problems);

}  // namespace momap
