// SPDX-License-Identifier: Apache-2.0
#include "picture_folder.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <unistd.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace momap::video_output {
namespace {

namespace fs = std::filesystem;

/// A folder beside its final place, which is removed unless it is renamed.
class Aside {
 public:
  explicit Aside(const fs::path& folder) : path_(folder) {
    path_ += fmt::format(".tmp-{}", ::getpid());
    fs::create_directories(path_);
  }
  ~Aside() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

void write_pictures(const Video& video, const fs::path& folder) {
  try {
    if (fs::exists(folder)) {
      throw ConfigError(
          fmt::format("{}: exists already; remove it or write elsewhere", shown(folder)));
    }
    const Aside aside(folder);
    for (int64_t t = 0; t < video.frames; ++t) {
      cv::Mat bgr;
      cv::cvtColor(video.frame(t), bgr, cv::COLOR_RGB2BGR);
      std::vector<uchar> png;
      cv::imencode(".png", bgr, png);
      write_file(aside.path() / fmt::format("{:05}.png", t),
                 {reinterpret_cast<const char*>(png.data()), png.size()});
    }
    fs::rename(aside.path(), folder);
  } catch (const fs::filesystem_error& error) {
    throw ConfigError(fmt::format("{}: cannot be written: {}", shown(folder), error.what()));
  }
}

}  // namespace momap::video_output
