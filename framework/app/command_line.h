// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace momap {

/// Shows the whole command line as it is declared, without parsing anything.
void with_command_line(const std::function<void(const CLI::App&)>& look);

}  // namespace momap
