// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "encoder.h"

namespace momap::video_output {

/// Writes every frame as a PNG of its own, `00000.png` and so on, into a new folder. Written aside,
/// synced and renamed. Throws ConfigError when it exists or cannot be written.
void write_pictures(const Video& video, const std::filesystem::path& folder);

}  // namespace momap::video_output
