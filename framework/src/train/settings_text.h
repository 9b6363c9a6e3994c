// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/text.h>
#include <momap/params/params.h>

#include <string>
#include <tuple>
#include <vector>

namespace momap {

/// "name: value, ..." of all parameters that change the result.
template <class Options>
std::string settings_text(const Options& options) {
  std::vector<std::string> parts;
  std::apply(
      [&](const auto&... line) {
        const auto add = [&](const ParamInfo& info) {
          if (!info.runtime_only) parts.push_back(info.name + ": " + yaml_text(info.default_value));
        };
        (add(line.info(options)), ...);
      },
      Options::schema());
  return join(parts, ", ");
}

}  // namespace momap
