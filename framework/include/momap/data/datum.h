// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/data/latent.h>
#include <momap/data/momap.h>
#include <momap/data/partial_clip.h>
#include <momap/data/score.h>

#include <variant>
#include <vector>

namespace momap {

/// One value on an edge of a graph.
using Datum = std::variant<Clip, MoMap, Latent, PartialClip, Score>;

/// What an edge carries for one sample: one value, or K where a sampler drew K futures.
using Data = std::vector<Datum>;

/// "clip [24, 240, 320]": for messages.
std::string describe(const Datum& datum);

/// Throws DataError when shapes, types or sizes inside the value contradict each other; `owner`
/// made it.
void check(const Datum& datum, const std::string& owner);

/// Bytes held by the tensors of the value.
int64_t bytes_of(const Datum& datum);

}  // namespace momap
