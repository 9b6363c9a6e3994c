// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/error.h>

#include <cstdint>
#include <functional>
#include <string>

namespace momap {

/// What the kernel tells a plugin about the call it is in. Plugins keep no random state of their
/// own.
struct Context {
  uint64_t seed =
      0;  ///< of this step and sample, for plugins that declare `kUsesSeed`; 0 for others
  std::string sample;  ///< name of the sample, for messages
  int threads = 1;  ///< how many the call may use at most (more than one only for `whole_machine`)
  const std::function<bool()>* cancelled = nullptr;

  /// Throws Cancelled after Ctrl-C. Long loops call it now and then.
  void check_cancelled() const {
    if (cancelled && (*cancelled)()) throw Cancelled();
  }
};

/// The base of all stage interfaces. A plugin object is made once per graph and used for all
/// samples.
class Stage {
 public:
  virtual ~Stage() = default;
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
};

}  // namespace momap
