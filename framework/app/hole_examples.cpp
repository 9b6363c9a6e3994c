// SPDX-License-Identifier: Apache-2.0
#include "hole_examples.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/data/archive.h>
#include <oneapi/tbb/task_arena.h>

#include <optional>

namespace momap {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKey = "training.key";

// What of a clip its holes are compared with.
Clip frames_of(const Clip& clip, int64_t length) {
  if (clip.length() < length) {
    throw DataError(
        fmt::format("the true clip has {} frames, the one with holes {}", clip.length(), length));
  }
  Clip frames;
  frames.frames = clip.frames.narrow(0, 0, length).contiguous();
  frames.fps = clip.fps;
  return frames;
}

void write(const fs::path& path, const Datum& datum, const std::string& key) {
  TensorFile file = to_archive(datum);
  file.metadata[kKey] = key;
  write_safetensors(path, file);
}

// Nothing when the file is absent, damaged or of another graph.
std::optional<Datum> read(const fs::path& path, const std::string& key) {
  if (!fs::exists(path)) return {};
  try {
    TensorFile file = read_safetensors(path);
    const auto found = file.metadata.find(kKey);
    if (found == file.metadata.end() || found->second != key) return {};
    file.metadata.erase(found);
    return from_archive(file);
  } catch (const ConfigError&) {
    return {};
  } catch (const DataError&) {
    return {};
  }
}

}  // namespace

HoleExamples::HoleExamples(const Graph& graph, const std::vector<std::pair<size_t, size_t>>& pairs,
                           fs::path folder, const std::function<bool()>* cancelled)
    : folder_(std::move(folder)), cancelled_(cancelled) {
  for (const auto& [partial, truth] : pairs) {
    sources_.push_back(std::make_unique<SingleSamples>(graph, std::vector<size_t>{partial, truth}));
  }
  fs::create_directories(folder_);
}

HoleExample HoleExamples::example(int64_t i) const {
  const auto kinds = static_cast<int64_t>(sources_.size());
  const int64_t kind = i % kinds, sample = i / kinds;
  const SingleSamples& source = *sources_[static_cast<size_t>(kind)];
  const auto path = [&](const char* part) {
    return folder_ / fmt::format("{:08}.{}.{}.safetensors", sample, kind, part);
  };
  // Isolated: whoever waits for a file to be made must not begin another one meanwhile.
  return tbb::this_task_arena::isolate([&]() -> HoleExample {
    const std::lock_guard lock(making_[static_cast<size_t>(i) % making_.size()]);
    const std::string key = source.key(sample);
    auto partial = read(path("partial"), key), truth = read(path("truth"), key);
    if (!partial || !truth) {
      const auto data = source.compute(sample, 1, cancelled_).front();
      const auto& with_holes = std::get<PartialClip>(data[0].at(0));
      partial = with_holes;
      truth = frames_of(std::get<Clip>(data[1].at(0)), with_holes.frames.size(0));
      write(path("partial"), *partial, key);
      write(path("truth"), *truth, key);
    }
    return {std::get<PartialClip>(std::move(*partial)), std::get<Clip>(std::move(*truth))};
  });
}

}  // namespace momap
