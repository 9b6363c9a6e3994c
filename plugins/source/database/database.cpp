// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>
#include <momap/store/database.h>

#include <memory>
#include <mutex>
#include <string>

namespace {

using momap::param;

class DatabaseSource final : public momap::Source {
 public:
  struct Params {
    std::string path;
    std::string split;
    int64_t clips = 0;

    static auto schema() {
      return std::tuple{
          param("path", &Params::path, "The database's folder (made by `momap db build`).")
              .required(),
          param("split", &Params::split, "Read only this split; empty = all samples."),
          param("clips", &Params::clips, "Stop after so many samples; 0 = all.")
              .at_least(0)
              .runtime_only(),
      };
    }
  };

  explicit DatabaseSource(Params params) : params_(std::move(params)) {}

  int64_t size() override {
    const auto& data = database();
    const int64_t all = params_.split.empty() ? data.size() : data.size(params_.split);
    return params_.clips > 0 ? std::min(all, params_.clips) : all;
  }

  momap::Clip sample(int64_t i, const momap::Context&) override {
    return database().read(entry(i));
  }

  std::string name(int64_t i) override {
    std::string id = entry(i).id;
    for (char& c : id) {
      const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!plain && c != '-' && c != '_' && c != '.') c = '_';
    }
    return id;
  }

  std::string fingerprint(int64_t i) override { return entry(i).checksum; }

 private:
  const momap::Database& database() {
    const std::scoped_lock lock(mutex_);
    if (!database_) database_ = std::make_unique<momap::Database>(params_.path);
    return *database_;
  }

  momap::Entry entry(int64_t i) {
    const auto& data = database();
    return params_.split.empty() ? data.entry(i) : data.entry(params_.split, i);
  }

  Params params_;
  std::mutex mutex_;
  std::unique_ptr<momap::Database> database_;
};

}  // namespace

MOMAP_PLUGIN(
    DatabaseSource, "source/database", 1,
    "Reads the samples of a MoMap database as clips whose truth is the stored motion map.");
