// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/stage/completer.h>
#include <momap/train/lesson.h>

namespace momap {

/// A clip with holes, and what is truly seen in them.
struct HoleExample {
  PartialClip partial;
  Clip truth;  ///< of the same size
};

/// Examples read on demand; sizes may differ between them.
class HoleSet {
 public:
  virtual ~HoleSet() = default;
  virtual int64_t size() const = 0;

  /// Example i in [0, size()), always the same. Called from several threads at once. Throws
  /// DataError for one that cannot be used.
  virtual HoleExample example(int64_t i) const = 0;
};

/// Teaches a completer on which `begin_training` was called to fill holes.
class CompletingLesson final : public Lesson {
 public:
  CompletingLesson(const Completer& completer, const HoleSet& set)
      : completer_(completer), set_(set) {}

  int64_t size() const override { return set_.size(); }
  std::vector<std::pair<std::string, at::Tensor>> parameters() const override {
    return completer_.parameters();
  }
  at::Tensor loss(const std::vector<Slot>& slots, const SkipExample& skip) const override;
  void save(const std::filesystem::path& path,
            const std::vector<std::pair<std::string, at::Tensor>>& averaged,
            const std::string& card) const override {
    completer_.save(path, averaged, card);
  }

 private:
  const Completer& completer_;
  const HoleSet& set_;
};

}  // namespace momap
