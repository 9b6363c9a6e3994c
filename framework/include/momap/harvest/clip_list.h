// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/harvest/scan.h>
#include <momap/stage/source.h>
#include <momap/store/entry.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace momap {

/// A video that clips are taken from.
struct Video {
  std::filesystem::path path;
  std::string id;       ///< unique in the list; begins the ids of its clips
  std::string caption;  ///< "" = none
};

/// The videos that paths name: video files, folders (searched to the bottom), .txt lists (a path a
/// line) and .jsonl lists ({"path": ..., "caption": ...} a line), in a fixed order. Throws
/// ConfigError for a path that does not exist.
std::vector<Video> list_videos(const std::vector<std::string>& paths);

struct HarvestResult {
  int64_t videos = 0;
  int64_t shots = 0;
  int64_t clips = 0;  ///< in the list
  std::vector<Drop> drops;
};

struct HarvestCallbacks {
  /// A source of one-frame clips of a video, at most about 160 px wide.
  std::function<std::shared_ptr<Source>(const Video&)> open;
  std::function<bool()> cancelled;
  std::function<void(int64_t done, int64_t all)> progress;  ///< videos
  bool keep_going = false;  ///< a video that cannot be read is dropped, not the end
};

/// Cuts videos into clips: finds shots, drops clips without motion and near-duplicates, and writes
/// what is left as a list for `source/clips`. Videos are scanned in parallel; what was found in
/// each is kept in `folder`, so that a second call goes on where the first was stopped.
HarvestResult harvest(const std::vector<Video>& videos, const ScanOptions& options,
                      const std::filesystem::path& folder, const std::filesystem::path& list,
                      const HarvestCallbacks& callbacks);

}  // namespace momap
