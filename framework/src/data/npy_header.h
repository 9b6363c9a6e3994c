// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace momap {

struct NpyHeader {
  std::string descr;  // "<f4"
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

class BadNpyHeader : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Parses "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }": these three keys and no
/// other. Throws BadNpyHeader.
NpyHeader parse_npy_header(std::string_view text);

}  // namespace momap
