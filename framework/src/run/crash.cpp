// SPDX-License-Identifier: Apache-2.0
#include <momap/base/error.h>
#include <momap/run/crash.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace momap {
namespace {

constexpr size_t kLongestNote = 1024;
thread_local std::array<char, kLongestNote> note{};

void say(const char* text) {
  // A signal handler may call nothing but such; there is nothing to do when it fails.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, std::strlen(text));
}

const char* name_of_signal(int number) {
  switch (number) {
    case SIGSEGV:
      return "segmentation fault";
    case SIGBUS:
      return "bus error";
    case SIGFPE:
      return "arithmetic error";
    case SIGILL:
      return "illegal instruction";
    default:
      return "abort";
  }
}

void report(int number) {
  say("\nmomap: error: ");
  say(note[0] ? note.data() : "the program");
  say(": crashed (");
  say(name_of_signal(number));
  say("); this is a bug of that code. Finished work is kept. To look closer, run the same command "
      "under gdb\n");
  ::_exit(kExitBug);
}

}  // namespace

CrashNote::CrashNote(const std::string& text) {
  const size_t length = std::min(text.size(), kLongestNote - 1);
  std::memcpy(note.data(), text.data(), length);
  note[length] = '\0';
}

CrashNote::~CrashNote() { note[0] = '\0'; }

void install_crash_reporter() {
  static std::array<char, 64 * 1024> stack;
  stack_t alternative{};
  alternative.ss_sp = stack.data();
  alternative.ss_size = stack.size();
  ::sigaltstack(&alternative, nullptr);
  struct sigaction action {};
  action.sa_handler = report;
  action.sa_flags = SA_ONSTACK | SA_RESETHAND;
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    ::sigaction(number, &action, nullptr);
  }
}

}  // namespace momap
