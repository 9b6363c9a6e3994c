// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/files.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

// Layers are one-way: each includes only what stands to its left.

namespace momap {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kLayers{"base",  "params",     "catalog", "graph",    "data",
                                       "store", "stage",      "plugin",  "contract", "train",
                                       "run",   "experiment", "harvest"};
constexpr size_t kFront = 4;  // base to graph also run without LibTorch and OpenCV

size_t position(const std::string& layer) {
  return static_cast<size_t>(std::ranges::find(kLayers, layer) - kLayers.begin());
}

std::vector<std::string> includes_of(const fs::path& file) {
  static const std::regex kInclude("#include [<\"]([^>\"]+)[>\"]");
  const std::string text = read_file(file);
  std::vector<std::string> out;
  for (std::sregex_iterator it(text.begin(), text.end(), kInclude), end; it != end; ++it)
    out.push_back((*it)[1]);
  return out;
}

// Calls `visit(layer, file)` for every header and source of the framework.
template <class Visit>
void for_each_file(Visit visit) {
  const fs::path framework = fs::path(MOMAP_SOURCE_DIR) / "framework";
  for (const fs::path& root : {framework / "include/momap", framework / "src"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (!entry.is_regular_file()) continue;
      visit(entry.path().lexically_relative(root).begin()->string(), entry.path());
    }
  }
}

TEST(Layers, EveryFolderIsALayer) {
  for_each_file([](const std::string& layer, const fs::path& file) {
    EXPECT_LT(position(layer), kLayers.size()) << file << " is in no known layer";
  });
}

TEST(Layers, IncludeOnlyToTheLeft) {
  int checked = 0;
  for_each_file([&](const std::string& layer, const fs::path& file) {
    for (const auto& include : includes_of(file)) {
      if (!include.starts_with("momap/")) continue;
      const std::string other = include.substr(6, include.find('/', 6) - 6);
      ++checked;
      EXPECT_LE(position(other), position(layer)) << file << " includes " << include;
    }
  });
  EXPECT_GT(checked, 100);
}

TEST(Layers, WhatOnlyReadsNeedsNeitherLibTorchNorOpenCv) {
  for_each_file([&](const std::string& layer, const fs::path& file) {
    if (position(layer) >= kFront) return;
    for (const auto& include : includes_of(file)) {
      const bool heavy = include.starts_with("ATen/") || include.starts_with("opencv2/") ||
                         include.starts_with("c10/") ||
                         (include.starts_with("torch/") && include != "torch/version.h");
      EXPECT_FALSE(heavy) << file << " includes " << include;
    }
  });
}

TEST(Layers, PluginsIncludeNoInternalsOfTheKernel) {
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(MOMAP_SOURCE_DIR) / "plugins")) {
    const auto extension = entry.path().extension();
    if (extension != ".cpp" && extension != ".h") continue;
    if (entry.path().stem().string().ends_with("_test") ||
        entry.path().stem().string().ends_with("_bench"))
      continue;
    for (const auto& include : includes_of(entry.path())) {
      if (!include.starts_with("momap/")) continue;
      const std::string layer = include.substr(6, include.find('/', 6) - 6);
      EXPECT_LE(position(layer), position("plugin")) << entry.path() << " includes " << include;
    }
  }
}

}  // namespace
}  // namespace momap
