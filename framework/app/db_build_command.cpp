// SPDX-License-Identifier: Apache-2.0
#include "db_build_command.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/harvest/clip_list.h>
#include <momap/harvest/quality.h>
#include <momap/plugin/loader.h>
#include <momap/run/process.h>
#include <momap/run/threads.h>
#include <momap/store/writer.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>

#include "database_part.h"
#include "db_build_parts.h"
#include "db_recipe.h"
#include "db_report.h"
#include "interrupt.h"
#include "progress_line.h"
#include "run_command.h"

namespace momap {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr int kScanWidth = 160;  // px

// The lines of a clip list, read in order.
class ListReader {
 public:
  explicit ListReader(const fs::path& list) : folder_(list.parent_path()), in_(list) {}

  /// Line `index`; indexes rise from call to call.
  json line(int64_t index) {
    std::string text;
    while (next_ <= index && std::getline(in_, text)) ++next_;
    const json line = json::parse(text, nullptr, false);
    return line.is_object() ? line : json::object();
  }

  std::string source(const json& line) const {
    const fs::path video = folder_ / line.value("video", "");
    return fmt::format("{}#{}", shown(video.lexically_normal()), line.value("first", int64_t{0}));
  }

 private:
  fs::path folder_;
  std::ifstream in_;
  int64_t next_ = 0;
};

at::Tensor first_of(const at::Tensor& tensor) { return tensor.narrow(0, 0, 1).contiguous(); }

// The clip as it is stored.
Clip kept_clip(const Clip& clip, const MoMap* map, const KeepOptions& options) {
  Clip kept = clip;
  if (map) kept.truth = {Future{.motion = *map, .caption = clip.caption, .actions = {}}};
  if (options.keep == "all") return kept;
  kept.frames = first_of(clip.frames);
  if (clip.depth) kept.depth = first_of(*clip.depth);
  if (clip.cam_from_world) kept.cam_from_world = first_of(*clip.cam_from_world);
  kept.covered.reset();
  kept.flow.reset();
  kept.occluded.reset();
  return kept;
}

class Build {
 public:
  Build(const Options& options, const Catalog& catalog)
      : options_(options),
        catalog_(catalog),
        folder_(options.output),
        list_(folder_ / "clips.jsonl"),
        part_(parse_part(options.shard)),
        recipe_(read_recipe(options, catalog, list_)),
        writer_(folder_, recipe_.storage,
                static_cast<uint64_t>(recipe_.keep.shard_megabytes) << 20),
        provenance_(provenance_of(recipe_)) {
    remember_recipe();
  }

  int run() {
    const ThreadBudget budget(options_.threads);
    if (recipe_.from_list) harvest_videos();
    RunOptions run = run_options(options_, budget.count(), nullptr);
    run.folder = folder_ / "files";
    run.keep = {recipe_.clip};
    if (recipe_.momap >= 0) run.keep.push_back(static_cast<size_t>(recipe_.momap));
    run.wanted = [this](int64_t index, const std::string& name) { return wanted(index, name); };
    ListReader list(list_);
    run.on_sample = [&](const SampleResult& result) { take(result, list); };
    const RunSummary summary = clips_ == 0 ? RunSummary{} : run_graph(recipe_.graph, run);
    if (summary.cancelled) throw Cancelled();
    if (failed_ > 0 && !options_.keep_going) return kExitData;
    writer_.finish();
    const fs::path report = write_database_report(folder_);
    if (!options_.quiet) {
      fmt::print("{} samples added, {} dropped, {} failed; peak memory {}\n{}\n", added_, dropped_,
                 failed_, human_bytes(static_cast<double>(peak_resident_bytes())), shown(report));
    }
    return failed_ > 0 ? kExitData : kExitOk;
  }

 private:
  // A database is made by one recipe; another would mix samples that do not go together.
  void remember_recipe() {
    const std::string hash = content_hash(provenance_ + options_.shard);
    const std::string before = writer_.setting("recipe");
    if (!before.empty() && before != hash) {
      throw ConfigError(fmt::format(
          "{}: was begun with another recipe, plugin version or --shard; use the same ones, or "
          "another folder",
          shown(folder_)));
    }
    if (before.empty()) writer_.set("recipe", hash);
  }

  void harvest_videos() {
    std::vector<Video> videos = list_videos(options_.inputs);
    if (part_.count > 1) {
      std::vector<Video> mine;
      for (size_t i = static_cast<size_t>(part_.index); i < videos.size();
           i += static_cast<size_t>(part_.count)) {
        mine.push_back(videos[i]);
      }
      videos = std::move(mine);
    }
    const PluginInfo* reader = catalog_.find("source/video");
    if (!reader) throw ConfigError("the plugin source/video is needed to look at videos");
    const auto library = PluginLibrary::open(reader->library);
    HarvestCallbacks callbacks;
    callbacks.cancelled = interrupted;
    callbacks.keep_going = options_.keep_going;
    callbacks.open = [&](const Video& video) {
      ParamValues values = default_values(reader->params);
      for (auto& [name, value] : values) {
        if (name == "path") value = video.path.string();
        if (name == "frames") value = int64_t{1};
        if (name == "width") value = int64_t{kScanWidth};
      }
      return library->make<Source>(reader->id, values);
    };
    ProgressLine line(options_.quiet);
    std::mutex mutex;
    const auto start = std::chrono::steady_clock::now();
    callbacks.progress = [&](int64_t done, int64_t all) {
      const std::scoped_lock lock(mutex);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      line.show(static_cast<double>(done), static_cast<double>(all), seconds.count(),
                "videos scanned");
    };
    const HarvestResult found = harvest(videos, recipe_.scan, folder_ / "scans", list_, callbacks);
    for (const auto& drop : found.drops) {
      if (drop.reason == "failed") {
        ++failed_;
        fmt::print(stderr, "momap: error: {}\n", drop.text);
      }
      if (!writer_.knows(drop.id)) writer_.add(drop);
    }
    clips_ = found.clips;
    if (!options_.quiet) {
      fmt::print("{} videos, {} shots, {} clips to look at ({} dropped before)\n", found.videos,
                 found.shots, found.clips, found.drops.size());
    }
  }

  bool wanted(int64_t index, const std::string& name) const {
    const bool mine = recipe_.from_list || index % part_.count == part_.index;
    return mine && !writer_.knows(name);
  }

  static const Datum& kept(const SampleResult& result, size_t step) {
    return std::ranges::find(result.kept, step, &std::pair<size_t, Data>::first)->second.at(0);
  }

  void take(const SampleResult& result, ListReader& list) {
    Entry entry;
    entry.id = result.name;
    std::string origin = result.name;  // what decides the split
    entry.source = fmt::format("{} {}", recipe_.graph.steps[0].plugin.id, result.name);
    json line = json::object();
    if (recipe_.from_list) {
      line = list.line(result.index);
      entry.source = list.source(line);
      origin = line.value("video", "");
    }
    if (!result.failed_step.empty()) {
      ++failed_;
      fmt::print(stderr, "momap: error: sample '{}', step '{}': {}\n", result.name,
                 result.failed_step, result.failure);
      if (options_.keep_going) {
        writer_.add({.id = entry.id,
                     .source = entry.source,
                     .reason = "failed",
                     .text = result.failed_step + ": " + result.failure});
      }
      return;
    }
    const auto& clip = std::get<Clip>(kept(result, recipe_.clip));
    const MoMap* map = recipe_.momap >= 0
                           ? &std::get<MoMap>(kept(result, static_cast<size_t>(recipe_.momap)))
                           : nullptr;
    if (!map && clip.truth.empty()) {
      throw ConfigError(
          fmt::format("sample '{}': the recipe's 'db' section names no 'momap', and the clip has "
                      "no true motion",
                      printable(result.name)));
    }
    entry.quality = measure_quality(clip, map ? *map : clip.truth[0].motion);
    if (line.contains("motion")) entry.quality["motion"] = line.value("motion", 0.0);
    if (const auto verdict = judge(entry.quality, recipe_.quality)) {
      ++dropped_;
      writer_.add({.id = entry.id,
                   .source = entry.source,
                   .reason = verdict->rule,
                   .value = verdict->value,
                   .threshold = verdict->threshold,
                   .text = ""});
      return;
    }
    const double draw = static_cast<double>(derived_seed(0, origin) >> 11) * 0x1p-53;
    entry.split = draw < recipe_.keep.test_share ? "test" : recipe_.keep.split;
    try {
      writer_.append(kept_clip(clip, map, recipe_.keep), entry, provenance_);
      ++added_;
    } catch (const DataError& error) {
      ++failed_;
      fmt::print(stderr, "momap: error: sample '{}': {}\n", result.name, error.what());
      if (!options_.keep_going) throw;
      writer_.add(
          {.id = entry.id, .source = entry.source, .reason = "failed", .text = error.what()});
    }
  }

  const Options& options_;
  const Catalog& catalog_;
  fs::path folder_;
  fs::path list_;
  DatabasePart part_;
  DatabaseRecipe recipe_;
  DatabaseWriter writer_;
  std::string provenance_;
  int64_t clips_ = -1;  // in the list; -1 = there is no list
  int64_t added_ = 0, dropped_ = 0, failed_ = 0;
};

}  // namespace

int db_build_command(const Options& options) {
  if (options.launcher == "slurm") return build_database_by_parts(options);
  const auto catalog = engine_catalog(options);
  return Build(options, catalog).run();
}

}  // namespace momap
