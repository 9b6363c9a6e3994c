// SPDX-License-Identifier: Apache-2.0
#include <momap/base/error.h>
#include <momap/data/npz.h>

#include "input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return momap::fuzz::read<momap::ConfigError>(data, size, [](const std::filesystem::path& path) {
    momap::NpzFile npz(path, 1 << 24);
    for (const auto& name : npz.names()) {
      const auto shape = npz.shape(name);
      if (!shape.empty() && shape[0] > 1) npz.read_rows(name, 1, 2);
      npz.read(name);
    }
  });
}
