// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/experiment/job.h>

#include <nlohmann/json.hpp>

namespace momap {

namespace fs = std::filesystem;

JobFolder::JobFolder(const fs::path& experiment, const std::string& id)
    : path_(experiment / "jobs" / id) {}

fs::path JobFolder::attempt(int n) const { return path_ / std::to_string(n); }

int JobFolder::attempts() const {
  std::error_code error;
  int n = 0;
  while (fs::exists(attempt(n + 1), error)) ++n;
  return n;
}

std::optional<Outcome> JobFolder::outcome() const {
  for (int n = attempts(); n > 0; --n) {
    const fs::path file = attempt(n) / "job.json";
    std::error_code error;
    if (!fs::exists(file, error)) continue;
    try {
      const auto json = nlohmann::json::parse(read_file(file));
      return Outcome{.done = json.at("state") == "done",
                     .reason = json.at("reason"),
                     .exit_code = json.at("exit_code"),
                     .seconds = json.at("seconds"),
                     .cpu_seconds = json.at("cpu_seconds"),
                     .peak_bytes = json.at("peak_bytes")};
    } catch (const nlohmann::json::exception& e) {
      Outcome broken;
      broken.reason = fmt::format("{}: cannot be read: {}", shown(file), e.what());
      return broken;
    }
  }
  return std::nullopt;
}

fs::path JobFolder::run() const {
  const auto last = outcome();
  for (int n = attempts(); n > 0 && last && last->done; --n) {
    std::error_code error;
    if (fs::exists(attempt(n) / "job.json", error)) return attempt(n) / "run";
  }
  throw DataError(fmt::format("{}: the job is not done", shown(path_)));
}

void write_outcome(const fs::path& attempt, const Outcome& outcome) {
  const nlohmann::ordered_json json{{"format", 1},
                                    {"state", outcome.done ? "done" : "failed"},
                                    {"reason", outcome.reason},
                                    {"exit_code", outcome.exit_code},
                                    {"seconds", outcome.seconds},
                                    {"cpu_seconds", outcome.cpu_seconds},
                                    {"peak_bytes", outcome.peak_bytes}};
  write_file(attempt / "job.json",
             json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace momap
