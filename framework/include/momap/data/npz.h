// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/npy.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace momap {

/// A NumPy .npz file (`numpy.savez`, `numpy.savez_compressed`): named arrays in a zip file, zip64
/// too. Reads as `read_npy` does and checks the CRC of what it reads. All members throw ConfigError
/// with file, array, expected and found. Not for several threads at once.
class NpzFile {
 public:
  /// Opens the file and checks its directory; reads no array. No array may take more than
  /// `limit_bytes`.
  explicit NpzFile(const std::filesystem::path& path, uint64_t limit_bytes = kLargestNumpyArray);
  ~NpzFile();
  NpzFile(NpzFile&&) noexcept;
  NpzFile& operator=(NpzFile&&) noexcept;

  /// Names of the arrays (without ".npy"), sorted.
  std::vector<std::string> names() const;
  bool contains(const std::string& name) const;

  at::Tensor read(const std::string& name);

  /// Entries [begin, end) of the first axis, for arrays that are larger than memory. Memory is that
  /// of the result, and of the whole for an array in Fortran order; what lies before is read over.
  at::Tensor read_rows(const std::string& name, int64_t begin, int64_t end);

  /// The array's shape; fixed bytes as `read` gives them. Reads the array's header only.
  std::vector<int64_t> shape(const std::string& name);

 private:
  class Archive;
  std::unique_ptr<Archive> archive_;
};

/// Writes tensors and texts (as fixed bytes, NumPy's 'S') as an .npz file that `numpy.load` reads,
/// stored without compression; aside, synced and renamed. Tensors of bool, u8, i8, i16, i32, i64,
/// f16, f32, f64. The same content gives the same bytes.
void write_npz(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors,
               const std::map<std::string, std::string>& texts = {});

}  // namespace momap
