// SPDX-License-Identifier: Apache-2.0
#pragma once

// The only include a plugin author needs.

#include <momap/catalog/build_stamp.h>
#include <momap/catalog/record.h>
#include <momap/params/params.h>
#include <momap/stage/annotator.h>
#include <momap/stage/backbone.h>
#include <momap/stage/completer.h>
#include <momap/stage/encoding.h>
#include <momap/stage/extractor.h>
#include <momap/stage/metric.h>
#include <momap/stage/output.h>
#include <momap/stage/sampler.h>
#include <momap/stage/source.h>
#include <momap/stage/warper.h>

namespace momap::plugin_detail {

template <class T>
consteval const char* inputs_of() {
  if constexpr (requires { T::kInputs; }) {
    return T::kInputs;
  } else {
    return nullptr;
  }
}

template <class T>
consteval Concurrency concurrency_of() {
  if constexpr (requires { T::kConcurrency; }) {
    return T::kConcurrency;
  } else {
    return Concurrency::parallel;
  }
}

template <class T>
consteval bool uses_seed() {
  if constexpr (requires { T::kUsesSeed; }) {
    return T::kUsesSeed;
  } else {
    return false;
  }
}

template <class T>
ParamSchema schema() {
  return schema_of<typename T::Params>();
}

template <class T>
Stage* create(const ParamValues& values) {
  return new T(from_values<typename T::Params>(values));
}

}  // namespace momap::plugin_detail

// The exported table. Weak, so that every source file of a library may define it and the linker
// keeps one; not `inline`, because that would make it one for the whole process. The linker
// provides the ends of the section of pointers (the records themselves it would pad).
extern "C" {
extern const momap::PluginRecord* const __start_momap_plugins
    __attribute__((weak, visibility("hidden")));
extern const momap::PluginRecord* const __stop_momap_plugins
    __attribute__((weak, visibility("hidden")));
extern const momap::PluginTable momap_plugin __attribute__((weak, visibility("default")));
}
constinit const momap::PluginTable momap_plugin = {MOMAP_PLUGIN_ABI, sizeof(momap::PluginRecord),
                                                   &__start_momap_plugins, &__stop_momap_plugins};

/// Registers a class as the plugin `id` ("stage/name", as its folder). Several may stand in one
/// library.
///
/// The class has `struct Params` with `static auto schema()` and a constructor that takes it; it
/// may have `kInputs` (metrics and outputs), `kConcurrency` (default: parallel) and `kUsesSeed`
/// (default: false). The record is constant data: nothing runs on loading.
#define MOMAP_PLUGIN(Class, id, version, summary) \
  MOMAP_PLUGIN_AT_(Class, id, version, summary, __COUNTER__)
#define MOMAP_PLUGIN_AT_(Class, id, version, summary, n) \
  MOMAP_PLUGIN_RECORD_(Class, id, version, summary, n)
#define MOMAP_PLUGIN_RECORD_(Class, id, version, summary, n)                                    \
  namespace {                                                                                   \
  constinit const momap::PluginRecord momap_plugin_record_##n = {                               \
      id,                                                                                       \
      version,                                                                                  \
      summary,                                                                                  \
      momap::plugin_detail::inputs_of<Class>(),                                                 \
      momap::plugin_detail::concurrency_of<Class>(),                                            \
      momap::plugin_detail::uses_seed<Class>(),                                                 \
      &momap::plugin_detail::schema<Class>,                                                     \
      &momap::plugin_detail::create<Class>};                                                    \
  __attribute__((section("momap_plugins"),                                                      \
                 used)) constinit const momap::PluginRecord* const momap_plugin_entry_##n =     \
      &momap_plugin_record_##n;                                                                 \
  __attribute__((section("momap_stamp"), used)) constinit const char momap_plugin_stamp_##n[] = \
      MOMAP_STAMP;                                                                              \
  }                                                                                             \
  static_assert(true, "")
