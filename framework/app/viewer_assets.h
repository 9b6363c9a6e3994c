// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace momap {

/// The script of the viewer's page with its styles and the notices of what is in it.
std::string_view viewer_script();

}  // namespace momap
