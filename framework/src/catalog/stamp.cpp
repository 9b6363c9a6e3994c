// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/catalog/build_stamp.h>
#include <momap/catalog/record.h>
#include <momap/catalog/stamp.h>

#include <cstring>
#include <fstream>
#include <map>
#include <vector>

namespace momap {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half kOwnMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kOwnMachine = EM_AARCH64;
#else
#error "name the ELF machine of this processor here"
#endif

// A reader of ELF section contents that believes nothing it reads.
class ElfFile {
 public:
  explicit ElfFile(const std::filesystem::path& path) : in_(path, std::ios::binary) {
    in_.seekg(0, std::ios::end);
    size_ = in_ ? static_cast<uint64_t>(in_.tellg()) : 0;
  }

  bool readable() const { return static_cast<bool>(in_); }
  uint64_t size() const { return size_; }

  template <class T>
  bool read(uint64_t offset, T& out) {
    return read(offset, &out, sizeof out);
  }

  bool read(uint64_t offset, void* out, uint64_t bytes) {
    if (offset > size_ || bytes > size_ - offset) return false;
    in_.clear();
    in_.seekg(static_cast<std::streamoff>(offset));
    in_.read(static_cast<char*>(out), static_cast<std::streamsize>(bytes));
    return static_cast<bool>(in_);
  }

  // The content of the named section; nothing when the file is cut short or has no such section.
  std::optional<std::string> section(const Elf64_Ehdr& header, const char* name) {
    static constexpr uint64_t kLongestTable = 16u << 20;
    const auto at = [&](uint64_t i) { return header.e_shoff + i * sizeof(Elf64_Shdr); };
    Elf64_Shdr names{};
    if (header.e_shentsize != sizeof(Elf64_Shdr) || !read(at(header.e_shstrndx), names)) return {};
    if (names.sh_size > kLongestTable) return {};
    std::string table(names.sh_size, '\0');
    if (!read(names.sh_offset, table.data(), table.size())) return {};
    for (uint64_t i = 0; i < header.e_shnum; ++i) {
      Elf64_Shdr section{};
      if (!read(at(i), section)) return {};
      if (section.sh_name >= table.size() || std::strcmp(&table[section.sh_name], name) != 0)
        continue;
      std::string content(std::min(section.sh_size, kLongestTable), '\0');
      if (!read(section.sh_offset, content.data(), content.size())) return {};
      return content;
    }
    return std::string{};
  }

 private:
  std::ifstream in_;
  uint64_t size_ = 0;
};

std::map<std::string, std::string> fields(const std::string& stamp) {
  std::map<std::string, std::string> out;
  for (const auto& part : split(stamp, ' ')) {
    const size_t equals = part.find('=');
    if (equals != std::string::npos) out[part.substr(0, equals)] = part.substr(equals + 1);
  }
  return out;
}

}  // namespace

std::string LibraryProblem::text() const {
  return fmt::format("{}: {}; {}", shown(path), reason, remedy);
}

const std::string& own_stamp() {
  static const std::string stamp = MOMAP_STAMP;
  return stamp;
}

std::optional<LibraryProblem> check_stamp(const std::filesystem::path& library) {
  const auto problem = [&](std::string reason, std::string remedy) {
    return LibraryProblem{library, std::move(reason), std::move(remedy)};
  };
  ElfFile elf(library);
  if (!elf.readable()) return problem("cannot be read", "check its permissions");
  if (elf.size() == 0) return problem("is empty (0 bytes)", "build or copy it again");
  Elf64_Ehdr header{};
  if (!elf.read(0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return problem("is not a shared library (no ELF header)", "remove it or build it again");
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != kOwnMachine) {
    return problem(fmt::format("is built for another processor (ELF machine {}, here {})",
                               header.e_machine, kOwnMachine),
                   "build it on this kind of machine");
  }
  const auto stamp = elf.section(header, kStampSection);
  if (!stamp) return problem("is cut short or damaged", "build or copy it again");
  if (stamp->empty()) {
    return problem("is not a MoMap plugin (no momap_stamp section)",
                   "remove it, or end its source with MOMAP_PLUGIN(...)");
  }
  auto theirs = fields(stamp->c_str());
  auto ours = fields(own_stamp());
  if (theirs["abi"] != ours["abi"]) {
    return problem(fmt::format("is built for plugin ABI {}; this momap has ABI {}", theirs["abi"],
                               ours["abi"]),
                   "rebuild the plugin against this momap");
  }
  if (theirs["torch"] != ours["torch"]) {
    return problem(fmt::format("is built with LibTorch {}; this momap uses LibTorch {}",
                               theirs["torch"], ours["torch"]),
                   "rebuild the plugin with that LibTorch");
  }
  if (theirs["cxx"] != ours["cxx"]) {
    return problem(fmt::format("is built with C++ ABI {}; this momap has C++ ABI {}", theirs["cxx"],
                               ours["cxx"]),
                   "rebuild the plugin with the compiler that built momap");
  }
  return std::nullopt;
}

}  // namespace momap
