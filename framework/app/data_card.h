// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/config.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace momap {

/// datasets/<name>/card.yaml: what a data set is and how a copy of it must look.
struct DataCard {
  /// Files of one kind. `path` is relative to the data set's folder; `*` and `?` stand for parts of
  /// one folder's or file's name.
  struct Files {
    std::string path;
    std::string holds;      ///< what is in them, in words
    int64_t count = 0;      ///< how many the whole data set has; 0 = at least one
    bool optional = false;  ///< the reader does without them
  };

  std::filesystem::path file;
  std::string name, title, homepage, licence, citation, obtain;
  std::string depth, camera, units, frames;  ///< conventions
  std::string checksums;                     ///< what can be compared, in words
  std::vector<std::string> truth;            ///< members of Clip that the reader fills
  std::vector<std::string> splits;           ///< "training: 23 sequences"
  std::vector<Files> layout;
  std::string reader;  ///< plugin id
  Config with;         ///< its parameters besides `path`
};

/// Reads a card and checks it against the one schema of all cards. Throws ConfigError that lists
/// every problem with its place.
DataCard read_data_card(const std::filesystem::path& file);

/// Where cards are: <install>/share/momap-datasets/<name>/card.yaml.
std::filesystem::path data_card_folder();

/// Names of all cards, sorted.
std::vector<std::string> data_card_names();

}  // namespace momap
