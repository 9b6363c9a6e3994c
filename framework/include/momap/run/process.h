// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace momap {

int64_t resident_bytes();        ///< of this process, now
int64_t peak_resident_bytes();   ///< of this process, since it began
int64_t machine_memory_bytes();  ///< RAM of the machine, or the limit of this process's control
                                 ///< group if lower

}  // namespace momap
