// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/harvest/clip_list.h>
#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace momap {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr size_t kBatch = 64;  // videos whose findings are in memory at once

const std::set<std::string> kVideoEndings{".avi", ".mkv",  ".mov", ".mp4",
                                          ".mpg", ".mpeg", ".m4v", ".webm"};

// Adds what one path names.
void add_path(const fs::path& path, const std::string& caption, std::vector<Video>& out) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      std::string ending = entry.path().extension().string();
      std::ranges::transform(ending, ending.begin(),
                             [](unsigned char c) { return std::tolower(c); });
      if (entry.is_regular_file() && kVideoEndings.contains(ending)) found.push_back(entry.path());
    }
    std::ranges::sort(found);
    for (auto& file : found) out.push_back({.path = std::move(file), .id = "", .caption = ""});
    return;
  }
  check_exists(path, shown(path));
  const auto ending = path.extension();
  if (ending != ".txt" && ending != ".jsonl") {
    out.push_back({.path = path, .id = "", .caption = caption});
    return;
  }
  std::istringstream lines(read_file(path, uint64_t{1} << 30));
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
    if (line.empty()) continue;
    if (ending == ".txt") {
      add_path(path.parent_path() / line, "", out);
      continue;
    }
    try {
      const json entry = json::parse(line);
      add_path(path.parent_path() / entry.at("path").get<std::string>(), entry.value("caption", ""),
               out);
    } catch (const json::exception& problem) {
      throw ConfigError(fmt::format("{}:{}: expected {{\"path\": ..., \"caption\": ...}}: {}",
                                    shown(path), number, printable(problem.what())));
    }
  }
}

std::string plain_stem(const fs::path& path) {
  std::string stem = path.stem().string();
  for (char& c : stem) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.') c = '_';
  }
  return stem.empty() ? "video" : stem;
}

// What was found in one video, as it is kept between calls.
struct Findings {
  int64_t shots = 1;
  std::vector<Candidate> candidates;
  std::string failure;  // "" = it could be read
};

json to_json(const Findings& findings) {
  json list = json::array();
  for (const auto& c : findings.candidates) {
    list.push_back({c.first, c.shot, c.motion, c.signature, c.drop});
  }
  return {{"shots", findings.shots}, {"candidates", list}};
}

Findings from_json(const json& value) {
  Findings findings;
  findings.shots = value.at("shots");
  for (const auto& c : value.at("candidates")) {
    findings.candidates.push_back({.first = c.at(0),
                                   .shot = c.at(1),
                                   .motion = c.at(2),
                                   .signature = c.at(3).get<Signature>(),
                                   .drop = c.at(4)});
  }
  return findings;
}

Findings scan(const Video& video, const ScanOptions& options, const HarvestCallbacks& callbacks) {
  const auto source = callbacks.open(video);
  const int64_t frames = source->size();
  VideoScan scan(options);
  Context context;
  context.cancelled = callbacks.cancelled ? &callbacks.cancelled : nullptr;
  for (int64_t i = 0; i < frames; ++i) {
    context.check_cancelled();
    scan.add(source->sample(i, context).frames[0]);
  }
  Findings findings;
  findings.candidates = scan.finish();
  findings.shots = static_cast<int64_t>(scan.cuts().size()) + 1;
  return findings;
}

// The same for one video, from an earlier call where there is one.
Findings findings_of(const Video& video, const ScanOptions& options, const fs::path& folder,
                     const HarvestCallbacks& callbacks) {
  std::error_code error;
  const auto size = fs::file_size(video.path, error);
  const auto changed = fs::last_write_time(video.path, error).time_since_epoch().count();
  const std::string key = content_hash(fmt::format(
      "{} {} {} {} {} {} {} {} {}", video.path.string(), size, changed, options.frames,
      options.stride, options.min_motion, options.max_clips, options.cut_difference, "scan 1"));
  const fs::path kept = folder / (key + ".json");
  if (fs::exists(kept, error)) {
    try {
      return from_json(json::parse(read_file(kept)));
    } catch (const json::exception&) {
      // Damaged: looked at again.
    }
  }
  try {
    Findings findings = scan(video, options, callbacks);
    write_file(kept, to_json(findings).dump());
    return findings;
  } catch (const DataError& problem) {
    if (!callbacks.keep_going) throw;
    Findings failed;
    failed.failure = problem.what();
    return failed;
  }
}

class ListWriter {
 public:
  ListWriter(const ScanOptions& options, const fs::path& list)
      : options_(options),
        file_(list),
        folder_(fs::absolute(list).parent_path()),
        duplicates_(options.duplicate_bits) {}

  void add(const Video& video, const Findings& findings, HarvestResult& result) {
    ++result.videos;
    if (!findings.failure.empty()) {
      result.drops.push_back({.id = video.id,
                              .source = shown(video.path),
                              .reason = "failed",
                              .text = findings.failure});
      return;
    }
    result.shots += findings.shots;
    for (const auto& candidate : findings.candidates) add(video, candidate, result);
  }

  void commit() { file_.commit(); }

 private:
  void add(const Video& video, const Candidate& candidate, HarvestResult& result) {
    const std::string id = fmt::format("{}_{:06}", video.id, candidate.first);
    const std::string source = fmt::format("{}#{}", shown(video.path), candidate.first);
    if (!candidate.drop.empty()) {
      result.drops.push_back({.id = id,
                              .source = source,
                              .reason = candidate.drop,
                              .value = candidate.motion,
                              .threshold = candidate.drop == "min_motion"
                                               ? options_.min_motion
                                               : static_cast<double>(options_.max_clips),
                              .text = ""});
      return;
    }
    const int64_t twin = duplicates_.find_or_add(candidate.signature);
    if (twin >= 0) {
      result.drops.push_back({.id = id,
                              .source = source,
                              .reason = "duplicate",
                              .threshold = static_cast<double>(options_.duplicate_bits),
                              .text = "looks like " + ids_[static_cast<size_t>(twin)]});
      return;
    }
    ids_.push_back(id);
    const fs::path path = fs::absolute(video.path).lexically_proximate(folder_);
    file_.write(json{{"id", id},
                     {"video", path.string()},
                     {"first", candidate.first},
                     {"frames", options_.frames},
                     {"stride", options_.stride},
                     {"shot", candidate.shot},
                     {"motion", candidate.motion},
                     {"caption", video.caption}}
                    .dump(-1, ' ', false, json::error_handler_t::replace) +
                "\n");
    ++result.clips;
  }

  const ScanOptions& options_;
  AtomicFile file_;
  fs::path folder_;
  DuplicateIndex duplicates_;
  std::vector<std::string> ids_;
};

}  // namespace

std::vector<Video> list_videos(const std::vector<std::string>& paths) {
  std::vector<Video> videos;
  for (const auto& path : paths) add_path(path, "", videos);
  std::map<std::string, int> uses;
  for (auto& video : videos) {
    const std::string stem = plain_stem(video.path);
    const int use = ++uses[stem];
    video.id = use == 1 ? stem : fmt::format("{}-{}", stem, use);
  }
  return videos;
}

HarvestResult harvest(const std::vector<Video>& videos, const ScanOptions& options,
                      const fs::path& folder, const fs::path& list,
                      const HarvestCallbacks& callbacks) {
  HarvestResult result;
  ListWriter writer(options, list);
  std::atomic<int64_t> done{0};
  for (size_t begin = 0; begin < videos.size(); begin += kBatch) {
    const size_t count = std::min(kBatch, videos.size() - begin);
    std::vector<Findings> batch(count);
    tbb::parallel_for(size_t{0}, count, [&](size_t i) {
      batch[i] = findings_of(videos[begin + i], options, folder, callbacks);
      if (callbacks.progress) callbacks.progress(++done, static_cast<int64_t>(videos.size()));
    });
    for (size_t i = 0; i < count; ++i) writer.add(videos[begin + i], batch[i], result);
  }
  writer.commit();
  return result;
}

}  // namespace momap
