// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/contract/contract.h>
#include <momap/plugin/loader.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <tbb/global_control.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <opencv2/core/utility.hpp>

#include "plugin_checks.h"

// The child tells the parent in lines of JSON: how many plugins there are, which check begins, what
// each found.

namespace momap {
namespace {

using nlohmann::json;

constexpr int kLongestSilenceSeconds = 120;

void tell(int pipe, const json& message) {
  std::string line = message.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  std::string_view left = line;
  while (!left.empty()) {
    const ssize_t written = ::write(pipe, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) ::_exit(1);
    left.remove_prefix(static_cast<size_t>(written));
  }
}

json to_json(const ContractResult& result) {
  return {{"plugin", result.plugin},
          {"check", result.check},
          {"passed", result.passed},
          {"skipped", result.skipped},
          {"detail", result.detail}};
}

ContractResult from_json(const json& j) {
  return {j.at("plugin"), j.at("check"), j.at("passed"), j.at("skipped"), j.at("detail")};
}

[[noreturn]] void child(const std::filesystem::path& library, size_t index, int pipe) {
  for (const int number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTERM}) {
    ::signal(number, SIG_DFL);
  }
  static constexpr size_t kMostThreads = 8;
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, kMostThreads);
  at::set_num_threads(1);
  cv::setNumThreads(1);
  try {
    const auto opened = PluginLibrary::open(library);
    const auto plugins = opened->describe();
    tell(pipe, {{"plugins", plugins.size()}});
    if (index < plugins.size()) {
      tell(pipe, {{"plugin", plugins[index].id}});
      contract::check_plugin(*opened, plugins[index],
                             {.begins =
                                  [&](const std::string& check) {
                                    tell(pipe, {{"begins", check}});
                                  },
                              .ended =
                                  [&](const ContractResult& result) {
                                    tell(pipe, {{"result", to_json(result)}});
                                  }});
    }
    tell(pipe, {{"done", true}});
  } catch (const std::exception& error) {
    tell(pipe, {{"failed", error.what()}});
  }
  ::_exit(0);
}

// What the parent knows of one child.
class Conversation {
 public:
  explicit Conversation(const std::filesystem::path& library)
      : plugin_(shown(library.filename())), check_("library can be opened") {}

  void hear(const json& message) {
    if (message.contains("plugins")) plugins_ = message["plugins"];
    if (message.contains("plugin")) plugin_ = message["plugin"];
    if (message.contains("begins")) check_ = message["begins"];
    if (message.contains("result")) {
      results_.push_back(from_json(message["result"]));
      check_ = "the checks after '" + results_.back().check + "'";
    }
    if (message.contains("failed")) {
      results_.push_back({plugin_, check_, false, false, message["failed"]});
      done_ = true;
    }
    if (message.contains("done")) done_ = true;
  }

  // The child is gone; what it left unsaid is a finding.
  void end(const std::string& how) {
    if (!done_) results_.push_back({plugin_, check_, false, false, how});
  }

  size_t plugins() const { return plugins_; }
  std::vector<ContractResult>& results() { return results_; }

 private:
  std::string plugin_;
  std::string check_;
  size_t plugins_ = 0;
  bool done_ = false;
  std::vector<ContractResult> results_;
};

// Reads lines until the child closes its end; false when it stayed silent for too long.
bool listen(int pipe, Conversation& conversation) {
  std::string pending;
  char buffer[1 << 12];
  for (;;) {
    pollfd waiting{pipe, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, kLongestSilenceSeconds * 1000);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t count = ::read(pipe, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return true;
    pending.append(buffer, static_cast<size_t>(count));
    for (size_t end = 0; (end = pending.find('\n')) != std::string::npos;) {
      conversation.hear(json::parse(pending.substr(0, end)));
      pending.erase(0, end + 1);
    }
  }
}

Conversation check_in_child(const std::filesystem::path& library, size_t index) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error(fmt::format("pipe: {}", std::strerror(errno)));
  const pid_t id = ::fork();
  if (id < 0) throw std::runtime_error(fmt::format("fork: {}", std::strerror(errno)));
  if (id == 0) {
    ::close(ends[0]);
    child(library, index, ends[1]);
  }
  ::close(ends[1]);
  Conversation conversation(library);
  const bool answered = listen(ends[0], conversation);
  ::close(ends[0]);
  if (!answered) ::kill(id, SIGKILL);
  int status = 0;
  while (::waitpid(id, &status, 0) < 0 && errno == EINTR) {
  }
  if (!answered) {
    conversation.end(fmt::format("no answer in {} s", kLongestSilenceSeconds));
  } else if (WIFSIGNALED(status)) {
    conversation.end(fmt::format("crashed ({})", ::strsignal(WTERMSIG(status))));
  } else {
    conversation.end(fmt::format("ended the process with exit code {}", WEXITSTATUS(status)));
  }
  return conversation;
}

}  // namespace

std::vector<ContractResult> check_contract(const std::filesystem::path& library) {
  std::vector<ContractResult> results;
  size_t plugins = 1;
  for (size_t i = 0; i < plugins; ++i) {
    Conversation conversation = check_in_child(library, i);
    if (i == 0) plugins = conversation.plugins();
    std::ranges::move(conversation.results(), std::back_inserter(results));
  }
  if (plugins == 0 && results.empty()) {
    results.push_back({shown(library.filename()), "library holds a plugin", false, false,
                       "it holds none; end its source with MOMAP_PLUGIN(...)"});
  }
  return results;
}

}  // namespace momap
