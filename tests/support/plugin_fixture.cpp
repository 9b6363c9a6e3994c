// SPDX-License-Identifier: Apache-2.0
#include "plugin_fixture.h"

#include <fmt/format.h>
#include <momap/base/text.h>
#include <momap/graph/yaml.h>

namespace momap::testing {

std::shared_ptr<Stage> make_stage(const std::string& library, const std::string& id,
                                  const std::string& yaml) {
  if (const auto problem = check_stamp(library)) throw ConfigError(problem->text());
  const auto opened = PluginLibrary::open(library);
  std::vector<std::string> ids;
  for (const PluginInfo& plugin : opened->describe()) {
    if (plugin.id == id) {
      Problems problems;
      const ParamValues values =
          check_params(plugin.params, parse_yaml(yaml, "test.yaml"), id, {}, problems);
      problems.throw_if_any();
      return opened->make_stage(id, values);
    }
    ids.push_back(plugin.id);
  }
  throw ConfigError(fmt::format("{}: no plugin '{}'{}", library, id, suggestion(id, ids)));
}

Context context(uint64_t seed) {
  Context made;
  made.seed = seed;
  made.sample = "test";
  return made;
}

}  // namespace momap::testing
