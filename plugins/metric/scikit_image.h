// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <momap/base/files.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

// An independent implementation to compare with, where it is installed. For tests.

namespace momap::metric::testing {

// The interpreter that Debian's packages are for; the first of the path may be another.
#define MOMAP_PYTHON "/usr/bin/python3"

inline constexpr const char* kNoScikitImage =
    MOMAP_PYTHON " has no skimage (Debian: python3-skimage), so there is nothing to compare with";

struct ScikitImageScores {
  double ssim = 0, psnr = 0;
};

/// Of two pictures u8 [H, W, 3]; none where scikit-image is not installed.
inline std::optional<ScikitImageScores> scikit_image_scores(const at::Tensor& a,
                                                            const at::Tensor& b) {
  if (std::system(MOMAP_PYTHON " -c 'import skimage.metrics' >/dev/null 2>&1") != 0)
    return std::nullopt;
  const TemporaryFolder folder("momap-skimage");
  const auto write = [&](const char* name, const at::Tensor& picture) {
    const at::Tensor dense = picture.contiguous();
    write_file(folder.path() / name,
               std::string(static_cast<const char*>(dense.data_ptr()), dense.nbytes()));
  };
  write("a", a);
  write("b", b);
  const std::string at = folder.path().string();
  const std::string command =
      fmt::format(MOMAP_PYTHON
                  " '{0}/tests/support/scikit_image_scores.py' {1} {2} '{3}/a' '{3}/b' "
                  ">'{3}/scores'",
                  MOMAP_SOURCE_DIR, a.size(0), a.size(1), at);
  ScikitImageScores scores;
  const bool ran = std::system(command.c_str()) == 0;
  const std::string text = ran ? read_file(folder.path() / "scores") : "";
  if (std::sscanf(text.c_str(), "%lf %lf", &scores.ssim, &scores.psnr) != 2) {
    throw std::runtime_error("scikit_image_scores.py failed: " + command);
  }
  return scores;
}

}  // namespace momap::metric::testing
