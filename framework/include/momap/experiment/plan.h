// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/catalog.h>
#include <momap/experiment/job.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace momap {

/// What an experiment set out to do, written to `<folder>/plan.json` before its first job. Files
/// are the only state: nothing has to be recovered after a kill, and nothing breaks on a cluster's
/// shared file system.
struct Plan {
  struct Plugin {
    uint32_t version = 0;
    std::string library;
    std::string hash;
    bool operator==(const Plugin&) const = default;
  };

  std::string kind;                       ///< "sweep", "database", ...
  std::vector<std::string> overrides;     ///< --set of the command line
  std::string build;                      ///< own_stamp()
  std::map<std::string, Plugin> plugins;  ///< of all jobs, by id
  std::vector<Job> jobs;                  ///< planned so far, in order
};

/// Adds jobs, and what the catalogue says of their plugins.
void add_jobs(Plan& plan, const std::vector<Job>& jobs, const Catalog& catalog);

void write_plan(const std::filesystem::path& folder, const Plan& plan);

/// Throws ConfigError when the folder holds no plan, or one of another kind or format.
Plan read_plan(const std::filesystem::path& folder, const std::string& kind);

/// What differs between the plugins a plan was made with and those of the catalogue or of the files
/// now; "" when nothing does. Results of both must not be mixed.
std::string changed_plugins(const Plan& plan, const Catalog& catalog);
std::string changed_files(const Plan& plan);

}  // namespace momap
