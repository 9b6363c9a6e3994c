// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/stage/encoding.h>
#include <momap/train/lesson.h>

namespace momap {

/// A motion map, and what is known of its scene when it is decoded.
struct MapExample {
  MoMap momap;
  Condition condition;
};

/// Examples made on demand; sizes may differ between them.
class MapSet {
 public:
  virtual ~MapSet() = default;
  virtual int64_t size() const = 0;

  /// Example i in [0, size()), always the same. Called from several threads at once. Throws
  /// DataError for one that cannot be used.
  virtual MapExample example(int64_t i) const = 0;
};

/// Teaches an encoding on which `begin_training` was called to give motion maps back.
class EncodingLesson final : public Lesson {
 public:
  EncodingLesson(const Encoding& encoding, const MapSet& set) : encoding_(encoding), set_(set) {}

  int64_t size() const override { return set_.size(); }
  std::vector<std::pair<std::string, at::Tensor>> parameters() const override {
    return encoding_.parameters();
  }
  at::Tensor loss(const std::vector<Slot>& slots, const SkipExample& skip) const override;
  void save(const std::filesystem::path& path,
            const std::vector<std::pair<std::string, at::Tensor>>& averaged,
            const std::string& card) const override {
    encoding_.save(path, averaged, card);
  }

 private:
  const Encoding& encoding_;
  const MapSet& set_;
};

}  // namespace momap
