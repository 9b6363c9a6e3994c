// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/data/npz.h>
#include <zip.h>

#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>

namespace momap {
namespace {

constexpr zip_uint16_t kFirstDay = 1 << 5 | 1;  // 1 January 1980, the zero of zip's calendar
constexpr size_t kAlignment = 64;               // of an array's data in its member, as NumPy does

const char* descr_of(at::ScalarType type) {
  switch (type) {
    case at::kBool:
      return "|b1";
    case at::kByte:
      return "|u1";
    case at::kChar:
      return "|i1";
    case at::kShort:
      return "<i2";
    case at::kInt:
      return "<i4";
    case at::kLong:
      return "<i8";
    case at::kHalf:
      return "<f2";
    case at::kFloat:
      return "<f4";
    case at::kDouble:
      return "<f8";
    default:
      throw std::invalid_argument(
          fmt::format("NumPy has no type for tensors of {}", c10::toString(type)));
  }
}

// A whole .npy file.
std::vector<std::byte> npy_bytes(const std::string& descr, at::IntArrayRef shape,
                                 std::span<const std::byte> data) {
  std::string sizes;
  for (const int64_t size : shape) sizes += fmt::format("{},", size);
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, sizes);
  constexpr size_t kPreamble = 10;  // magic, version, length of the header
  header.append(kAlignment - 1 - (kPreamble + header.size()) % kAlignment, ' ');
  header += '\n';
  if (header.size() > UINT16_MAX) throw std::invalid_argument("a tensor has too many dimensions");
  std::vector<std::byte> out(kPreamble + header.size() + data.size());
  const auto length = static_cast<uint16_t>(header.size());
  std::memcpy(out.data(), "\x93NUMPY\x01\x00", 8);
  std::memcpy(out.data() + 8, &length, sizeof length);
  std::memcpy(out.data() + kPreamble, header.data(), header.size());
  if (!data.empty()) {
    std::memcpy(out.data() + kPreamble + header.size(), data.data(), data.size());
  }
  return out;
}

// A zip file made in memory.
class ZipInMemory {
 public:
  ZipInMemory() : bytes_(zip_source_buffer_create(nullptr, 0, 0, nullptr)) {
    if (!bytes_) throw std::bad_alloc();
    archive_ = zip_open_from_source(bytes_, ZIP_TRUNCATE, nullptr);
    if (!archive_) throw std::bad_alloc();
    zip_source_keep(bytes_);
  }
  ~ZipInMemory() {
    if (archive_) zip_discard(archive_);
    zip_source_free(bytes_);
  }
  ZipInMemory(const ZipInMemory&) = delete;
  ZipInMemory& operator=(const ZipInMemory&) = delete;

  /// `content` must live until `write_to`.
  void add(const std::string& name, std::span<const std::byte> content) {
    zip_source_t* source = zip_source_buffer(archive_, content.data(), content.size(), 0);
    if (!source) throw std::bad_alloc();
    const zip_int64_t index = zip_file_add(archive_, name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      throw std::invalid_argument(fmt::format("'{}' cannot be a member of a zip file: {}",
                                              printable(name), zip_strerror(archive_)));
    }
    const auto member = static_cast<zip_uint64_t>(index);
    zip_set_file_compression(archive_, member, ZIP_CM_STORE, 0);
    zip_file_set_dostime(archive_, member, 0, kFirstDay, 0);
  }

  void write_to(AtomicFile& file) {
    if (zip_close(archive_) != 0) throw std::runtime_error(zip_strerror(archive_));
    archive_ = nullptr;
    std::array<std::byte, 1 << 16> block{};
    zip_source_open(bytes_);
    for (;;) {
      const zip_int64_t count = zip_source_read(bytes_, block.data(), block.size());
      if (count < 0) throw std::runtime_error("a zip file in memory cannot be read");
      if (count == 0) break;
      file.write(std::span(block).first(static_cast<size_t>(count)));
    }
    zip_source_close(bytes_);
  }

 private:
  zip_source_t* bytes_;
  zip_t* archive_ = nullptr;
};

}  // namespace

void write_npz(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors,
               const std::map<std::string, std::string>& texts) {
  std::map<std::string, std::vector<std::byte>> members;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor dense = tensor.to(at::kCPU).contiguous();
    members[name] = npy_bytes(descr_of(dense.scalar_type()), dense.sizes(),
                              {static_cast<const std::byte*>(dense.data_ptr()), dense.nbytes()});
  }
  for (const auto& [name, text] : texts) {
    std::string padded = text;
    if (padded.empty()) padded.push_back('\0');  // NumPy has no empty bytes
    const auto bytes =
        npy_bytes(fmt::format("|S{}", padded.size()), {}, std::as_bytes(std::span(padded)));
    if (!members.emplace(name, bytes).second) {
      throw std::invalid_argument(fmt::format("'{}' is both a tensor and a text", printable(name)));
    }
  }
  ZipInMemory zip;
  for (const auto& [name, bytes] : members) zip.add(name + ".npy", bytes);
  AtomicFile file(path);
  zip.write_to(file);
  file.commit();
}

}  // namespace momap
