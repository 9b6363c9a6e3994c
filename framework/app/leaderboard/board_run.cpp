// SPDX-License-Identifier: Apache-2.0
#include "board_run.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/experiment/plan.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cmath>

#include "interrupt.h"
#include "job_run.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

std::string host_text() {
  utsname names{};
  ::uname(&names);
  std::string processor = names.machine;
  try {
    const std::string info = read_file("/proc/cpuinfo");
    const size_t at = info.find("model name");
    if (at != std::string::npos) {
      const size_t colon = info.find(": ", at);
      processor = info.substr(colon + 2, info.find('\n', colon) - colon - 2);
    }
  } catch (const ConfigError&) {
    // No such file: the machine's kind has to do.
  }
  return fmt::format("{}, {} {}", processor, names.sysname, names.release);
}

BoardRow empty_row(const BoardEntry& entry, const Graph& graph) {
  BoardRow row;
  row.entry = entry.name;
  row.control = entry.control;
  row.graph = graph_yaml(graph);
  for (const auto& step : graph.steps) {
    row.versions[step.plugin.id] = step.plugin.version;
    row.hashes[step.plugin.id] = step.plugin.library_hash;
  }
  return row;
}

// Mean of the open steps together over the samples after the first.
std::optional<double> warm_seconds(const RunResult& run, const std::vector<std::string>& steps) {
  double sum = 0;
  for (const auto& step : steps) {
    const auto found = run.step_seconds.find(step);
    if (found == run.step_seconds.end()) return std::nullopt;
    sum += found->second;
  }
  return sum;
}

// Scores and times the entries of a board into a folder.
class BoardRun {
 public:
  BoardRun(const Options& options, const Board& board, const Catalog& catalog, fs::path folder)
      : options_(options), board_(board), catalog_(catalog), folder_(std::move(folder)) {}

  BoardResults run() {
    results_.title = board_.title;
    results_.version = board_.version;
    results_.data = board_.data;
    results_.samples = board_.samples;
    results_.rank_by = board_.rank_by;
    results_.show = board_.show;
    results_.baseline = board_.baseline;
    results_.build = own_stamp();
    results_.host = host_text();
    std::vector<Job> jobs;
    for (const auto& entry : board_.entries) {
      results_.rows.push_back(empty_row(entry, entry_graph(board_, entry, catalog_)));
      jobs.push_back(scored_job(board_, results_.rows.back()));
    }
    run_some(jobs, launch_jobs);
    for (size_t i = 0; i < jobs.size(); ++i) read_scores(results_.rows[i], jobs[i]);
    measure_speed();
    rank_rows(results_);
    return results_;
  }

 private:
  void run_some(const std::vector<Job>& jobs, decltype(launch_jobs) launch) {
    std::vector<Job> left;
    for (const Job& job : jobs) {
      const auto outcome = JobFolder(folder_, job.id).outcome();
      if (!outcome || !outcome->done) left.push_back(job);
    }
    PoolOptions pool;
    pool.limits = board_.limits;
    pool.cancelled = interrupted;
    pool.ended = [&](const Job& job, const Outcome& outcome) {
      if (!options_.quiet) {
        fmt::print(stderr, "momap: {}: {} ({:.1f} s)\n", job.id,
                   outcome.done ? "done" : "failed: " + outcome.reason, outcome.seconds);
      }
    };
    launch(options_, catalog_, folder_, left, pool);
  }

  void read_scores(BoardRow& row, const Job& job) const {
    const JobFolder job_folder(folder_, job.id);
    const Outcome outcome = job_folder.outcome().value_or(Outcome{});
    row.cpu_seconds = outcome.cpu_seconds;
    row.peak_gib = static_cast<double>(outcome.peak_bytes) / (1 << 30);
    if (!outcome.done) {
      row.failure = outcome.reason.empty() ? "not run" : outcome.reason;
      return;
    }
    row.result = read_run(job_folder.run());
    if (board_.rank_by != kSpeedScore &&
        std::ranges::count(row.result.scores, board_.rank_by, &ScoreInfo::key) == 0) {
      row.failure = fmt::format("gave no score '{}'", board_.rank_by);
      row.result.values.clear();
    }
  }

  // All entries in turn, round by round, alone on one thread: what disturbs the machine disturbs
  // them alike, and the ratio to the baseline of the same round holds.
  void measure_speed() {
    if (board_.speed_samples == 0) return;
    std::vector<Job> jobs;
    std::vector<size_t> of;
    for (int64_t round = 0; round < board_.speed_repeats; ++round) {
      for (size_t i = 0; i < results_.rows.size(); ++i) {
        if (!results_.rows[i].failure.empty()) continue;
        Job job = scored_job(board_, results_.rows[i]);
        job.id = fmt::format("speed-{}-{}", round, results_.rows[i].entry);
        job.samples = std::min(board_.samples, board_.speed_samples + 1);  // the first warms up
        job.fresh = board_.open_steps;
        jobs.push_back(std::move(job));
        of.push_back(i);
      }
    }
    run_some(jobs, launch_timed_jobs);
    std::vector<std::vector<double>> seconds(results_.rows.size());
    for (size_t j = 0; j < jobs.size(); ++j) {
      const JobFolder job_folder(folder_, jobs[j].id);
      const auto outcome = job_folder.outcome();
      const auto taken = outcome && outcome->done
                             ? warm_seconds(read_run(job_folder.run()), board_.open_steps)
                             : std::nullopt;
      seconds[of[j]].push_back(taken.value_or(std::nan("")));
    }
    const auto baseline =
        std::ranges::find(results_.rows, board_.baseline, &BoardRow::entry) - results_.rows.begin();
    for (size_t i = 0; i < results_.rows.size(); ++i) {
      SampleValues times, ratios;
      for (size_t round = 0; round < seconds[i].size(); ++round) {
        const double own = seconds[i][round];
        const auto& theirs = seconds[static_cast<size_t>(baseline)];
        if (std::isfinite(own)) times[std::to_string(round)] = own;
        if (round < theirs.size() && std::isfinite(own / theirs[round])) {
          ratios[fmt::format("round {}/0", round + 1)] = own / theirs[round];
        }
      }
      if (!times.empty()) results_.rows[i].seconds = mean_of(times);
      if (ratios.empty()) continue;
      results_.rows[i].speed_ratio = mean_of(ratios);
      if (std::ranges::count(board_.show, kSpeedScore) == 0) continue;
      RunResult& result = results_.rows[i].result;
      result.scores.push_back({.key = kSpeedScore, .unit = "", .higher_is_better = false});
      result.values[kSpeedScore] = std::move(ratios);
    }
  }

  const Options& options_;
  const Board& board_;
  const Catalog& catalog_;
  fs::path folder_;
  BoardResults results_;
};

}  // namespace

Job scored_job(const Board& board, const BoardRow& row) {
  return {.id = row.entry,
          .settings = {{"entry", row.entry}},
          .seed = 0,
          .graph = row.graph,
          .samples = board.samples,
          .fresh = {}};
}

BoardResults run_board(const Options& options, const Board& board, const Catalog& catalog,
                       const fs::path& folder) {
  return BoardRun(options, board, catalog, folder).run();
}

}  // namespace momap
