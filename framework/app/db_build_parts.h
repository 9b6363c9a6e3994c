// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace momap {

/// `momap db build --launcher slurm`: every task builds a part (`--shard i/n`) in a folder beside
/// the database, `<database>.parts`; the parts are merged when all are done. Called again, it goes
/// on with what is missing.
int build_database_by_parts(const Options& options);

}  // namespace momap
