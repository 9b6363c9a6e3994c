// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/stage/stage.h>

namespace momap {

/// Reads or makes clips. Memory does not depend on how many there are. `size`, `name` and
/// `fingerprint` may be called while `sample` runs in another thread.
class Source : public Stage {
 public:
  /// Number of samples. Throws DataError when the input cannot be opened.
  virtual int64_t size() = 0;

  /// Sample i in [0, size()). The same i gives the same clip, in whatever order samples are asked
  /// for.
  virtual Clip sample(int64_t i, const Context& context) = 0;

  /// A short name of sample i for files and reports: letters, digits, '-', '_', '.'.
  virtual std::string name(int64_t i) = 0;

  /// Identifies the content of sample i together with the parameters (say, the hash of the file
  /// read): part of the cache key.
  virtual std::string fingerprint(int64_t i) = 0;
};

}  // namespace momap
