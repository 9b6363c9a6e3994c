// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/params/params.h>

#include <string>
#include <vector>

namespace momap {

/// The `board:` section but for entries.
struct BoardParams {
  std::string title;
  int64_t version = 0;
  std::string data;
  int64_t samples = 8;
  std::vector<std::string> open_steps;
  std::string rank_by;
  std::vector<std::string> show;
  std::string baseline;
  int64_t speed_samples = 3;
  int64_t speed_repeats = 3;
  std::vector<std::string> controls;
  double seconds = 0;
  double memory_gib = 0;
  int64_t open_files = 0;

  static auto schema() {
    return std::tuple{
        param("title", &BoardParams::title, "Name of the board.").required(),
        param("version", &BoardParams::version,
              "Of the protocol; raised with any change that can move a score.")
            .between(1, 1e9),
        param("data", &BoardParams::data, "What it runs on, with split and version.").required(),
        param("samples", &BoardParams::samples, "Samples scored.").between(1, 1e9),
        param("open_steps", &BoardParams::open_steps, "Steps an entry gives."),
        param("rank_by", &BoardParams::rank_by, "Score that ranks, step.name, or speed.time_ratio.")
            .required(),
        param("show", &BoardParams::show, "Further scores of the table."),
        param("baseline", &BoardParams::baseline, "Entry that speeds are given against.")
            .required(),
        param("speed_samples", &BoardParams::speed_samples,
              "Samples of a timed run; 0 = speed is not measured.")
            .at_least(0),
        param("speed_repeats", &BoardParams::speed_repeats,
              "Timed runs of each entry, in rounds with the others.")
            .between(1, 1000),
        param("controls", &BoardParams::controls,
              "Entries that are no competitors but show what a score is worth."),
        param("seconds", &BoardParams::seconds, "Wall time of an entry; 0 = without limit.")
            .unit("s")
            .at_least(0),
        param("memory_gib", &BoardParams::memory_gib,
              "Resident memory of an entry; 0 = without limit.")
            .unit("GiB")
            .at_least(0),
        param("open_files", &BoardParams::open_files,
              "Files an entry may hold open; 0 = the system's limit.")
            .at_least(0)};
  }
};

}  // namespace momap
