// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/text.h>

#include <algorithm>
#include <set>

#include "draft.h"

namespace momap {
namespace {

size_t next_in_circle(const Drafts& drafts, size_t at, const std::vector<bool>& placed) {
  const auto index_of = [&](const std::string& name) {
    return static_cast<size_t>(std::ranges::find(drafts, name, &Draft::name) - drafts.begin());
  };
  for (const auto& port : drafts[at].inputs) {
    for (const auto& input : port) {
      const size_t i = index_of(input.first);
      if (i < drafts.size() && !placed[i]) return i;
    }
  }
  return index_of(drafts[at].reverse_of);
}

void report_circle(const Drafts& drafts, const std::vector<bool>& placed, Problems& problems) {
  size_t at = static_cast<size_t>(std::ranges::find(placed, false) - placed.begin());
  std::vector<std::string> path;
  while (std::ranges::count(path, drafts[at].name) == 0) {
    path.push_back(drafts[at].name);
    at = next_in_circle(drafts, at, placed);
  }
  path.erase(path.begin(), std::ranges::find(path, drafts[at].name));
  path.push_back(drafts[at].name);
  problems.add(drafts[at].mark,
               fmt::format("steps feed each other in a circle: {}", join(path, " <- ")),
               "a step can only use what comes before it");
}

}  // namespace

// Kahn (1962); what is left over is a circle.
std::vector<size_t> producers_first(const Drafts& drafts, Problems& problems) {
  std::vector<size_t> order;
  std::set<std::string> done;
  bool progress = true;
  std::vector<bool> placed(drafts.size(), false);
  const auto ready = [&](const Draft& draft) {
    const auto is_done = [&](const auto& input) {
      return done.contains(input.first) || !find_draft(drafts, input.first);
    };
    const bool reverse_done = draft.reverse_of.empty() || done.contains(draft.reverse_of) ||
                              !find_draft(drafts, draft.reverse_of);
    return reverse_done && std::ranges::all_of(draft.inputs, [&](const auto& port) {
             return std::ranges::all_of(port, is_done);
           });
  };
  while (progress) {
    progress = false;
    for (size_t i = 0; i < drafts.size(); ++i) {
      if (placed[i] || !ready(drafts[i])) continue;
      placed[i] = progress = true;
      done.insert(drafts[i].name);
      order.push_back(i);
    }
  }
  if (order.size() < drafts.size()) report_circle(drafts, placed, problems);
  return order;
}

void check_used(const Drafts& drafts, const std::vector<size_t>& order,
                const std::vector<std::string>& roots, Problems& problems) {
  std::set<std::string> used(roots.begin(), roots.end());
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    const Draft& draft = drafts[*it];
    const auto kind = draft.kind();
    if (kind != Kind::score && kind != Kind::file && !used.contains(draft.name)) {
      problems.add(draft.mark,
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

}  // namespace momap
