// SPDX-License-Identifier: Apache-2.0
#include "leaderboard_command.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/random.h>
#include <momap/base/text.h>
#include <momap/experiment/board.h>
#include <momap/experiment/plan.h>
#include <momap/experiment/table.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cmath>

#include "interrupt.h"
#include "job_run.h"
#include "run_command.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

// Scores of a rerun may differ so much, relative: another processor rounds differently.
constexpr double kRepeatTolerance = 1e-4;
constexpr double kDefaultShare = 0.25;

std::vector<fs::path> paths(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

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

Job scored_job(const Board& board, const BoardRow& row) {
  return {.id = row.entry,
          .settings = {{"entry", row.entry}},
          .seed = 0,
          .graph = row.graph,
          .samples = board.samples,
          .fresh = {}};
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
    if (std::ranges::count(row.result.scores, board_.rank_by, &ScoreInfo::key) == 0) {
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
          ratios[std::to_string(round)] = own / theirs[round];
        }
      }
      if (!times.empty()) results_.rows[i].seconds = mean_of(times);
      if (!ratios.empty()) results_.rows[i].speed_ratio = mean_of(ratios);
    }
  }

  const Options& options_;
  const Board& board_;
  const Catalog& catalog_;
  fs::path folder_;
  BoardResults results_;
};

std::string interval_text(const Interval& interval, const char* format) {
  const double half = std::max(interval.high - interval.value, interval.value - interval.low);
  const std::string value = fmt::format(fmt::runtime(format), interval.value);
  return half > 0 ? fmt::format("{} ±{:.2g}", value, half) : value;
}

Table table_of(const BoardResults& results) {
  Table table;
  table.columns = {"rank", "entry"};
  for (const auto& key : results.show) {
    std::string unit, better;
    for (const auto& row : results.rows) {
      const auto info = std::ranges::find(row.result.scores, key, &ScoreInfo::key);
      if (info == row.result.scores.end()) continue;
      unit = info->unit.empty() ? "" : fmt::format(" [{}]", info->unit);
      better = info->higher_is_better ? " ↑" : " ↓";
    }
    table.columns.push_back(fmt::format("{}{}{}", key, unit, better));
  }
  table.columns.insert(table.columns.end(), {"s a sample", "time ratio", "GiB", "remarks"});
  std::vector<const BoardRow*> order;
  for (const auto& row : results.rows) order.push_back(&row);
  std::ranges::stable_sort(order, {}, [](const BoardRow* row) {
    return row->rank > 0 ? row->rank : 1 << 20;  // entries without a score come last
  });
  for (const BoardRow* row : order) {
    std::vector<Table::Cell> cells;
    cells.push_back(row->rank > 0
                        ? Table::Cell{std::to_string(row->rank), static_cast<double>(row->rank)}
                        : Table::Cell{"-", std::nullopt});
    cells.push_back({row->entry, std::nullopt});
    for (const auto& key : results.show) {
      const auto values = row->result.values.find(key);
      if (values == row->result.values.end() || values->second.empty()) {
        cells.push_back({row->result.undefined.contains(key) ? "undefined" : "-", std::nullopt});
      } else {
        const Interval mean = mean_of(values->second);
        cells.push_back({interval_text(mean, "{:.4g}"), mean.value});
      }
    }
    const auto timed = [&](const std::optional<Interval>& figure, const char* format) {
      return figure ? Table::Cell{interval_text(*figure, format), figure->value}
                    : Table::Cell{"-", std::nullopt};
    };
    cells.push_back(timed(row->seconds, "{:.3g}"));
    cells.push_back(timed(row->speed_ratio, "{:.2f}"));
    cells.push_back({fmt::format("{:.2f}", row->peak_gib), row->peak_gib});
    std::string remarks = row->control ? "control" : "";
    if (row->entry == results.baseline) remarks += remarks.empty() ? "baseline" : ", baseline";
    if (!row->failure.empty()) remarks = "failed: " + row->failure;
    cells.push_back({remarks, std::nullopt});
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string board_text(const BoardResults& results, const std::string& format) {
  std::string table = table_text(table_of(results), format);
  if (format == "csv" || format == "jsonl" || format == "latex") return table;
  return fmt::format(
      "{}{}, protocol {}{}\n{}; {} samples; ranked by {}, ties where the paired 95 % interval "
      "contains 0\n{}\n\n{}",
      format == "markdown" ? "**" : "", results.title, results.version,
      format == "markdown" ? "**\n" : "", results.data, results.samples, results.rank_by,
      results.host, table);
}

// Everything that is wrong with a submission.
class Checker {
 public:
  Checker(const Options& options, const Board& board, const Catalog& catalog,
          const BoardResults& results)
      : options_(options), board_(board), catalog_(catalog), results_(results) {}

  const std::vector<std::string>& run() {
    check_board();
    for (const auto& row : results_.rows) check_row(row);
    check_ranks();
    if (findings_.empty()) rerun_some();
    return findings_;
  }

  const std::vector<std::string>& remarks() const { return remarks_; }
  int rerun() const { return rerun_; }

 private:
  template <class... Args>
  void found(fmt::format_string<Args...> text, Args&&... args) {
    findings_.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  void check_board() {
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
      remarks_.push_back(fmt::format("entry '{}' failed: {}", row.entry, row.failure));
      return;
    }
    for (const auto& key : board_.show) {
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
        remarks_.push_back(
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
    rerun_ = static_cast<int>(jobs.size());
  }

  void compare(const BoardRow& row, const JobFolder& job) {
    const Outcome outcome = job.outcome().value_or(Outcome{});
    if (!outcome.done) {
      found("entry '{}' cannot be run again: {}", row.entry, outcome.reason);
      return;
    }
    const RunResult again = read_run(job.run());
    for (const auto& [key, values] : row.result.values) {
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
  std::vector<std::string> findings_, remarks_;
  int rerun_ = 0;
};

}  // namespace

int leaderboard_run_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  const Board board = read_board(options.graph, paths(options.inputs));
  for (const auto& entry : board.entries)
    entry_graph(board, entry, catalog);  // all are checked first
  const fs::path folder = run_folder(options, fs::path(options.graph).stem().string());
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw ConfigError(fmt::format("{}: cannot be made: {}", shown(folder), error.message()));
  if (!fs::is_empty(folder, error)) {
    throw ConfigError(fmt::format(
        "{}: the folder is not empty; results are never overwritten, choose another with -o",
        shown(folder)));
  }
  const ExperimentLock lock(folder);
  const BoardResults results = BoardRun(options, board, catalog, folder).run();
  write_results(folder / "results.json", results);
  write_file(folder / "table.md", board_text(results, "markdown"));
  fmt::print("{}\nresults in {}\n", board_text(results, options.json ? "jsonl" : options.format),
             shown(folder / "results.json"));
  const bool failed =
      std::ranges::any_of(results.rows, [](const auto& row) { return !row.failure.empty(); });
  return failed ? kExitData : kExitOk;
}

int leaderboard_show_command(const Options& options) {
  std::vector<BoardResults> parts;
  for (const auto& file : options.inputs) parts.push_back(read_results(file));
  fmt::print("{}", board_text(joined(parts), options.json ? "jsonl" : options.format));
  return kExitOk;
}

int leaderboard_check_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  const Board board = read_board(options.graph, paths(options.inputs));
  const BoardResults results = read_results(options.database);
  Checker checker(options, board, catalog, results);
  const auto& findings = checker.run();
  for (const auto& remark : checker.remarks()) fmt::print("note: {}\n", remark);
  for (const auto& finding : findings) fmt::print("WRONG: {}\n", finding);
  if (!findings.empty()) return kExitData;
  fmt::print("{}: sound; {} rows, {} run again with the same scores\n", shown(options.database),
             results.rows.size(), checker.rerun());
  return kExitOk;
}

}  // namespace momap
