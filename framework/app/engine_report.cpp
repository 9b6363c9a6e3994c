// SPDX-License-Identifier: Apache-2.0
#include "engine_report.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <fmt/format.h>
#include <link.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/run/threads.h>
#include <oneapi/tbb/version.h>
#include <torch/version.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/core/version.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace momap {
namespace {

// What follows `key` in LibTorch's build settings: "BLAS_INFO=open".
std::string setting(std::string_view key) {
  const std::string settings = at::show_config();
  const size_t at = settings.find(key);
  if (at == std::string::npos) return "unknown";
  const size_t begin = at + key.size();
  return settings.substr(begin, settings.find_first_of(", \n", begin) - begin);
}

// Adds the file of a loaded library to the list that `data` points to when it is a BLAS: links are
// followed, because Debian's alternatives hide which of several one gets.
int note_blas(dl_phdr_info* library, size_t, void* data) {
  const std::filesystem::path path = library->dlpi_name;
  const std::string name = path.filename().string();
  const auto is_part = [&](const char* part) { return name.find(part) != std::string::npos; };
  if (!is_part("blas") && !is_part("mkl_core") && !is_part("libblis")) return 0;
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  static_cast<std::set<std::string>*>(data)->insert(shown(error ? path : real));
  return 0;
}

std::string blas_in_use() {
  std::set<std::string> files;
  ::dl_iterate_phdr(note_blas, &files);
  return files.empty() ? "none is loaded as a library of its own"
                       : join({files.begin(), files.end()}, ", ");
}

// What the launcher sets unless the user has (dependencies.md).
std::string thread_variables() {
  std::vector<std::string> parts;
  for (const char* name : {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}) {
    const char* value = std::getenv(name);
    parts.push_back(fmt::format("{}={}", name, value ? printable(value) : "(not set)"));
  }
  return join(parts, " ");
}

}  // namespace

int describe_engine(const Options&) {
  const ThreadBudget budget(0);
  const nlohmann::ordered_json report{
      {"libtorch", fmt::format("{}, {}, BLAS {}", TORCH_VERSION, setting("CPU capability usage: "),
                               setting("BLAS_INFO="))},
      {"blas", blas_in_use()},
      {"onetbb", TBB_runtime_version()},
      {"opencv", CV_VERSION},
      {"threads", fmt::format("{} for plugins, {} inside LibTorch, {}", budget.count(),
                              at::get_num_threads(), thread_variables())}};
  fmt::print("{}\n", report.dump());
  return kExitOk;
}

}  // namespace momap
