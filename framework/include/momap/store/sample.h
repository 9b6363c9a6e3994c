// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/data/mapped_file.h>
#include <momap/data/tensor_file.h>
#include <momap/params/params.h>
#include <momap/store/codec.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace momap {

/// How the tensors of a sample are kept.
struct StorageOptions {
  std::string codec = "lossless";
  std::string precision = "f32";
  double max_rmse_m = 0.001;

  static auto schema() {
    return std::tuple{
        param("codec", &StorageOptions::codec,
              "raw: plain tensors, read where they are mapped. lossless: smaller, the same bits. "
              "lossy: motion maps much smaller, within max_rmse_m.")
            .one_of({"raw", "lossless", "lossy"}),
        param("precision", &StorageOptions::precision,
              "Floats of motion maps for raw and lossless; f16 rounds to 11 bits.")
            .one_of({"f32", "f16"}),
        param("max_rmse_m", &StorageOptions::max_rmse_m,
              "What lossy maps may be off by: root mean square distance of the valid points of a "
              "sample.")
            .unit("m")
            .above(0),
    };
  }
};

/// A clip as the bytes of one sample: a safetensors file of its own, a multiple of 8 bytes long.
struct PackedSample {
  std::vector<std::byte> bytes;
  std::string codec;        ///< in words, for the catalogue
  double rmse_bound_m = 0;  ///< over the motion maps of `truth`
  MapError error;           ///< measured, of the worst map
};

/// Throws DataError when a map cannot be kept as asked.
PackedSample pack_sample(const Clip& clip, const StorageOptions& options);

/// The clip again. Plain tensors are views into the file and keep it mapped. Throws ConfigError
/// that begins with `owner` for damaged bytes.
Clip unpack_sample(const std::shared_ptr<MappedFile>& file, uint64_t offset, uint64_t size,
                   const std::string& owner, ValueCheck values = ValueCheck::all);

}  // namespace momap
