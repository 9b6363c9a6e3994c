// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace momap {

/// Progress on stderr: one line that is redrawn on a terminal, a plain line every ten seconds
/// elsewhere. Nothing is shown for what takes less than two seconds.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine();  ///< clears the line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// `seconds` since the work began; `total` 0 = unknown; `note` is added as it is.
  void show(double done, double total, double seconds, const std::string& note);

 private:
  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  double last_plain_ = 0;
};

}  // namespace momap
