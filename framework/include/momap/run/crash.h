// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace momap {

/// While it lives, a crash of this thread (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) is reported
/// with this text.
class CrashNote {
 public:
  explicit CrashNote(const std::string& text);
  ~CrashNote();
  CrashNote(const CrashNote&) = delete;
  CrashNote& operator=(const CrashNote&) = delete;
};

/// Makes the process report crashes on stderr, with the note of the crashing thread, and leave with
/// kExitBug.
void install_crash_reporter();

}  // namespace momap
