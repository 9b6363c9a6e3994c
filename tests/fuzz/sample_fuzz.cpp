// SPDX-License-Identifier: Apache-2.0
#include <momap/base/error.h>
#include <momap/store/sample.h>

#include "input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return momap::fuzz::read<momap::ConfigError>(data, size, [&](const std::filesystem::path& path) {
    momap::unpack_sample(std::make_shared<momap::MappedFile>(path), 0, size, "input");
  });
}
