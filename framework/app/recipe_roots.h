// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace momap {

/// Keys of recipes that name steps of their graph (see GraphOptions::roots): of `train:` and `db:`.
inline const std::vector<std::string> kTrainRoots{
    "backbone", "latent", "perceptual_network", "condition", "completer", "encoding", "examples"};
inline const std::vector<std::string> kDatabaseRoots{"clip", "momap"};

}  // namespace momap
