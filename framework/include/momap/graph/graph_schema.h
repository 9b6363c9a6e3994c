// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/catalog.h>

#include <string>

namespace momap {

/// JSON Schema (2020-12) of graph files for editors: the steps, and for each plugin of the
/// catalogue its inputs and parameters. It knows less than `check_graph`: nothing of which steps
/// there are and of what flows between them.
std::string graph_json_schema(const Catalog& catalog);

}  // namespace momap
