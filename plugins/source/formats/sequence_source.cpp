// SPDX-License-Identifier: Apache-2.0
#include "sequence_source.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>

#include <algorithm>

#include "files.h"

namespace momap::formats {

SequenceSource::SequenceSource(const SequenceParams& params)
    : root_(params.path),
      only_(params.sequence),
      frames_(params.frames),
      stride_(params.stride),
      hop_(params.hop > 0 ? params.hop : frames_ * stride_) {}

int64_t SequenceSource::clips_of(const Sequence& sequence) const {
  if (frames_ == 0) return sequence.count > 0 ? 1 : 0;
  const int64_t spare = sequence.count - 1 - (frames_ - 1) * stride_;
  return spare < 0 ? 0 : spare / hop_ + 1;
}

void SequenceSource::index() {
  std::call_once(indexed_, [this] {
    require_folder(root_, "path");
    auto found = sequences();
    if (found.empty()) {
      throw DataError(
          fmt::format("{}: no sequence was found; expected {}", shown(root_), layout()));
    }
    if (!only_.empty()) {
      std::vector<std::string> names;
      for (const auto& sequence : found) names.push_back(sequence.name);
      std::erase_if(found, [&](const Sequence& sequence) { return sequence.name != only_; });
      if (found.empty()) {
        throw ConfigError(fmt::format("sequence = '{}': {} has no such sequence{}",
                                      printable(only_), shown(root_), suggestion(only_, names)));
      }
    }
    std::vector<int64_t> before{0};
    for (const auto& sequence : found) before.push_back(before.back() + clips_of(sequence));
    if (before.back() == 0) {
      const auto longest = std::ranges::max_element(found, {}, &Sequence::count);
      throw DataError(fmt::format(
          "{}: the longest sequence, '{}', has {} frames, but frames = {} with stride = {} needs "
          "{}; lower one of them",
          shown(root_), longest->name, longest->count, frames_, stride_,
          (frames_ - 1) * stride_ + 1));
    }
    sequences_ = std::move(found);
    clips_before_ = std::move(before);
  });
}

SequenceSource::Place SequenceSource::place_of(int64_t i) {
  index();
  if (i < 0 || i >= clips_before_.back()) {
    throw DataError(fmt::format("{}: clip {} does not exist; there are {}", shown(root_), i,
                                clips_before_.back()));
  }
  const auto after = std::ranges::upper_bound(clips_before_, i);
  const auto s = static_cast<size_t>(after - clips_before_.begin() - 1);
  return {&sequences_[s], i - clips_before_[s]};
}

int64_t SequenceSource::first_of(const Place& place) const {
  return place.sequence->first + place.clip * hop_;
}

ClipFrames SequenceSource::frames_of(const Place& place) const {
  ClipFrames clip{*place.sequence, {}, stride_};
  const int64_t first = first_of(place);
  const int64_t count = frames_ > 0 ? frames_ : (place.sequence->count - 1) / stride_ + 1;
  for (int64_t k = 0; k < count; ++k) clip.numbers.push_back(first + k * stride_);
  return clip;
}

int64_t SequenceSource::size() {
  index();
  return clips_before_.back();
}

Clip SequenceSource::sample(int64_t i, const Context& context) {
  return read(frames_of(place_of(i)), context);
}

std::string SequenceSource::name(int64_t i) {
  const Place place = place_of(i);
  std::string name = place.sequence->name;
  for (char& c : name) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!plain && c != '-' && c != '_' && c != '.') c = '_';
  }
  return fmt::format("{}_{:06d}", name, first_of(place));
}

std::string SequenceSource::fingerprint(int64_t i) {
  const ClipFrames clip = frames_of(place_of(i));
  std::string all = fmt::format("{} {}", clip.sequence.name, fmt::join(clip.numbers, " "));
  for (const auto& file : files(clip)) {
    std::error_code error;
    const bool there = std::filesystem::is_regular_file(file, error);
    all += fmt::format("\n{}", there ? file_hash(file) : "absent");
  }
  return content_hash(all);
}

}  // namespace momap::formats
