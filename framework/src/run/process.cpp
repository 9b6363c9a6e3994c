// SPDX-License-Identifier: Apache-2.0
#include <momap/run/process.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace momap {

int64_t resident_bytes() {
  long long total = 0;
  long long resident = 0;
  if (std::FILE* statm = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(statm, "%lld %lld", &total, &resident) != 2) resident = 0;
    std::fclose(statm);
  }
  return resident * ::sysconf(_SC_PAGESIZE);
}

int64_t peak_resident_bytes() {
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;
}

int64_t machine_memory_bytes() {
  int64_t bytes = static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  int64_t limit = 0;
  std::ifstream group("/sys/fs/cgroup/memory.max");
  if (group >> limit && limit > 0) bytes = std::min(bytes, limit);
  return bytes;
}

}  // namespace momap
