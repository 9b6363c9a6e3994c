// SPDX-License-Identifier: Apache-2.0
#include <momap/base/error.h>
#include <momap/store/codec.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint64_t kMostBytes = 1u << 20;
  try {
    momap::decode({reinterpret_cast<const std::byte*>(data), size}, "input", kMostBytes);
  } catch (const momap::ConfigError&) {
  }
  return 0;
}
