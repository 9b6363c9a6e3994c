// SPDX-License-Identifier: Apache-2.0
#include "engine_report.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/run/threads.h>
#include <oneapi/tbb/version.h>
#include <torch/version.h>

#include <nlohmann/json.hpp>
#include <opencv2/core/version.hpp>
#include <string>

namespace momap {
namespace {

// "BLAS_INFO=open" of LibTorch's build settings.
std::string blas() {
  static constexpr std::string_view kKey = "BLAS_INFO=";
  const std::string settings = at::show_config();
  const size_t at = settings.find(kKey);
  if (at == std::string::npos) return "unknown";
  const size_t begin = at + kKey.size();
  return settings.substr(begin, settings.find_first_of(", \n", begin) - begin);
}

}  // namespace

int describe_engine(const Options&) {
  const ThreadBudget budget(0);
  const nlohmann::ordered_json report{
      {"libtorch", fmt::format("{}, BLAS {}", TORCH_VERSION, blas())},
      {"onetbb", TBB_runtime_version()},
      {"opencv", CV_VERSION},
      {"threads",
       fmt::format("{} for plugins, {} inside LibTorch", budget.count(), at::get_num_threads())}};
  fmt::print("{}\n", report.dump());
  return kExitOk;
}

}  // namespace momap
