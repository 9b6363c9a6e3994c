// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace momap {

/// Process exit codes; the whole table of what a caller of `momap` may see.
enum ExitCode : int {
  kExitOk = 0,
  kExitBug = 1,     ///< anything that is neither of the two below: our fault
  kExitConfig = 2,  ///< mend the YAML or the command line
  kExitData = 3,    ///< at least one sample could not be processed
  kExitInterrupted = 130,
};

/// The user can mend this: a YAML file, a command line, an environment variable, an installation.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One sample (a file, a frame, a clip) is bad; others may be good.
class DataError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The user asked to stop (Ctrl-C). Finished work is kept.
class Cancelled : public std::runtime_error {
 public:
  Cancelled() : std::runtime_error("stopped by the user") {}
};

/// A place in a YAML file or on a command line; `line` and `column` count from 1, 0 = unknown.
struct Mark {
  std::string file;
  int line = 0;
  int column = 0;
};

/// One thing that is wrong with a configuration, with its place and what to do next.
struct Problem {
  Mark mark;
  std::string message;  ///< thing = value, what is wrong, what is allowed
  std::string hint;     ///< next step; may be empty
};

/// Gathers all problems of a configuration, so that they are reported at once.
class Problems {
 public:
  void add(Mark mark, std::string message, std::string hint = {}) {
    list_.push_back({std::move(mark), std::move(message), std::move(hint)});
  }
  bool empty() const { return list_.empty(); }
  const std::vector<Problem>& list() const { return list_; }

  /// All problems in file order as `file:line:col: error: ...` with source line and caret.
  std::string report() const;

  /// Throws ConfigError with `report()` when there is a problem.
  void throw_if_any() const;

 private:
  std::vector<Problem> list_;
};

}  // namespace momap
