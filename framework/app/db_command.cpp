// SPDX-License-Identifier: Apache-2.0
#include "db_command.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/data/archive.h>
#include <momap/data/npz.h>
#include <momap/data/tensor_file.h>
#include <momap/run/threads.h>
#include <momap/store/database.h>
#include <momap/store/merge.h>
#include <momap/store/verify.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>

#include "db_report.h"
#include "db_totals.h"
#include "interrupt.h"
#include "progress_line.h"

namespace momap {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// A progress line over samples; may be called from any thread.
class SampleProgress {
 public:
  explicit SampleProgress(bool quiet) : line_(quiet) {}

  void show(int64_t done, int64_t all) {
    const std::scoped_lock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (now - shown_ < std::chrono::milliseconds(500)) return;
    shown_ = now;
    const std::chrono::duration<double> seconds = now - start_;
    line_.show(static_cast<double>(done), static_cast<double>(all), seconds.count(), "samples");
  }

 private:
  std::mutex mutex_;
  ProgressLine line_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now(), shown_{};
};

json to_json(const DatabaseTotals& totals, const std::map<std::string, int64_t>& drops) {
  json quality = json::object();
  for (const auto& [name, range] : totals.quality) {
    quality[name] = {{"least", range.least},
                     {"mean", range.mean()},
                     {"most", range.most},
                     {"samples", range.count}};
  }
  return {{"samples", totals.samples},
          {"shards", totals.shards.size()},
          {"bytes", totals.bytes},
          {"motion_map_bytes_f32", totals.plain_bytes},
          {"seconds_of_video", totals.seconds},
          {"with_caption", totals.captions},
          {"rmse_bound_m", totals.rmse_bound_m},
          {"splits", totals.splits},
          {"codecs", totals.codecs},
          {"sizes", totals.sizes},
          {"provenances", totals.provenances},
          {"quality", quality},
          {"dropped", drops}};
}

// "<folder>/<id>.<format>"; ids come from files and cannot lead out of the folder.
fs::path export_path(const fs::path& folder, const std::string& id, const std::string& format) {
  std::string name = id;
  for (char& c : name) {
    if (c == '/') c = '_';
  }
  return folder / (name + "." + format);
}

}  // namespace

int db_info_command(const Options& options) {
  const Database database(options.database);
  DatabaseTotals totals;
  database.for_each([&](const Entry& entry) { totals.add(entry); });
  const auto drops = database.drops_by_reason();
  if (options.json) {
    fmt::print("{}\n", to_json(totals, drops).dump(2, ' ', false, json::error_handler_t::replace));
    return kExitOk;
  }
  fmt::print("samples    {} in {} shards, {}\n", totals.samples, totals.shards.size(),
             human_bytes(static_cast<double>(totals.bytes)));
  fmt::print("maps       {} as plain f32; stored error at most {:.3g} m rms\n",
             human_bytes(totals.plain_bytes), totals.rmse_bound_m);
  fmt::print("sizes      {}\n", counted(totals.sizes));
  fmt::print("codecs     {}\n", counted(totals.codecs));
  fmt::print("splits     {}\n", counted(totals.splits));
  fmt::print("captions   {}\nvideo      {:.1f} s\n", totals.captions, totals.seconds);
  for (const auto& [name, range] : totals.quality) {
    fmt::print("{:<24} {:.4g} to {:.4g}, mean {:.4g}\n", name, range.least, range.most,
               range.mean());
  }
  if (!drops.empty()) fmt::print("dropped    {}\n", counted(drops));
  return kExitOk;
}

int db_verify_command(const Options& options) {
  const ThreadBudget budget(options.threads);
  SampleProgress progress(options.quiet || options.json);
  VerifyOptions verify;
  verify.cancelled = interrupted;
  verify.progress = [&](int64_t done, int64_t all) { progress.show(done, all); };
  const VerifyResult result = verify_database(options.database, verify);
  if (options.json) {
    json damage = json::array();
    for (const auto& item : result.damage) {
      damage.push_back({{"file", item.file}, {"what", item.what}});
    }
    fmt::print("{}\n", json{{"samples", result.samples},
                            {"bytes", result.bytes},
                            {"sealed", result.sealed},
                            {"damage", damage}}
                           .dump(2, ' ', false, json::error_handler_t::replace));
  } else {
    for (const auto& item : result.damage) fmt::print("{}: {}\n", item.file, item.what);
    fmt::print(
        "{} samples, {}: {}\n", result.samples, human_bytes(static_cast<double>(result.bytes)),
        result.damage.empty() ? "sound" : fmt::format("{} damages found", result.damage.size()));
    if (!result.sealed) {
      fmt::print(
          "the catalogue is not sealed (a writer is at work or was stopped): its rows were "
          "checked, "
          "but not every byte of its file; let `momap db build` finish\n");
    }
  }
  return result.damage.empty() ? kExitOk : kExitData;
}

int db_merge_command(const Options& options) {
  SampleProgress progress(options.quiet);
  const std::vector<fs::path> parts(options.inputs.begin(), options.inputs.end());
  const MergeResult result =
      merge_databases(parts, options.output, interrupted,
                      [&](int64_t done, int64_t all) { progress.show(done, all); });
  const fs::path report = write_database_report(options.output);
  if (!options.quiet) {
    fmt::print("{} samples added to {}, {} were there\n{}\n", result.added,
               printable(options.output), result.already_there, shown(report));
  }
  return kExitOk;
}

int db_export_command(const Options& options) {
  const Database database(options.database);
  const int64_t all = database.size();
  const int64_t count = options.samples > 0 ? std::min(options.samples, all) : all;
  SampleProgress progress(options.quiet);
  for (int64_t i = 0; i < count; ++i) {
    if (interrupted()) throw Cancelled();
    const Entry entry = database.entry(i);
    const TensorFile sample = to_archive(database.read(entry));
    const fs::path path = export_path(options.output, entry.id, options.export_format);
    if (options.export_format == "npz") {
      write_npz(path, sample.tensors, sample.metadata);
    } else {
      write_safetensors(path, sample);
    }
    progress.show(i + 1, count);
  }
  if (!options.quiet) fmt::print("{} samples in {}\n", count, printable(options.output));
  return kExitOk;
}

}  // namespace momap
