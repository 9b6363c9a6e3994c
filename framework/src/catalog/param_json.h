// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/params/params.h>

#include <nlohmann/json.hpp>

namespace momap {

/// The value as the JSON value of the same meaning.
nlohmann::json value_to_json(const ParamValue& value);

/// Everything in `info`; `param_from_json` gives it back.
nlohmann::json param_to_json(const ParamInfo& info);
ParamInfo param_from_json(const nlohmann::json& j);

}  // namespace momap
