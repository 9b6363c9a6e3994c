// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/config.h>

#include <string>

namespace momap {

/// Applies "path.to.key=value" (value in YAML). A path that starts with a top-level key is taken
/// from the root, any other from `steps`. Throws ConfigError.
void apply_override(Config& root, const std::string& text);

/// Replaces, in every scalar, `${env:NAME}` (an environment variable; `${env:NAME:-fallback}`),
/// `${share:path}` (a file that ships with MoMap) and `${key.path}` (another scalar of the same
/// document). `$${` is a literal `${`.
void interpolate(Config& root, Problems& problems);

/// A scalar that `interpolate` turns into `text`, on this and on another machine: the path of a
/// file that ships with MoMap is `${share:path}`.
std::string as_reference(std::string text);

}  // namespace momap
