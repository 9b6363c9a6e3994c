// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/params/params.h>

#include <cstdint>

// What a plugin library exports. `momap/plugin/plugin.h` fills it in; plugin authors never write it
// by hand.

namespace momap {

class Stage;

/// Raised whenever a layout or a virtual function that plugins see changes. A macro, because the
/// stamp is text.
#define MOMAP_PLUGIN_ABI 3
inline constexpr uint32_t kPluginAbi = MOMAP_PLUGIN_ABI;

/// How the executor may run a plugin.
enum class Concurrency : uint32_t {
  parallel,       ///< several samples at once on one object; functions are thread-safe
  serial,         ///< one sample at a time, in sample order
  whole_machine,  ///< alone: while it runs nothing else does, and it may use all threads
};

struct PluginRecord {
  const char* id;       ///< "stage/name"
  uint32_t version;     ///< raised when the output changes; part of the cache key
  const char* summary;  ///< one sentence
  const char* inputs;   ///< port signature; nullptr = the stage's own
  Concurrency concurrency;
  bool uses_seed;  ///< false: the result does not depend on `Context::seed`, so a new seed reuses
                   ///< cached results
  ParamSchema (*schema)();
  Stage* (*create)(const ParamValues& values);
};

/// The exported symbol `momap_plugin`. `abi` and `record_size` come first and never move.
struct PluginTable {
  uint32_t abi;
  uint32_t record_size;
  const PluginRecord* const* begin;
  const PluginRecord* const* end;
};

inline constexpr const char* kPluginSymbol = "momap_plugin";

/// ELF section with the text that tells, without running or loading anything, what a library was
/// built for.
inline constexpr const char* kStampSection = "momap_stamp";

}  // namespace momap
