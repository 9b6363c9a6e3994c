// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/graph/graph.h>
#include <momap/harvest/quality.h>
#include <momap/harvest/scan.h>
#include <momap/store/sample.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "options.h"

namespace momap {

/// What the `db` section of a recipe says besides the options of scanning, quality and storage.
struct KeepOptions {
  std::string keep = "reference";
  std::string split = "train";
  double test_share = 0;
  int64_t shard_megabytes = 256;

  static auto schema() {
    return std::tuple{
        param("keep", &KeepOptions::keep,
              "Frames and depth that are stored beside the motion map: of the reference frame or "
              "of all.")
            .one_of({"reference", "all"}),
        param("split", &KeepOptions::split, "Split that samples belong to."),
        param("test_share", &KeepOptions::test_share,
              "Share of the videos (or samples, where the source is no video) that go to the split "
              "'test' instead; by name, so that it stays the same.")
            .between(0, 1),
        param("shard_megabytes", &KeepOptions::shard_megabytes, "Size at which a shard is sealed.")
            .unit("MB")
            .between(1, 100'000),
    };
  }
};

/// How a database is made: a graph, and what of it is kept.
struct DatabaseRecipe {
  Graph graph;
  size_t clip = 0;
  int momap = -1;                                     // -1: the clip's own truth
  bool from_list = false;                             // the source is source/clips
  nlohmann::json section = nlohmann::json::object();  // all options of `db`, resolved
  KeepOptions keep;
  StorageOptions storage;
  ScanOptions scan;
  QualityOptions quality;
};

/// Reads and checks `options.graph`; a step that uses source/clips is given `list` to read. Throws
/// ConfigError with every problem.
DatabaseRecipe read_recipe(const Options& options, const Catalog& catalog,
                           const std::filesystem::path& list);

/// What made the samples, enough to make them again: graph, options, plugins and seed, as JSON.
std::string provenance_of(const DatabaseRecipe& recipe);

}  // namespace momap
