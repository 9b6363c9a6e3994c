// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/datum.h>
#include <momap/data/tensor_file.h>

namespace momap {

/// A value as named tensors and metadata, and back without loss. `from_archive` throws DataError
/// for an archive that lacks something or was written by another format version.
TensorFile to_archive(const Datum& datum);
Datum from_archive(const TensorFile& archive, ValueCheck values = ValueCheck::all);

}  // namespace momap
