// SPDX-License-Identifier: Apache-2.0
#include "npz_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zip.h>

#include <stdexcept>

namespace momap::testing {

std::string npy_file(const std::string& header, const std::string& data, int major) {
  const size_t length_bytes = major == 1 ? 2 : 4;
  std::string text = header;
  while ((8 + length_bytes + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  std::string file = "\x93NUMPY";
  file += static_cast<char>(major);
  file += '\0';
  for (size_t i = 0; i < length_bytes; ++i) file += static_cast<char>(text.size() >> 8 * i & 255);
  return file + text + data;
}

std::string npy_file(const std::string& descr, const std::vector<int64_t>& shape,
                     const std::string& data) {
  std::string sizes;
  for (const int64_t size : shape) sizes += fmt::format("{}, ", size);
  if (shape.size() > 1) sizes.resize(sizes.size() - 2);
  return npy_file(
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, sizes),
      data);
}

void write_zip(const std::filesystem::path& path, const std::map<std::string, std::string>& members,
               const ZipOptions& options) {
  int code = 0;
  zip_t* zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (!zip) throw std::runtime_error(fmt::format("{}: zip error {}", path.string(), code));
  for (const auto& [name, content] : members) {
    zip_source_t* source = zip_source_buffer(zip, content.data(), content.size(), 0);
    const zip_int64_t index = zip_file_add(zip, name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) throw std::runtime_error(fmt::format("{}: {}", name, zip_strerror(zip)));
    const auto place = static_cast<zip_uint64_t>(index);
    zip_set_file_compression(zip, place, options.deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 9);
    if (!options.password.empty()) {
      zip_file_set_encryption(zip, place, ZIP_EM_AES_256, options.password.c_str());
    }
  }
  if (zip_close(zip) != 0) throw std::runtime_error(zip_strerror(zip));
}

}  // namespace momap::testing
