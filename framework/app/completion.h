// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "options.h"

namespace momap {

/// What may stand in place of the last of `words` (a command line without the program's name): one
/// candidate a line, with a tab and its meaning where there is one; ":files" or ":folders" where
/// those may stand.
std::string completions(const std::vector<std::string>& words, const Options& options);

/// The script that makes a shell (bash, zsh or fish) ask `momap complete`.
std::string completion_script(const std::string& shell);

}  // namespace momap
