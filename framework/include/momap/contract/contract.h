// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace momap {

/// What one check of the contract suite found out about one plugin.
struct ContractResult {
  std::string plugin;  ///< "stage/name", or the library's file name when it holds none
  std::string check;   ///< "same bytes for any number of threads"
  bool passed = false;
  bool skipped = false;  ///< could not be asked; `detail` says why
  std::string detail;    ///< what was expected and found
};

/// Runs what every plugin of a stage promises on small made-up scenes: a sane schema, the right
/// noun and shape, the same bytes for the same seed on any number of threads, masks respected, odd
/// sizes survived.
///
/// Every plugin is checked in a forked child, so that a crash or a hang is a finding and not the
/// end of the caller. Call it before any thread is started.
std::vector<ContractResult> check_contract(const std::filesystem::path& library);

}  // namespace momap
