// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace momap {

/// Slurm's commands, as far as they are needed here.
class SlurmQueue {
 public:
  /// Throws ConfigError where they are not installed.
  SlurmQueue();

  /// Submits a batch script. Throws ConfigError with Slurm's words when it is refused.
  void submit(const std::vector<std::string>& arguments, const std::string& script) const;

  /// Task of the array -> state ("PENDING", "RUNNING", "TIMEOUT" ...) of the jobs of this name,
  /// those that ended a short while ago too. Nothing when the controller does not answer.
  std::optional<std::map<int, std::string>> states(const std::string& name) const;

  void cancel(const std::string& name, bool only_pending) const;

  /// Tasks that one array may have.
  int largest_array() const;
};

}  // namespace momap
