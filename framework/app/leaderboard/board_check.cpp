// SPDX-License-Identifier: Apache-2.0
#include "board_check.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/random.h>
#include <momap/base/text.h>

#include <algorithm>
#include <cmath>

#include "board_run.h"
#include "interrupt.h"
#include "job_run.h"

namespace momap {
namespace {

// Scores of a rerun may differ so much, relative: another processor rounds differently.
constexpr double kRepeatTolerance = 1e-4;
constexpr double kDefaultShare = 0.25;

// Everything that is wrong with a submission.
class Checker {
 public:
  Checker(const Options& options, const Board& board, const Catalog& catalog,
          const BoardResults& results)
      : options_(options), board_(board), catalog_(catalog), results_(results) {}

  BoardCheck run() {
    check_rules();
    for (const auto& row : results_.rows) check_row(row);
    check_ranks();
    if (check_.findings.empty()) rerun_some();
    return std::move(check_);
  }

 private:
  template <class... Args>
  void found(fmt::format_string<Args...> text, Args&&... args) {
    check_.findings.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  void check_rules() {
    if (results_.title != board_.title) {
      found("title '{}'; the board is '{}'", printable(results_.title), board_.title);
    }
    if (results_.version != board_.version) {
      found("protocol version {}; the board has {}", results_.version, board_.version);
    }
    if (results_.data != board_.data) {
      found("data '{}'; the board has '{}'", printable(results_.data), board_.data);
    }
    if (results_.samples != board_.samples) {
      found("{} samples; the board has {}", results_.samples, board_.samples);
    }
    for (const auto& entry : board_.entries) {
      if (std::ranges::count(results_.rows, entry.name, &BoardRow::entry) == 0) {
        found("entry '{}' of the board is missing", entry.name);
      }
    }
  }

  void check_row(const BoardRow& row) {
    if (!row.failure.empty()) {
      check_.remarks.push_back(fmt::format("entry '{}' failed: {}", row.entry, row.failure));
      return;
    }
    for (const auto& key : board_.show) {
      if (key == kSpeedScore) continue;
      const auto values = row.result.values.find(key);
      const auto count =
          values == row.result.values.end() ? 0 : static_cast<int64_t>(values->second.size());
      const auto undefined = row.result.undefined.find(key);
      const int64_t total =
          count + (undefined == row.result.undefined.end() ? 0 : undefined->second);
      if (total < row.result.samples || row.result.samples < board_.samples) {
        found("entry '{}', score {}: {} values for {} samples; expected {}", row.entry, key, total,
              row.result.samples, board_.samples);
      }
    }
    for (const auto& [id, version] : row.versions) {
      const PluginInfo* here = catalog_.find(id);
      if (!here) {
        found("entry '{}': plugin {} is not here; give its folder with --plugins", row.entry, id);
      } else if (here->version != version) {
        found("entry '{}': plugin {} is version {}; here it is {}", row.entry, id, version,
              here->version);
      } else if (here->library_hash != row.hashes.at(id)) {
        check_.remarks.push_back(
            fmt::format("entry '{}': plugin {} is another build than here", row.entry, id));
      }
    }
  }

  void check_ranks() {
    BoardResults again = results_;
    rank_rows(again);
    for (size_t i = 0; i < results_.rows.size(); ++i) {
      if (again.rows[i].rank != results_.rows[i].rank) {
        found("entry '{}' has rank {}; its values give {}", results_.rows[i].entry,
              results_.rows[i].rank, again.rows[i].rank);
      }
    }
  }

  // A share of the rows, at least one, drawn by the content of the file.
  void rerun_some() {
    std::vector<const BoardRow*> sound;
    for (const auto& row : results_.rows) {
      if (row.failure.empty()) sound.push_back(&row);
    }
    std::string content;
    for (const BoardRow* row : sound) content += row->graph;
    Random random(derived_seed(static_cast<uint64_t>(options_.seed), content));
    const double share = options_.share > 0 ? options_.share : kDefaultShare;
    const auto wanted = static_cast<size_t>(std::ceil(share * static_cast<double>(sound.size())));
    while (sound.size() > std::max<size_t>(1, wanted)) {
      sound.erase(sound.begin() + random.below(static_cast<int64_t>(sound.size())));
    }
    const TemporaryFolder folder("momap-check");
    std::vector<Job> jobs;
    for (const BoardRow* row : sound) jobs.push_back(scored_job(board_, *row));
    preload(jobs, catalog_);
    PoolOptions pool;
    pool.parallel = job_slots(options_).parallel;
    pool.limits = board_.limits;
    pool.cancelled = interrupted;
    Options uncached = options_;
    uncached.no_cache = true;
    run_jobs(folder.path(), jobs, pool, job_body(uncached, catalog_, job_slots(options_).threads));
    for (size_t i = 0; i < jobs.size(); ++i)
      compare(*sound[i], JobFolder(folder.path(), jobs[i].id));
    check_.rerun = static_cast<int>(jobs.size());
  }

  void compare(const BoardRow& row, const JobFolder& job) {
    const Outcome outcome = job.outcome().value_or(Outcome{});
    if (!outcome.done) {
      found("entry '{}' cannot be run again: {}", row.entry, outcome.reason);
      return;
    }
    const RunResult again = read_run(job.run());
    for (const auto& [key, values] : row.result.values) {
      if (key == kSpeedScore) continue;
      const auto now = again.values.find(key);
      for (const auto& [sample, value] : values) {
        const bool there = now != again.values.end() && now->second.contains(sample);
        const double repeated = there ? now->second.at(sample) : std::nan("");
        if (std::abs(repeated - value) <= kRepeatTolerance * std::max(1.0, std::abs(value)))
          continue;
        found("entry '{}', sample '{}', score {}: {} in the file, {} when run again", row.entry,
              sample, key, value, repeated);
        return;  // one of a row says enough
      }
    }
  }

  const Options& options_;
  const Board& board_;
  const Catalog& catalog_;
  const BoardResults& results_;
  BoardCheck check_;
};

}  // namespace

BoardCheck check_board(const Options& options, const Board& board, const Catalog& catalog,
                       const BoardResults& results) {
  return Checker(options, board, catalog, results).run();
}

}  // namespace momap
