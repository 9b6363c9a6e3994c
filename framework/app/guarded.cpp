// SPDX-License-Identifier: Apache-2.0
#include "guarded.h"

#include <fmt/format.h>
#include <momap/base/error.h>

#include <cstdio>
#include <string_view>

namespace momap {

int guarded(const char* program, int (*body)(const Options&), const Options& options) {
  try {
    const int code = body(options);
    if (std::fflush(stdout) != 0)
      throw ConfigError("stdout: cannot be written (is the disk full?)");
    return code;
  } catch (const ConfigError& e) {
    // Problems with a place start with it, so that editors and terminals can jump there.
    const std::string_view text = e.what();
    const bool placed = text.find(": error: ") != text.npos;
    fmt::print(stderr, "{}{}\n", placed ? "" : fmt::format("{}: error: ", program), text);
    return kExitConfig;
  } catch (const DataError& e) {
    fmt::print(stderr, "{}: error: {}\n", program, e.what());
    return kExitData;
  } catch (const Cancelled&) {
    fmt::print(stderr, "{}: stopped; finished work is kept\n", program);
    return kExitInterrupted;
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: error: {}\n", program, e.what());
    return kExitBug;
  }
}

}  // namespace momap
