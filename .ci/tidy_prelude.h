// SPDX-License-Identifier: Apache-2.0
// Read before every file that clang-tidy looks at: Clang 14 to 16 instantiate a constexpr
// std::vector of an incomplete type too early, which LibTorch 1.13's headers have (c10::IValue).
// GCC, which builds MoMap, does not. So std::vector, and only that, is declared here without
// constexpr (and one helper renamed, whose declaration is constexpr already).
#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <variant>
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#define __fill_a1 __fill_a1_of_bits
#include <vector>
#undef __fill_a1
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR constexpr
