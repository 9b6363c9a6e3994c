// SPDX-License-Identifier: Apache-2.0
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/store/database.h>
#include <momap/store/verify.h>

#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const momap::TemporaryFolder folder("momap-fuzz");
  const auto file = folder.path() / "catalogue.sqlite";
  std::FILE* out = std::fopen(file.c_str(), "wb");
  if (!out || std::fwrite(data, 1, size, out) != size || std::fclose(out) != 0) std::abort();
  try {
    const momap::Database database(folder.path());
    database.for_each([](const momap::Entry&) {});
    database.find("clip_1");
    database.drops_by_reason();
    for (int64_t i = 0; i < 3; ++i) database.read(database.entry(i));
  } catch (const momap::ConfigError&) {
  } catch (const momap::DataError&) {  // no such sample
  }
  momap::verify_database(folder.path());
  return 0;
}
