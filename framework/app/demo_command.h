// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace momap {

/// `momap demo`: extraction and re-rendering of a real video, generation from a real photograph,
/// and a page of both.
int demo_command(const Options& options);

}  // namespace momap
