// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/params/params.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace momap {

/// Which parts of a video become clips.
struct ScanOptions {
  int64_t frames = 24;
  int64_t stride = 1;
  double min_motion = 0.0005;
  int64_t max_clips = 0;
  double cut_difference = 0.25;
  int64_t duplicate_bits = 6;

  static auto schema() {
    return std::tuple{
        param("frames", &ScanOptions::frames, "Frames of a clip, T.").between(1, 4096),
        param("stride", &ScanOptions::stride, "Use every n-th frame of a video.").between(1, 1000),
        param("min_motion", &ScanOptions::min_motion,
              "Least motion of a clip: flow beside that of the whole picture, mean over pixels and "
              "frames, in picture widths a frame.")
            .at_least(0),
        param("max_clips", &ScanOptions::max_clips,
              "At most so many clips of a video, those with most motion; 0 = all.")
            .at_least(0),
        param("cut_difference", &ScanOptions::cut_difference,
              "Least difference of the colour histograms at a cut, from 0 to 1.")
            .between(0, 1),
        param("duplicate_bits", &ScanOptions::duplicate_bits,
              "Clips whose perceptual hashes (64 bits each) differ in no more bits for the first, "
              "middle and last frame, and twice that for the motion, are the same; -1 keeps all.")
            .between(-1, 7),
    };
  }
};

/// Perceptual hashes of a clip: first, middle and last frame, where and how strongly it moves.
using Signature = std::array<uint64_t, 4>;

/// A stretch of a video that could become a clip.
struct Candidate {
  int64_t first = 0;  ///< video frame
  int64_t shot = 0;   ///< counts from 0
  double motion = 0;  ///< see ScanOptions::min_motion
  Signature signature{};
  std::string drop;  ///< the option that speaks against it; "" = none
};

/// Looks at the frames of one video, one after the other, and keeps only the last few: shots, and
/// in each shot clips that follow each other without overlap. Frames are small (about 160 px wide).
class VideoScan {
 public:
  explicit VideoScan(const ScanOptions& options);
  ~VideoScan();
  VideoScan(const VideoScan&) = delete;
  VideoScan& operator=(const VideoScan&) = delete;

  void add(const at::Tensor& frame);  ///< u8 [H, W, 3], RGB; all of one size

  /// After the last frame: all candidates in order, those that fall to `min_motion` or `max_clips`
  /// marked.
  std::vector<Candidate> finish();

  const std::vector<int64_t>& cuts() const;  ///< first frames of the shots after the first

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Finds near-duplicates among signatures. Two are near when the hashes of frames differ in at most
/// `bits` bits each and those of motion in twice as many; then at least one byte of the first hash
/// is equal (bits <= 7), which is what is looked up.
class DuplicateIndex {
 public:
  explicit DuplicateIndex(int64_t bits) : bits_(bits) {}

  /// Position (in order of `add`) of an earlier signature that is near; -1 = none, and it is added.
  int64_t find_or_add(const Signature& signature);

 private:
  int64_t bits_;
  std::vector<Signature> all_;
  std::array<std::vector<uint32_t>, size_t{8} * 256> by_byte_;
};

}  // namespace momap
