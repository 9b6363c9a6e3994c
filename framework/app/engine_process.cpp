// SPDX-License-Identifier: Apache-2.0
#include "engine_process.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <unistd.h>

#include <boost/process.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>

namespace momap {
namespace {

// One pool of threads: OpenBLAS and OpenMP would start their own and fight oneTBB's (measured: 2 to
// 4 times slower).
void set_library_environment() {
  ::setenv("OPENBLAS_NUM_THREADS", "1", 0);
  ::setenv("OMP_NUM_THREADS", "1", 0);
}

}  // namespace

std::filesystem::path engine_path() { return install_root() / "libexec/momap/momap-engine"; }

void become_engine(char** argv) {
  set_library_environment();
  const std::string engine = engine_path().string();
  ::execv(engine.c_str(), argv);
  throw ConfigError(fmt::format("{}: cannot be started: {}; build or install MoMap again",
                                shown(engine), std::strerror(errno)));
}

std::string engine_output(const std::vector<std::string>& arguments) {
  namespace process = boost::process;
  set_library_environment();
  process::ipstream out;
  std::error_code error;
  process::child child(engine_path().string(), process::args(arguments), process::std_out > out,
                       error);
  if (error) {
    throw ConfigError(fmt::format("{}: cannot be started: {}; build or install MoMap again",
                                  shown(engine_path()), error.message()));
  }
  std::string text{std::istreambuf_iterator<char>(out), {}};
  child.wait();
  if (child.exit_code() != 0) {
    throw ConfigError(fmt::format("{} {} failed (exit code {}); see what it said above",
                                  shown(engine_path()), arguments.at(0), child.exit_code()));
  }
  return text;
}

std::vector<LibraryReport> describe_by_engine(const std::vector<std::filesystem::path>& libraries) {
  std::vector<std::string> arguments{"describe-libraries"};
  for (const auto& library : libraries) arguments.push_back(library.string());
  return reports_from_json(engine_output(arguments));
}

}  // namespace momap
