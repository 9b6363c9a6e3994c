// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/store/codec.h>

#include <string>
#include <vector>

#include "block_coder.h"

namespace momap {

/// What stands at the start of every encoded tensor.
struct EncodedHeader {
  enum class Method : uint8_t { lossless = 1, lossy = 2 };

  Method method = Method::lossless;
  at::ScalarType type = at::kFloat;
  std::vector<int64_t> sizes;
};

void put_header(const EncodedHeader& header, EncodedTensor& out);

/// Throws ConfigError for another format, or a result of more than `most_bytes`.
EncodedHeader get_header(ByteReader& in, uint64_t most_bytes);

/// The rest of a lossy tensor (`encode_lossy`), into xyz f32 [T, H, W, 3].
void decode_lossy(ByteReader& in, at::Tensor& xyz);

}  // namespace momap
