// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/camera.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace momap {

/// What the catalogue knows of one sample: a row of its table `sample`.
struct Entry {
  int64_t number = -1;   ///< position in the database, from 0
  std::string id;        ///< unique in the database
  std::string shard;     ///< file name without extension
  uint64_t offset = 0;   ///< of the sample in the shard, bytes
  uint64_t size = 0;     ///< bytes
  std::string checksum;  ///< XXH3 128-bit of those bytes, 32 hex digits
  std::string source;    ///< where the clip came from: file and first frame, or the source's words
  int64_t frames = 0;    ///< T of the motion map
  int64_t height = 0;    ///< px
  int64_t width = 0;     ///< px
  double fps = 0;        ///< 0 = unknown
  std::string caption;   ///< "" = none
  std::optional<Camera> camera;           ///< intrinsics of the reference view
  std::map<std::string, double> quality;  ///< measured figures by name; unknown ones are absent
  std::string split;                      ///< "train", "test", ...; "" = none
  std::string provenance;                 ///< hash of the text that says how the sample was made
  std::string codec;                      ///< "raw", "lossless" or "lossy", and the precision
  double rmse_bound_m = 0;  ///< stated error of the stored map; 0 = the bits are the same
  double rmse_m = 0;        ///< measured error
  double max_error_m = 0;   ///< measured, of the worst point
};

/// A sample that was looked at and not taken, and why.
struct Drop {
  std::string id;
  std::string source;
  std::string reason;    ///< the filter's name, or "failed" for a sample that could not be made
  double value = 0;      ///< what was measured
  double threshold = 0;  ///< what the recipe asks for
  std::string text;      ///< in words
};

}  // namespace momap
