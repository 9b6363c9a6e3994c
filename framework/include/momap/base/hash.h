// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace momap {

/// XXH3 128-bit of the bytes, as 32 hex digits. Not cryptographic: it tells contents apart, it does
/// not prove origin.
std::string content_hash(std::span<const std::byte> bytes);
std::string content_hash(std::string_view text);

/// The same for a file, read in blocks. Throws ConfigError when it cannot be read.
std::string file_hash(const std::filesystem::path& path);

/// A stream seed from a base seed and a name: the same everywhere, different for every name.
uint64_t derived_seed(uint64_t seed, std::string_view name);

}  // namespace momap
