// SPDX-License-Identifier: Apache-2.0
#include "slurm_queue.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>
#include <unistd.h>

#include <boost/process.hpp>
#include <future>
#include <iterator>
#include <sstream>

namespace momap {
namespace {

namespace process = boost::process;

constexpr int kUsualLargestArray = 1000;

struct Answer {
  int exit_code = 0;
  std::string out;
  std::string err;
};

Answer ask(const std::string& program, const std::vector<std::string>& arguments,
           const std::string& input = "") {
  const auto path = process::search_path(program);
  if (path.empty()) {
    throw ConfigError(fmt::format(
        "{} is not installed here; use --launcher local, or install Slurm's client programs",
        program));
  }
  process::ipstream out;
  process::ipstream err;
  process::opstream in;
  std::error_code error;
  process::child child(path, process::args(arguments), process::std_in<in, process::std_out> out,
                       process::std_err > err, error);
  if (error) {
    throw ConfigError(fmt::format("{}: cannot be started: {}", path.string(), error.message()));
  }
  in << input;
  in.flush();
  in.pipe().close();
  Answer answer;
  // Both pipes at once, so that neither fills up and stops the program.
  auto errors = std::async(std::launch::async, [&] {
    return std::string{std::istreambuf_iterator<char>(err), {}};
  });
  answer.out = std::string{std::istreambuf_iterator<char>(out), {}};
  answer.err = errors.get();
  child.wait();
  answer.exit_code = child.exit_code();
  return answer;
}

}  // namespace

SlurmQueue::SlurmQueue() {
  for (const char* program : {"sbatch", "squeue", "scancel"}) ask(program, {"--version"});
}

void SlurmQueue::submit(const std::vector<std::string>& arguments,
                        const std::string& script) const {
  const Answer answer = ask("sbatch", arguments, script);
  if (answer.exit_code == 0) return;
  throw ConfigError(fmt::format("sbatch {} refused the jobs: {}", join(arguments, " "),
                                printable(join(split(answer.err, '\n'), "; "))));
}

std::optional<std::map<int, std::string>> SlurmQueue::states(const std::string& name) const {
  const Answer answer =
      ask("squeue", {"--noheader", "--array", "--states=all", "--name=" + name, "--format=%K %T"});
  if (answer.exit_code != 0) return std::nullopt;
  std::map<int, std::string> states;
  std::istringstream lines(answer.out);
  int task = 0;
  for (std::string state; lines >> task >> state;) states[task] = state;
  return states;
}

void SlurmQueue::cancel(const std::string& name, bool only_pending) const {
  std::vector<std::string> arguments{"--quiet", "--name=" + name};
  if (only_pending) arguments.emplace_back("--state=PENDING");
  ask("scancel", arguments);
}

int SlurmQueue::largest_array() const {
  const Answer answer = ask("scontrol", {"show", "config"});
  const size_t at = answer.out.find("MaxArraySize");
  if (at == std::string::npos) return kUsualLargestArray;
  const size_t equals = answer.out.find('=', at);
  // Slurm's figure is one above the largest index.
  return std::max(1, std::atoi(answer.out.c_str() + equals + 1) - 1);
}

}  // namespace momap
