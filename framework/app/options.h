// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace momap {

/// The parsed command line. The launcher and the engine read it with the same code.
struct Options {
  std::string command;               ///< "run", "plugins list", ...
  std::vector<std::string> plugins;  ///< --plugins DIR
  bool json = false;
  bool quiet = false;
  bool verbose = false;

  std::string graph;             ///< run, validate, graph, explain, train
  std::vector<std::string> set;  ///< --set a.with.b=3
  std::string output;            ///< -o
  int threads = 0;
  int64_t samples = 0;
  bool keep_going = false;
  bool no_cache = false;
  double cache_gigabytes = 10;

  std::string plugin_id;               ///< plugins describe, plugins new
  std::string format = "text";         ///< plugins describe, sweep, leaderboard
  std::vector<std::string> libraries;  ///< plugins check, describe-libraries
  std::string
      folder;  ///< plugins new, docs; write-catalog; view; report; sweep resume, retry, status

  std::string database;  ///< db info, db verify, db export; leaderboard check: results
  std::string export_format = "safetensors";  ///< db export
  std::vector<std::string> inputs;  ///< db build: videos; db merge: databases; compare: two runs;
                                    ///< leaderboard: entries or results
  std::string shard;                ///< db build: "i/n"
  int parts = 16;                   ///< db build with slurm

  int jobs = 0;                     ///< sweep, leaderboard, db build: at once; 0 = one a core
  std::string launcher = "local";   ///< sweep, leaderboard, db build: local or slurm
  std::vector<std::string> sbatch;  ///< more arguments for Slurm
  std::string task_list;            ///< run-task
  bool fail_fast = false;           ///< sweep: stop at the first job that fails
  bool watch = false;               ///< sweep status: until it has ended
  double share = 0;                 ///< leaderboard check: of the rows run again; 0 = the default

  std::vector<std::string> data;  ///< doctor --data: NAME=FOLDER; none = list the data sets

  std::string image;  ///< generate
  std::string prompt;
  int64_t seed = 0;
  int futures = 4;

  int64_t points = 40000;   ///< view, report: of a map, at most
  int64_t pictured = 24;    ///< report: samples of a row
  bool pictures = false;    ///< report: rows run again with videos
  std::string tensorboard;  ///< report: folder for event files
};

/// Parses the command line. Prints help or a complaint and leaves the process where that is all
/// there is to do.
Options parse_command_line(int argc, char** argv);

}  // namespace momap
