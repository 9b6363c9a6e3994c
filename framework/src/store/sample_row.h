// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <momap/store/entry.h>

namespace momap {

/// Columns of table `sample` in the order that the functions below read and bind them.
inline constexpr const char* kSampleColumns =
    "number, id, shard, offset, size, checksum, source, frames, height, width, fps, caption, "
    "camera, quality, split, provenance, codec, rmse_bound_m, rmse_m, max_error_m, row_checksum";

/// Reads a row; true when it matches its checksum. Text that cannot be read counts as not sound.
bool read_row(SQLite::Statement& row, Entry& entry);

/// Binds all columns, the row's checksum last.
void bind_row(SQLite::Statement& insert, const Entry& entry);

}  // namespace momap
