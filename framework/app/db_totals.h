// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/store/entry.h>

#include <map>
#include <set>
#include <string>

namespace momap {

/// What a database holds, counted.
struct DatabaseTotals {
  struct Range {
    double least = 0, most = 0, sum = 0;
    int64_t count = 0;
    double mean() const { return sum / static_cast<double>(count); }
  };

  int64_t samples = 0;
  uint64_t bytes = 0;      // of samples
  double plain_bytes = 0;  // of their motion maps as f32
  double seconds = 0;      // of video, where the rate is known
  int64_t captions = 0;
  double rmse_bound_m = 0;  // the widest
  std::set<std::string> shards;
  std::map<std::string, int64_t> splits, codecs, sizes, provenances;
  std::map<std::string, Range> quality;

  void add(const Entry& entry);
};

/// "a: 3, b: 1"; an empty name is shown as "none".
std::string counted(const std::map<std::string, int64_t>& counts);

}  // namespace momap
