// SPDX-License-Identifier: Apache-2.0
#include <momap/base/error.h>
#include <momap/data/npy.h>

#include "input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return momap::fuzz::read<momap::ConfigError>(
      data, size, [](const std::filesystem::path& path) { momap::read_npy(path, 1 << 24); });
}
