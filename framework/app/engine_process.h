// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/catalog.h>

#include <filesystem>
#include <string>
#include <vector>

namespace momap {

/// The program that links LibTorch; `momap` hands over to it when a command needs more than
/// reading.
std::filesystem::path engine_path();

/// Replaces this process by the engine with the same arguments. Sets up the environment of
/// LibTorch's libraries first: they read it when they are loaded. Returns only by throwing
/// ConfigError.
[[noreturn]] void become_engine(char** argv);

/// What an engine process prints when it is started with these arguments. Throws ConfigError when
/// it cannot be started or fails.
std::string engine_output(const std::vector<std::string>& arguments);

/// Describes libraries through an engine process of its own.
std::vector<LibraryReport> describe_by_engine(const std::vector<std::filesystem::path>& libraries);

}  // namespace momap
