// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace momap {

/// Scripts of pages with their styles and the notices of what is in them: of `momap view` and of
/// `momap report`.
std::string_view viewer_script();
std::string_view report_script();

}  // namespace momap
