// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace momap {

/// `momap doctor --data`: lists the data sets that have a card, or compares local copies
/// (NAME=FOLDER) with their cards.
int data_command(const Options& options);

}  // namespace momap
