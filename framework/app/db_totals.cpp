// SPDX-License-Identifier: Apache-2.0
#include "db_totals.h"

#include <fmt/format.h>
#include <momap/base/text.h>

#include <algorithm>
#include <vector>

namespace momap {

void DatabaseTotals::add(const Entry& entry) {
  ++samples;
  bytes += entry.size;
  const double points = static_cast<double>(entry.frames) * static_cast<double>(entry.height) *
                        static_cast<double>(entry.width);
  plain_bytes += 12 * points;
  if (entry.fps > 0) seconds += static_cast<double>(entry.frames) / entry.fps;
  captions += entry.caption.empty() ? 0 : 1;
  rmse_bound_m = std::max(rmse_bound_m, entry.rmse_bound_m);
  shards.insert(entry.shard);
  ++splits[entry.split];
  ++codecs[entry.codec];
  ++sizes[fmt::format("{} x {} x {}", entry.frames, entry.height, entry.width)];
  ++provenances[entry.provenance];
  for (const auto& [name, value] : entry.quality) {
    auto& range = quality[name];
    range.least = range.count == 0 ? value : std::min(range.least, value);
    range.most = range.count == 0 ? value : std::max(range.most, value);
    range.sum += value;
    ++range.count;
  }
}

std::string counted(const std::map<std::string, int64_t>& counts) {
  std::vector<std::string> parts;
  for (const auto& [name, count] : counts) {
    parts.push_back(fmt::format("{}: {}", name.empty() ? "none" : printable(name), count));
  }
  return join(parts, ", ");
}

}  // namespace momap
