// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/condition.h>
#include <momap/stage/backbone.h>

#include <string>
#include <vector>

namespace denoiser {

/// Red, green, blue (-1 to 1), x/z, y/z, log z minus its median, share of known depth, share of
/// segment edges.
inline constexpr int64_t kConditionChannels = 8;
inline constexpr int64_t kVocabulary = 1024;
inline constexpr int64_t kMaxTokens = 16;

/// A prompt as numbers in [1, kVocabulary): text is split at everything but letters, lowercased
/// (ASCII; letters beyond ASCII are kept as they are), and each word hashed (FNV-1a, 64 bit). The
/// first `limit` words count.
std::vector<int64_t> tokenize(const std::string& text, int64_t limit = kMaxTokens);

/// The condition on a grid of ceil(H / stride) x ceil(W / stride) cells, each the mean over its
/// pixels, points over those of known depth. With `detail` > 1, a divisor of stride, each cell is
/// parted into detail x detail, whose values are stacked as channels c detail^2 + y detail + x
/// (parts beyond the image are zero). Throws DataError for contradicting sizes.
momap::Conditioning make_conditioning(const momap::Condition& condition, int64_t stride,
                                      int64_t detail = 1, int64_t tokens = kMaxTokens);

}  // namespace denoiser
