// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/catalog/catalog.h>
#include <momap/contract/contract.h>
#include <momap/experiment/file_schemas.h>
#include <momap/plugin/loader.h>
#include <momap/run/crash.h>

#include <map>

#include "data_command.h"
#include "db_build_command.h"
#include "db_command.h"
#include "demo_command.h"
#include "engine_report.h"
#include "generate_command.h"
#include "guarded.h"
#include "interrupt.h"
#include "job_run.h"
#include "leaderboard/leaderboard_command.h"
#include "report/report_command.h"
#include "run_command.h"
#include "sweep_command.h"
#include "train_command.h"
#include "view_command.h"

// `momap-engine`: the commands that need LibTorch. Started by `momap` with the same arguments.

namespace momap {
namespace {

int describe_libraries(const Options& options) {
  const std::vector<std::filesystem::path> libraries(options.libraries.begin(),
                                                     options.libraries.end());
  fmt::print("{}", reports_to_json(describe_in_children(libraries)));
  return kExitOk;
}

int write_catalog(const Options& options) {
  write_folder_catalog(options.folder, describe_in_children);
  return kExitOk;
}

int sweep_schema_command(const Options&) {
  fmt::print("{}", sweep_json_schema());
  return kExitOk;
}

int board_schema_command(const Options& options) {
  fmt::print("{}", board_json_schema(engine_catalog(options)));
  return kExitOk;
}

int check_plugins(const Options& options) {
  bool all_passed = true;
  for (const auto& library : options.libraries) {
    // First in a child: a library that crashes on loading is a finding, not the end of this
    // process.
    const auto report = describe_in_children({library}).at(0);
    for (const auto& problem : report.problems) {
      fmt::print("FAIL  {}\n", problem.text());
      all_passed = false;
    }
    if (!report.problems.empty()) continue;
    for (const auto& result : check_contract(library)) {
      const char* verdict = result.skipped ? "skip" : result.passed ? "ok" : "FAIL";
      fmt::print("{:<5} {:<28} {}{}{}\n", verdict, result.plugin, result.check,
                 result.detail.empty() ? "" : ": ", result.detail);
      all_passed = all_passed && (result.passed || result.skipped);
    }
  }
  fmt::print("{}\n", all_passed ? "contract kept" : "contract broken");
  return all_passed ? kExitOk : kExitConfig;
}

int dispatch(const Options& options) {
  using Handler = int (*)(const Options&);
  static const std::map<std::string, Handler> kHandlers{
      {"run", run_command},
      {"explain", explain_command},
      {"train", train_command},
      {"view", view_command},
      {"report", report_command},
      {"run-task", run_task_command},
      {"generate", generate_command},
      {"demo", demo_command},
      {"db build", db_build_command},
      {"db info", db_info_command},
      {"db verify", db_verify_command},
      {"db merge", db_merge_command},
      {"db export", db_export_command},
      {"leaderboard run", leaderboard_run_command},
      {"leaderboard show", leaderboard_show_command},
      {"leaderboard check", leaderboard_check_command},
      {"sweep run", sweep_run_command},
      {"sweep resume", sweep_resume_command},
      {"sweep retry", sweep_resume_command},
      {"sweep status", sweep_status_command},
      {"schema sweep", sweep_schema_command},
      {"schema board", board_schema_command},
      {"doctor --data", data_command},
      {"plugins check", check_plugins},
      {"describe-engine", describe_engine},
      {"write-catalog", write_catalog},
      {"describe-libraries", describe_libraries}};
  const auto found = kHandlers.find(options.command);
  if (found == kHandlers.end()) {
    throw ConfigError(fmt::format("'{}' is not a command of the engine; start it through momap",
                                  options.command));
  }
  return found->second(options);
}

}  // namespace
}  // namespace momap

int main(int argc, char** argv) {
  momap::install_crash_reporter();
  momap::stop_on_interrupt();
  return momap::guarded("momap", momap::dispatch, momap::parse_command_line(argc, argv));
}
