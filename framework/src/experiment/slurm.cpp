// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/catalog/stamp.h>
#include <momap/experiment/slurm.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "log_end.h"
#include "slurm_queue.h"

namespace momap {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

constexpr int kFormat = 2;
constexpr const char* kKind = "slurm";                     // of the plans of lists
constexpr auto kPoll = std::chrono::milliseconds(200);     // of cancellation and outcomes ...
constexpr auto kPollATask = std::chrono::milliseconds(1);  // ... and more the more there are
constexpr double kFirstAsk = 1;      // s between questions to Slurm's controller ...
constexpr double kLongestAsk = 15;   // ... which grow to this
constexpr double kFileLag = 5;       // s until files of another node are seen here for sure
constexpr double kSpareMinutes = 5;  // for a task to start and to end, beside its limit
constexpr double kSpareGib = 1;
const std::set<std::string> kWaiting{"PENDING",   "RUNNING",     "COMPLETING", "CONFIGURING",
                                     "REQUEUED",  "REQUEUE_FED", "SUSPENDED",  "REQUEUE_HOLD",
                                     "STAGE_OUT", "SIGNALING",   "RESIZING",   "STOPPED"};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

fs::path lists_folder(const fs::path& experiment) { return experiment / "slurm"; }

fs::path log_of(const fs::path& experiment, const std::string& list, const std::string& task) {
  return lists_folder(experiment) / list / (task + ".txt");
}

// One that no other list has, in whatever folder: Slurm remembers names for a while.
std::string new_list_name() {
  static int count = 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return "momap-" + content_hash(fmt::format("{} {} {}", now, ::getpid(), ++count)).substr(0, 12);
}

void write_task_list(const fs::path& experiment, const TaskList& list) {
  const ordered_json json{{"format", kFormat},
                          {"seconds", list.limits.seconds},
                          {"memory_gib", list.limits.memory_gib},
                          {"open_files", list.limits.open_files},
                          {"attempts_before", list.attempts_before},
                          {"together", list.together}};
  const fs::path folder = lists_folder(experiment) / list.name;
  write_file(folder / "tasks.json", json.dump(1) + "\n");
  write_plan(folder, list.plan);
}

int task_of(const TaskList& list, size_t job) { return list.together ? 0 : static_cast<int>(job); }

std::string shell_word(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

class SlurmPool {
 public:
  SlurmPool(const fs::path& experiment, const Catalog& catalog, const PoolOptions& options,
            const SlurmOptions& slurm)
      : experiment_(experiment), catalog_(catalog), options_(options), slurm_(slurm) {}

  std::string run(const std::vector<Job>& jobs) {
    submit(attach(jobs));
    while (!tasks_.empty()) {
      if (options_.cancelled && options_.cancelled()) {
        cancel(false);
        throw Cancelled();
      }
      collect();
      if (asks_now()) {
        stop_if_expired();
        look_at_queue();
      }
      if (!tasks_.empty()) std::this_thread::sleep_for(kPoll + tasks_.size() * kPollATask);
    }
    return stopped_;
  }

 private:
  struct Task {
    Job job;
    std::string list;
    int index = 0;
    int attempts_before = 0;
    std::optional<Clock::time_point> gone;  // from the queue, since
    std::string state;                      // Slurm's last word
  };

  // Takes over what an earlier call has left in the queue; returns the jobs that neither wait there
  // nor have ended meanwhile.
  std::vector<Job> attach(const std::vector<Job>& jobs) {
    std::set<std::string> in_queue;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(lists_folder(experiment_), error)) {
      if (!fs::exists(entry.path() / "plan.json", error)) continue;  // never submitted
      const TaskList list = read_task_list(experiment_, entry.path().filename().string());
      const auto states = queue_.states(list.name);
      if (!states) throw ConfigError("squeue: Slurm's controller does not answer; try again later");
      for (size_t i = 0; i < list.plan.jobs.size(); ++i) {
        const Job& job = list.plan.jobs[i];
        const auto state = states->find(task_of(list, i));
        if (state == states->end() || !kWaiting.contains(state->second)) continue;
        if (std::ranges::count(jobs, job.id, &Job::id) == 0 || !in_queue.insert(job.id).second)
          continue;
        tasks_.push_back({job, list.name, task_of(list, i), list.attempts_before[i], {}, {}});
      }
    }
    std::vector<Job> left;
    for (const Job& job : jobs) {
      if (in_queue.contains(job.id)) continue;
      if (options_.finished && options_.finished(job)) {
        if (options_.ended) options_.ended(job, *JobFolder(experiment_, job.id).outcome());
      } else {
        left.push_back(job);
      }
    }
    return left;
  }

  void submit(const std::vector<Job>& jobs) {
    const size_t most = slurm_.together ? jobs.size() : static_cast<size_t>(queue_.largest_array());
    for (size_t begin = 0; begin < jobs.size() && stopped_.empty(); begin += most) {
      std::vector<Job> array;
      for (size_t i = begin; i < std::min(jobs.size(), begin + most); ++i) {
        if (options_.closed) stopped_ = options_.closed();
        if (!stopped_.empty()) break;
        array.push_back(jobs[i]);
      }
      if (!array.empty()) submit_array(array);
    }
  }

  void submit_array(const std::vector<Job>& jobs) {
    TaskList list;
    list.name = new_list_name();
    list.limits = options_.limits;
    list.together = slurm_.together;
    list.plan.kind = kKind;
    list.plan.build = own_stamp();
    add_jobs(list.plan, jobs, catalog_);
    for (const Job& job : jobs)
      list.attempts_before.push_back(JobFolder(experiment_, job.id).attempts());
    write_task_list(experiment_, list);
    std::string script = "#!/bin/sh\nexec";
    for (const auto& word : slurm_.command) script += " " + shell_word(word);
    queue_.submit(arguments_for(list), script + " " + shell_word(list.name) + "\n");
    for (size_t i = 0; i < jobs.size(); ++i) {
      tasks_.push_back({jobs[i], list.name, task_of(list, i), list.attempts_before[i], {}, {}});
    }
  }

  std::vector<std::string> arguments_for(const TaskList& list) const {
    const size_t jobs = list.plan.jobs.size();
    const std::string at_once = slurm_.at_once > 0 ? fmt::format("%{}", slurm_.at_once) : "";
    std::vector<std::string> arguments{
        "--parsable",
        "--requeue",
        "--open-mode=append",
        "--job-name=" + list.name,
        fmt::format("--array=0-{}{}", list.together ? 0 : jobs - 1, at_once),
        fmt::format("--cpus-per-task={}", slurm_.threads),
        "--output=" + log_of(experiment_, list.name, "%a").string()};
    if (list.limits.seconds > 0) {
      const double seconds = list.limits.seconds * static_cast<double>(list.together ? jobs : 1);
      const double minutes = std::ceil(seconds / 60 + kSpareMinutes);
      arguments.push_back(fmt::format("--time={:.0f}", minutes));
    }
    if (list.limits.memory_gib > 0) {
      const double mib = std::ceil((list.limits.memory_gib + kSpareGib) * 1024);
      arguments.push_back(fmt::format("--mem={:.0f}M", mib));
    }
    arguments.insert(arguments.end(), slurm_.sbatch.begin(), slurm_.sbatch.end());
    return arguments;
  }

  void collect() {
    std::erase_if(tasks_, [&](const Task& task) {
      const auto found = task_outcome(experiment_, task.job, task.attempts_before);
      if (found) ended(task, *found);
      return found.has_value();
    });
  }

  void ended(const Task& task, const Outcome& found) {
    if (options_.ended) options_.ended(task.job, found);
    if (found.done || !options_.stop_at_failure || !stopped_.empty()) return;
    stopped_ = fmt::format("job {} failed", task.job.id);
    cancel(false);
  }

  void stop_if_expired() {
    if (!stopped_.empty() || !options_.expired) return;
    stopped_ = options_.expired();
    if (!stopped_.empty()) cancel(true);
  }

  bool asks_now() const { return seconds_since(asked_) >= interval_; }

  // Finds the tasks that are no longer in the queue and left no outcome.
  void look_at_queue() {
    asked_ = Clock::now();
    interval_ = std::min(kLongestAsk, 1.5 * interval_);
    std::set<std::string> lists;
    for (const Task& task : tasks_) lists.insert(task.list);
    for (const auto& list : lists) {
      const auto states = queue_.states(list);
      if (!states) continue;  // the controller is away for a while; the tasks go on
      for (Task& task : tasks_) {
        if (task.list == list) take_state(task, *states);
      }
    }
    std::erase_if(tasks_, [&](const Task& task) { return task.gone && give_up(task); });
  }

  static void take_state(Task& task, const std::map<int, std::string>& states) {
    const auto state = states.find(task.index);
    if (state != states.end()) task.state = state->second;
    if (state != states.end() && kWaiting.contains(state->second)) {
      task.gone.reset();
    } else if (!task.gone) {
      task.gone = Clock::now();
    }
  }

  // A task that has left the queue has written its outcome, or never will.
  bool give_up(const Task& task) {
    if (seconds_since(*task.gone) < kFileLag) return false;
    if (const auto found = task_outcome(experiment_, task.job, task.attempts_before)) {
      ended(task, *found);
      return true;
    }
    if (!stopped_.empty()) return true;  // cancelled by us: it has not run
    const JobFolder folder(experiment_, task.job.id);
    const fs::path attempt = folder.attempt(std::max(folder.attempts(), task.attempts_before + 1));
    Outcome lost;
    lost.reason = fmt::format("its Slurm task ended without a result ({})",
                              task.state.empty() ? "no longer known" : task.state);
    const std::string words = log_end(log_of(experiment_, task.list, std::to_string(task.index)));
    if (!words.empty()) lost.reason += ": " + words;
    lost.exit_code = kExitInterrupted;
    write_outcome(attempt, lost);
    ended(task, lost);
    return true;
  }

  void cancel(bool only_pending) {
    std::set<std::string> lists;
    for (const Task& task : tasks_) lists.insert(task.list);
    for (const auto& list : lists) queue_.cancel(list, only_pending);
  }

  const fs::path& experiment_;
  const Catalog& catalog_;
  const PoolOptions& options_;
  const SlurmOptions& slurm_;
  const SlurmQueue queue_;
  std::vector<Task> tasks_;  // not ended
  std::string stopped_;
  Clock::time_point asked_ = Clock::now();
  double interval_ = kFirstAsk;
};

}  // namespace

TaskList read_task_list(const fs::path& experiment, const std::string& name) {
  const fs::path folder = lists_folder(experiment) / name;
  TaskList list;
  list.name = name;
  list.plan = read_plan(folder, kKind);
  try {
    const auto json = ordered_json::parse(read_file(folder / "tasks.json"));
    if (json.at("format") != kFormat) throw ConfigError("it has another format");
    list.limits.seconds = json.at("seconds");
    list.limits.memory_gib = json.at("memory_gib");
    list.limits.open_files = json.at("open_files");
    list.attempts_before = json.at("attempts_before").get<std::vector<int>>();
    list.together = json.at("together");
    if (list.attempts_before.size() != list.plan.jobs.size()) {
      throw ConfigError(
          fmt::format("{} tasks for {} jobs", list.attempts_before.size(), list.plan.jobs.size()));
    }
  } catch (const std::exception& e) {
    throw ConfigError(
        fmt::format("{}: is no list of Slurm tasks: {}", shown(folder / "tasks.json"), e.what()));
  }
  return list;
}

std::vector<size_t> jobs_of_task(const TaskList& list, int task) {
  std::vector<size_t> jobs;
  for (size_t i = 0; i < list.plan.jobs.size(); ++i) {
    if (task_of(list, i) == task) jobs.push_back(i);
  }
  return jobs;
}

std::optional<Outcome> task_outcome(const fs::path& experiment, const Job& job,
                                    int attempts_before) {
  const JobFolder folder(experiment, job.id);
  for (int n = folder.attempts(); n > attempts_before; --n) {
    std::error_code error;
    if (fs::exists(folder.attempt(n) / "job.json", error)) return folder.outcome();
  }
  return std::nullopt;
}

std::string run_jobs_by_slurm(const fs::path& experiment, const std::vector<Job>& jobs,
                              const Catalog& catalog, const PoolOptions& options,
                              const SlurmOptions& slurm) {
  return jobs.empty() ? "" : SlurmPool(experiment, catalog, options, slurm).run(jobs);
}

}  // namespace momap
