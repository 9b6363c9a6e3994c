// SPDX-License-Identifier: Apache-2.0
#include "interrupt.h"

#include <momap/base/error.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

namespace momap {
namespace {

std::atomic<bool> asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int) {
  if (asked.exchange(true)) ::_exit(kExitInterrupted);
  static constexpr char kText[] =
      "\nmomap: stopping after the steps in work (again to stop at once)\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText, sizeof kText - 1);
}

}  // namespace

void stop_on_interrupt() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return asked; }

}  // namespace momap
