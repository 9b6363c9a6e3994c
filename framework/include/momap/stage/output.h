// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/stage/inputs.h>
#include <momap/stage/stage.h>

#include <filesystem>

namespace momap {

/// Writes a value for people or other programs. Declares its ports as a metric does.
class Output : public Stage {
 public:
  /// `stem` is the file to write without its extension; returns the file written. Files are written
  /// aside and renamed.
  virtual std::filesystem::path write(const Inputs& inputs, const std::filesystem::path& stem,
                                      const Context& context) = 0;
};

}  // namespace momap
