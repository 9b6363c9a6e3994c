// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/store/database.h>
#include <momap/store/merge.h>
#include <momap/store/writer.h>

#include <optional>

namespace momap {
namespace {

namespace fs = std::filesystem;

class Merge {
 public:
  Merge(const fs::path& into, const std::function<bool()>& cancelled)
      : writer_(into, {}), target_(into), cancelled_(cancelled) {}

  void add(const Database& part, const std::function<void()>& step) {
    part.for_each([&](const Entry& entry) {
      if (cancelled_ && cancelled_()) throw Cancelled();
      add(part, entry);
      step();
    });
    part.for_each_drop([&](const Drop& drop) {
      if (!writer_.knows(drop.id)) writer_.add(drop);
    });
  }

  MergeResult finish() {
    target_.reset();  // a reader would be in the way of sealing the catalogue
    writer_.finish();
    return result_;
  }

 private:
  void add(const Database& part, const Entry& entry) {
    if (const auto there = target_->find(entry.id)) {
      if (there->checksum != entry.checksum) {
        throw ConfigError(fmt::format(
            "sample '{}' of {} differs from the one of that id from elsewhere (checksum {} and "
            "{}); build the parts with ids that differ",
            printable(entry.id), shown(part.folder()), entry.checksum, there->checksum));
      }
      ++result_.already_there;
      return;
    }
    writer_.append_packed(part.packed(entry).bytes, entry, part.provenance(entry.provenance));
    ++result_.added;
  }

  DatabaseWriter writer_;
  std::optional<Database> target_;
  const std::function<bool()>& cancelled_;
  MergeResult result_;
};

}  // namespace

MergeResult merge_databases(const std::vector<fs::path>& parts, const fs::path& into,
                            const std::function<bool()>& cancelled,
                            const std::function<void(int64_t, int64_t)>& progress) {
  int64_t all = 0, done = 0;
  for (const auto& folder : parts) {
    std::error_code error;
    if (fs::equivalent(folder, into, error)) {
      throw ConfigError(
          fmt::format("{}: is among the parts and the target of the merge; merge "
                      "into another folder",
                      shown(folder)));
    }
    all += Database(folder).size();
  }
  Merge merge(into, cancelled);
  for (const auto& folder : parts) {
    merge.add(Database(folder), [&] {
      if (progress) progress(++done, all);
    });
  }
  return merge.finish();
}

}  // namespace momap
