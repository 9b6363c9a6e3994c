// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/catalog.h>
#include <momap/contract/contract.h>
#include <momap/plugin/loader.h>

#include <functional>
#include <string>

namespace momap::contract {

/// Told before and after each check, so that whoever listens knows in which one a plugin crashed.
struct Listener {
  std::function<void(const std::string& check)> begins;
  std::function<void(const ContractResult& result)> ended;
};

/// What is wrong with id, summary and parameters, without making the plugin; empty when nothing is.
std::vector<std::string> schema_faults(const PluginInfo& plugin);

/// Runs all checks on one plugin, in this process.
void check_plugin(const PluginLibrary& library, const PluginInfo& plugin, const Listener& listener);

}  // namespace momap::contract
