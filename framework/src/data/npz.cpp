// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/data/npz.h>
#include <zip.h>

#include <map>
#include <span>

#include "npy_stream.h"

namespace momap {
namespace {

constexpr std::string_view kExtension = ".npy";
constexpr zip_int64_t kMostMembers = 1'000'000;
// A deflate stream holds at most 1032 bytes for each of its own.
constexpr uint64_t kBestRatio = 1032;

struct Member {
  zip_uint64_t index = 0;
  uint64_t size = 0;
  bool verified = false;  // its CRC has been checked
};

std::string error_text(zip_error_t* error) {
  std::string text = printable(zip_error_strerror(error));
  zip_error_fini(error);
  return text;
}

}  // namespace

class NpzFile::Archive {
 public:
  Archive(const std::filesystem::path& path, uint64_t limit_bytes)
      : path_(shown(path)), limit_(limit_bytes) {
    check_exists(path, path_);
    if (!std::filesystem::is_regular_file(path)) refuse("is not a file");
    int code = 0;
    zip_.reset(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
    if (!zip_) {
      zip_error_t error;
      zip_error_init_with_code(&error, code);
      refuse(fmt::format("is not a sound zip file: {}", error_text(&error)));
    }
    const zip_int64_t count = zip_get_num_entries(zip_.get(), 0);
    if (count > kMostMembers)
      refuse(fmt::format("has {} members; expected at most {}", count, kMostMembers));
    for (zip_int64_t i = 0; i < count; ++i) add_member(static_cast<zip_uint64_t>(i));
  }

  const std::map<std::string, Member>& members() const { return members_; }

  // Calls `use(NpyStream&)` on the member's array; then reads on to its end, where the zip library
  // compares the CRC, unless that was done before and `all` is false.
  template <class Use>
  auto with(const std::string& name, bool all, Use use) {
    Member& member = find(name);
    const std::string owner = fmt::format("{}: array '{}'", path_, printable(name));
    const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
        zip_fopen_index(zip_.get(), member.index, 0), zip_fclose);
    if (!file) {
      throw ConfigError(
          fmt::format("{}: cannot be opened: {}", owner, printable(zip_strerror(zip_.get()))));
    }
    const auto read = [&](std::span<std::byte> out) {
      while (!out.empty()) {
        const zip_int64_t count = zip_fread(file.get(), out.data(), out.size());
        if (count <= 0) fail(file.get(), owner);
        out = out.subspan(static_cast<size_t>(count));
      }
    };
    NpyStream stream(read, member.size, owner, limit_);
    auto result = use(stream);
    if (all && !member.verified) {
      drain(file.get(), owner);
      member.verified = true;
    }
    return result;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw ConfigError(fmt::format("{}: {}", path_, what));
  }

  [[noreturn]] static void fail(zip_file_t* file, const std::string& owner) {
    throw ConfigError(fmt::format("{}: is damaged: {}", owner,
                                  zip_error_code_zip(zip_file_get_error(file)) == ZIP_ER_OK
                                      ? "it ends early"
                                      : printable(zip_file_strerror(file))));
  }

  static void drain(zip_file_t* file, const std::string& owner) {
    std::vector<std::byte> block(1 << 16);
    for (;;) {
      const zip_int64_t count = zip_fread(file, block.data(), block.size());
      if (count < 0) fail(file, owner);
      if (count == 0) return;
    }
  }

  void add_member(zip_uint64_t index) {
    zip_stat_t status;
    zip_stat_init(&status);
    if (zip_stat_index(zip_.get(), index, 0, &status) != 0) {
      refuse(fmt::format("member {}: {}", index, printable(zip_strerror(zip_.get()))));
    }
    constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                     ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if ((status.valid & kNeeded) != kNeeded)
      refuse(fmt::format("member {} is not described", index));
    const std::string file_name = status.name;
    const auto owner = fmt::format("member '{}'", printable(file_name));
    if (!file_name.ends_with(kExtension)) {
      refuse(fmt::format("{} is not an array (.npy); expected a file made by numpy.savez", owner));
    }
    if (status.encryption_method != ZIP_EM_NONE) refuse(fmt::format("{} is encrypted", owner));
    if (status.comp_method != ZIP_CM_STORE && status.comp_method != ZIP_CM_DEFLATE) {
      refuse(fmt::format("{} is compressed by method {}; expected 0 (stored) or 8 (deflate)", owner,
                         status.comp_method));
    }
    const bool stored = status.comp_method == ZIP_CM_STORE;
    if (stored ? status.size != status.comp_size : status.size / kBestRatio > status.comp_size) {
      refuse(fmt::format("{} claims {} bytes in {} stored ones, which cannot be", owner,
                         status.size, status.comp_size));
    }
    const std::string name = file_name.substr(0, file_name.size() - kExtension.size());
    if (!members_.emplace(name, Member{index, status.size, false}).second) {
      refuse(fmt::format("{} is there twice", owner));
    }
  }

  Member& find(const std::string& name) {
    const auto found = members_.find(name);
    if (found != members_.end()) return found->second;
    std::vector<std::string> known;
    for (const auto& entry : members_) known.push_back(printable(entry.first));
    refuse(fmt::format("has no array '{}'{}", printable(name), suggestion(name, known)));
  }

  std::string path_;
  uint64_t limit_;
  std::unique_ptr<zip_t, void (*)(zip_t*)> zip_{nullptr, zip_discard};
  std::map<std::string, Member> members_;
};

NpzFile::NpzFile(const std::filesystem::path& path, uint64_t limit_bytes)
    : archive_(std::make_unique<Archive>(path, limit_bytes)) {}
NpzFile::~NpzFile() = default;
NpzFile::NpzFile(NpzFile&&) noexcept = default;
NpzFile& NpzFile::operator=(NpzFile&&) noexcept = default;

std::vector<std::string> NpzFile::names() const {
  std::vector<std::string> names;
  for (const auto& entry : archive_->members()) names.push_back(entry.first);
  return names;
}

bool NpzFile::contains(const std::string& name) const { return archive_->members().contains(name); }

at::Tensor NpzFile::read(const std::string& name) {
  return archive_->with(name, true, [](NpyStream& stream) { return stream.read(); });
}

at::Tensor NpzFile::read_rows(const std::string& name, int64_t begin, int64_t end) {
  return archive_->with(name, true,
                        [&](NpyStream& stream) { return stream.read_rows(begin, end); });
}

std::vector<int64_t> NpzFile::shape(const std::string& name) {
  return archive_->with(name, false, [](NpyStream& stream) { return stream.shape(); });
}

}  // namespace momap
