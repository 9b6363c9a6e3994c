// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/experiment/job.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <thread>

#include "log_end.h"

namespace momap {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto kPoll = std::chrono::milliseconds(5);
constexpr double kGib = 1 << 30;

struct Child {
  const Job* job = nullptr;
  fs::path folder;
  pid_t pid = 0;
  Clock::time_point begun;
  double peak_gib = 0;
  std::string killed_for;  // which limit it exceeded
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double resident_gib(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/statm", pid));
  int64_t total = 0, resident = 0;
  file >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / kGib;
}

// What only the child does.
[[noreturn]] void run_child(
    const Job& job, const fs::path& folder, const JobLimits& limits, pid_t parent,
    const std::function<int(const Job&, const std::filesystem::path&)>& body) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) std::_Exit(kExitInterrupted);  // it died before that took hold
  ::setpgid(0, 0);
  const int log = ::open((folder / "log.txt").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (log >= 0) {
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::close(log);
  }
  if (limits.open_files > 0) {
    const auto most = static_cast<rlim_t>(limits.open_files);
    const rlimit files{most, most};
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  int code = kExitBug;
  try {
    code = body(job, folder);
  } catch (const std::exception& e) {
    fmt::print(stderr, "momap: error: {}\n", e.what());
  }
  std::fflush(nullptr);
  std::_Exit(code);  // the parent's objects are not this process's to destroy
}

class Pool {
 public:
  Pool(const fs::path& experiment, const PoolOptions& options,
       const std::function<int(const Job&, const std::filesystem::path&)>& body)
      : experiment_(experiment), options_(options), body_(body) {}

  std::string run(const std::vector<Job>& jobs) {
    size_t next = 0;
    while (next < jobs.size() || !children_.empty()) {
      if (options_.cancelled && options_.cancelled()) {
        end_all();
        throw Cancelled();
      }
      while (next < jobs.size() && static_cast<int>(children_.size()) < options_.parallel &&
             stopped_.empty()) {
        if (options_.closed) stopped_ = options_.closed();
        if (stopped_.empty()) begin(jobs[next++]);
      }
      if (!stopped_.empty()) next = jobs.size();
      reap();
      if (child_stopped_) {
        end_all();
        throw Cancelled();
      }
      if (!children_.empty()) std::this_thread::sleep_for(kPoll);
    }
    return stopped_;
  }

 private:
  void begin(const Job& job) {
    const JobFolder folder(experiment_, job.id);
    Child child;
    child.job = &job;
    child.folder = folder.attempt(folder.attempts() + 1);
    std::error_code error;
    fs::create_directories(child.folder, error);
    if (error) {
      throw ConfigError(
          fmt::format("{}: cannot be made: {}", shown(child.folder), error.message()));
    }
    std::fflush(nullptr);
    child.begun = Clock::now();
    const pid_t parent = ::getpid();
    child.pid = ::fork();
    if (child.pid == 0) run_child(job, child.folder, options_.limits, parent, body_);
    if (child.pid < 0) throw std::runtime_error("no further process can be started (fork failed)");
    children_.push_back(std::move(child));
  }

  void reap() {
    std::erase_if(children_, [&](Child& child) {
      int status = 0;
      rusage usage{};
      if (::wait4(child.pid, &status, WNOHANG, &usage) != child.pid) {
        keep_within_limits(child);
        return false;
      }
      finish(child, status, usage);
      return true;
    });
  }

  void keep_within_limits(Child& child) {
    if (!child.killed_for.empty()) return;
    const double seconds = seconds_since(child.begun);
    child.peak_gib = std::max(child.peak_gib, resident_gib(child.pid));
    if (options_.limits.seconds > 0 && seconds > options_.limits.seconds) {
      child.killed_for = fmt::format("took longer than {:g} s", options_.limits.seconds);
    } else if (options_.limits.memory_gib > 0 && child.peak_gib > options_.limits.memory_gib) {
      child.killed_for =
          fmt::format("took more than {:g} GiB of memory", options_.limits.memory_gib);
    }
    if (!child.killed_for.empty()) ::kill(-child.pid, SIGKILL);
  }

  void finish(const Child& child, int status, const rusage& usage) {
    const JobFolder folder(experiment_, child.job->id);
    std::error_code error;
    const bool ended = fs::exists(child.folder / "job.json", error);
    if (!ended && WIFEXITED(status) && WEXITSTATUS(status) == kExitInterrupted) {
      child_stopped_ = true;  // a cluster's signal for all processes may reach the child first
      return;
    }
    if (!ended) {
      Outcome outcome;
      outcome.seconds = seconds_since(child.begun);
      outcome.cpu_seconds =
          static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
          1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
      outcome.peak_bytes = int64_t{usage.ru_maxrss} * 1024;
      outcome.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      outcome.reason = !child.killed_for.empty() ? child.killed_for
                       : WIFSIGNALED(status) ? fmt::format("ended by signal {}", WTERMSIG(status))
                                             : fmt::format("exit code {}", WEXITSTATUS(status));
      const std::string log = log_end(child.folder / "log.txt");
      if (!log.empty()) outcome.reason += ": " + log;
      write_outcome(child.folder, outcome);
    }
    const Outcome outcome = folder.outcome().value_or(Outcome{});
    if (options_.ended) options_.ended(*child.job, outcome);
    if (!outcome.done && options_.stop_at_failure && stopped_.empty()) {
      stopped_ = fmt::format("job {} failed", child.job->id);
    }
  }

  void end_all() {
    for (const Child& child : children_) ::kill(-child.pid, SIGKILL);
    for (const Child& child : children_) ::waitpid(child.pid, nullptr, 0);
    children_.clear();
  }

  const fs::path& experiment_;
  const PoolOptions& options_;
  const std::function<int(const Job&, const std::filesystem::path&)>& body_;
  std::vector<Child> children_;
  std::string stopped_;
  bool child_stopped_ = false;
};

}  // namespace

std::string run_jobs(const fs::path& experiment, const std::vector<Job>& jobs,
                     const PoolOptions& options,
                     const std::function<int(const Job&, const std::filesystem::path&)>& body) {
  return Pool(experiment, options, body).run(jobs);
}

}  // namespace momap
