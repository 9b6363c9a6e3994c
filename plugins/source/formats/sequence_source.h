// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/params/params.h>
#include <momap/stage/source.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

namespace momap::formats {

/// Consecutive frames of one scene: numbers `first` to `first + count - 1`.
struct Sequence {
  std::string name;  // in messages and sample names: "alley_1"
  int64_t first = 0;
  int64_t count = 0;
};

/// Parameters of every source that cuts sequences into clips.
struct SequenceParams {
  std::string path;
  std::string sequence;
  int frames = 24;
  int stride = 1;
  int hop = 0;

  static auto schema() {
    return std::tuple{
        param("path", &SequenceParams::path, "Folder of the data set.").required(),
        param("sequence", &SequenceParams::sequence, "Read this sequence only; empty = all."),
        param("frames", &SequenceParams::frames,
              "Frames of a clip, T; shorter sequences give no clip. 0 = one clip for each whole "
              "sequence.")
            .between(0, 4096),
        param("stride", &SequenceParams::stride, "Use every n-th frame.").between(1, 10000),
        param("hop", &SequenceParams::hop,
              "Frames from the start of one clip to the next; 0 = frames x stride (no overlap).")
            .unit("frames")
            .at_least(0),
    };
  }
};

/// The frames that make one clip.
struct ClipFrames {
  const Sequence& sequence;
  std::vector<int64_t> numbers;  // of its frames, ascending
  int64_t stride = 1;

  int64_t length() const { return static_cast<int64_t>(numbers.size()); }
};

/// A source of clips cut from sequences in a folder. Keeps one entry for each sequence and nothing
/// for each frame. Derived classes say what there is and read one clip.
class SequenceSource : public Source {
 public:
  int64_t size() final;
  Clip sample(int64_t i, const Context& context) final;
  std::string name(int64_t i) final;
  std::string fingerprint(int64_t i) final;

 protected:
  explicit SequenceSource(const SequenceParams& params);

  const std::filesystem::path& root() const { return root_; }

  /// Frames a sequence needs for one clip.
  int64_t shortest() const { return frames_ == 0 ? 1 : (frames_ - 1) * stride_ + 1; }

  /// All sequences in a fixed order. Called once, when `root()` is known to be a folder.
  virtual std::vector<Sequence> sequences() const = 0;

  /// What a folder should hold, for the message when there is no sequence.
  virtual std::string layout() const = 0;

  /// Every file that `read` opens for this clip: their contents identify the sample. Files that do
  /// not exist count as absent.
  virtual std::vector<std::filesystem::path> files(const ClipFrames& clip) const = 0;

  /// May be called by several threads at once.
  virtual Clip read(const ClipFrames& clip, const Context& context) const = 0;

 private:
  struct Place {
    const Sequence* sequence;
    int64_t clip;  // within the sequence
  };
  void index();
  int64_t clips_of(const Sequence& sequence) const;
  Place place_of(int64_t i);
  ClipFrames frames_of(const Place& place) const;
  int64_t first_of(const Place& place) const;

  std::filesystem::path root_;
  std::string only_;
  int64_t frames_, stride_, hop_;
  std::once_flag indexed_;
  std::vector<Sequence> sequences_;
  std::vector<int64_t> clips_before_;  // for each sequence and, last, in all
};

}  // namespace momap::formats
