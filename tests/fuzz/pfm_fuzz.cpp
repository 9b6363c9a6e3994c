// SPDX-License-Identifier: Apache-2.0
#include <momap/base/error.h>

#include "formats/pfm.h"
#include "input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return momap::fuzz::read<momap::DataError>(data, size, momap::formats::read_pfm);
}
