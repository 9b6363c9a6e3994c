// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace momap {

/// The last lines of a job's log, on one line, for the reason it failed; "" when there is none.
std::string log_end(const std::filesystem::path& file);

}  // namespace momap
