// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/graph/graph.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace momap {

/// Everything the output of one step for one sample depends on; its hash is the cache key.
struct StepIdentity {
  std::string plugin;  ///< id, "reverse of id" for a decoding step
  uint32_t version = 0;
  std::string library;                        ///< content hash of the library
  std::map<std::string, std::string> params;  ///< semantic ones; files by content
  std::map<std::string, std::string> inputs;  ///< port -> keys of what flows in
  std::string seed;                           ///< "" for plugins that use none
  std::string content;                        ///< a source's fingerprint of the sample

  std::string key() const;
  std::string to_json() const;
  static StepIdentity from_json(const std::string& text);
};

/// The identity of a step without its inputs and sample: computed once a run, because it may hash
/// files.
StepIdentity static_identity(const Step& step);

/// Why `now` differs from `before`: one reason a line, "" when it does not.
std::string difference(const StepIdentity& before, const StepIdentity& now);

}  // namespace momap
