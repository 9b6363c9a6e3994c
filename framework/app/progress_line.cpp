// SPDX-License-Identifier: Apache-2.0
#include "progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace momap {
namespace {

constexpr double kSilentSeconds = 2;
constexpr double kPlainEverySeconds = 10;
constexpr int kBarWidth = 24;

std::string clock_text(double seconds) {
  const auto s = static_cast<long>(seconds + 0.5);
  return s < 3600 ? fmt::format("{}:{:02}", s / 60, s % 60)
                  : fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

}  // namespace

ProgressLine::ProgressLine(bool quiet) : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
}

void ProgressLine::show(double done, double total, double seconds, const std::string& note) {
  if (quiet_ || seconds < kSilentSeconds) return;
  const double share = total > 0 ? done / total : 0;
  const std::string left =
      share > 0 ? fmt::format(", {} left", clock_text(seconds / share * (1 - share))) : "";
  const std::string text =
      fmt::format("{:.0f}/{:.0f}  {}{}  {}", done, total, clock_text(seconds), left, note);
  if (terminal_) {
    const int filled = static_cast<int>(share * kBarWidth);
    fmt::print(stderr, "\r\033[K[{:=<{}}{:<{}}] {}", "", filled, "", kBarWidth - filled, text);
    std::fflush(stderr);
    drawn_ = true;
  } else if (seconds - last_plain_ >= kPlainEverySeconds) {
    last_plain_ = seconds;
    fmt::print(stderr, "{}\n", text);
  }
}

}  // namespace momap
