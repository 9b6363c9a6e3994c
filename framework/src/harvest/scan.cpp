// SPDX-License-Identifier: Apache-2.0
#include <momap/data/opencv.h>
#include <momap/harvest/scan.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <deque>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>

namespace momap {
namespace {

constexpr int kBins = 8;            // of a colour histogram, a channel
constexpr size_t kRecent = 12;      // frames that a cut stands out from
constexpr double kStandOut = 2.5;   // how many times their mean
constexpr double kResidual = 0.03;  // least colour difference, of 1, that flow leaves at a cut
constexpr double kFlash = 0.5;      // a difference that falls by this after a frame was a flash
constexpr int kHashSide = 32;       // px of the picture a hash is taken from
constexpr int kCells = 8;           // of a motion picture, a side

using Histogram = std::array<float, size_t{kBins} * kBins * kBins>;

Histogram histogram(const cv::Mat& rgb) {
  Histogram counts{};
  for (int y = 0; y < rgb.rows; ++y) {
    const auto* row = rgb.ptr<cv::Vec3b>(y);
    for (int x = 0; x < rgb.cols; ++x) {
      const auto bin = [&](int c) { return static_cast<size_t>(row[x][c] * kBins / 256); };
      ++counts[(bin(0) * kBins + bin(1)) * kBins + bin(2)];
    }
  }
  const auto pixels = static_cast<float>(rgb.total());
  for (auto& count : counts) count /= pixels;
  return counts;
}

// Half the L1 distance: 0 for the same colours, 1 for none in common.
double difference(const Histogram& a, const Histogram& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum / 2;
}

// The lowest frequencies of the picture against their median (the usual "pHash").
uint64_t perceptual_hash(const cv::Mat& gray) {
  cv::Mat small, frequencies;
  cv::resize(gray, small, {kHashSide, kHashSide}, 0, 0, cv::INTER_AREA);
  small.convertTo(small, CV_32F);
  cv::dct(small, frequencies);
  std::array<float, 64> low;
  for (int i = 0; i < 64; ++i) low[static_cast<size_t>(i)] = frequencies.at<float>(i / 8, i % 8);
  auto sorted = low;
  std::ranges::nth_element(sorted, sorted.begin() + 32);
  uint64_t hash = 0;
  for (size_t i = 0; i < 64; ++i) hash |= uint64_t{low[i] > sorted[32]} << i;
  return hash;
}

// Which cells of the picture move more than the median cell.
uint64_t motion_hash(const cv::Mat& energy) {
  cv::Mat cells;
  cv::resize(energy, cells, {kCells, kCells}, 0, 0, cv::INTER_AREA);
  std::vector<float> sorted(cells.begin<float>(), cells.end<float>());
  std::ranges::nth_element(sorted, sorted.begin() + 32);
  uint64_t hash = 0;
  for (int i = 0; i < 64; ++i) {
    hash |= uint64_t{cells.at<float>(i / kCells, i % kCells) > sorted[32]} << i;
  }
  return hash;
}

struct Look {
  cv::Mat rgb, gray;
  Histogram colours;
};

float median(std::vector<float>& values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

}  // namespace

struct VideoScan::Impl {
  explicit Impl(const ScanOptions& o)
      : options(o), flow(cv::DISOpticalFlow::create(cv::DISOpticalFlow::PRESET_ULTRAFAST)) {}

  ScanOptions options;
  cv::Ptr<cv::DISOpticalFlow> flow;
  int64_t seen = 0;                           // frames
  std::deque<Look> last;                      // the last two
  std::deque<double> differences, residuals;  // of the last frames without a cut
  double pending_difference = 0;              // of a cut that could still be a flash
  int64_t pending = -1;                       // its frame
  std::vector<int64_t> cuts;
  std::vector<Candidate> candidates;

  // The clip that is being filled.
  int64_t first = 0, taken = 0;
  double motion = 0;
  cv::Mat energy;
  Candidate now;

  struct Pair {
    double residual = 0;  // mean colour difference that flow does not explain, of 1
    double motion = 0;    // flow beside the picture's own, widths a frame
    cv::Mat change;       // f32, grey difference
  };

  Pair compare(const Look& look_before, const Look& look_after) const {
    const cv::Mat &before = look_before.gray, &after = look_after.gray;
    Pair pair;
    cv::absdiff(before, after, pair.change);
    pair.change.convertTo(pair.change, CV_32F, 1.0 / 255);
    if (after.cols < 16 || after.rows < 16) {
      pair.residual = cv::mean(pair.change)[0];
      pair.motion = pair.residual / after.cols;
      return pair;
    }
    cv::Mat field;
    flow->calc(before, after, field);
    std::vector<float> across, down;
    cv::Mat places(field.size(), CV_32FC2);
    for (int y = 0; y < field.rows; ++y) {
      for (int x = 0; x < field.cols; ++x) {
        const auto v = field.at<cv::Vec2f>(y, x);
        across.push_back(v[0]);
        down.push_back(v[1]);
        places.at<cv::Vec2f>(y, x) = {static_cast<float>(x) + v[0], static_cast<float>(y) + v[1]};
      }
    }
    double sum = 0;
    std::vector<float> a = across, d = down;
    const float whole_x = median(a), whole_y = median(d);
    for (size_t i = 0; i < across.size(); ++i) {
      sum += std::hypot(across[i] - whole_x, down[i] - whole_y);
    }
    pair.motion = sum / static_cast<double>(across.size()) / field.cols;
    cv::Mat moved, rest;
    cv::remap(look_after.rgb, moved, places, cv::noArray(), cv::INTER_LINEAR, cv::BORDER_REPLICATE);
    cv::absdiff(look_before.rgb, moved, rest);
    const cv::Scalar mean = cv::mean(rest);
    pair.residual = (mean[0] + mean[1] + mean[2]) / (3 * 255);
    return pair;
  }

  static bool stands_out(double value, const std::deque<double>& recent) {
    if (recent.empty()) return true;
    const double mean =
        std::accumulate(recent.begin(), recent.end(), 0.0) / static_cast<double>(recent.size());
    return value > kStandOut * mean;
  }

  static void remember(std::deque<double>& recent, double value) {
    recent.push_back(value);
    if (recent.size() > kRecent) recent.pop_front();
  }

  void begin(int64_t frame) {
    first = frame;
    taken = 0;
    motion = 0;
    energy.release();
    now = {};
  }

  // A frame of the clip in work; `pair` compares it with the one before.
  void take(int64_t frame, const Look& look, const Pair* pair) {
    if (pair && frame > first) {
      motion += pair->motion;
      if (energy.empty()) {
        energy = pair->change.clone();
      } else {
        energy += pair->change;
      }
    }
    const int64_t last_frame = (options.frames - 1) * options.stride;
    const int64_t place = frame - first;
    if (place == 0) now.signature[0] = perceptual_hash(look.gray);
    if (place == last_frame / 2) now.signature[1] = perceptual_hash(look.gray);
    if (place != last_frame) return;
    now.signature[2] = perceptual_hash(look.gray);
    if (!energy.empty()) now.signature[3] = motion_hash(energy);
    now.first = first;
    now.shot = static_cast<int64_t>(cuts.size());
    now.motion = motion / static_cast<double>(std::max<int64_t>(1, place));
    candidates.push_back(now);
    begin(frame + 1);
  }

  // Clips that reach over a cut are taken back; the frames after it start anew.
  void cut(int64_t frame) {
    cuts.push_back(frame);
    const int64_t span = (options.frames - 1) * options.stride;
    while (!candidates.empty() && candidates.back().first + span >= frame) candidates.pop_back();
  }

  void add(const cv::Mat& rgb) {
    Look look;
    look.rgb = rgb.clone();
    cv::cvtColor(rgb, look.gray, cv::COLOR_RGB2GRAY);
    look.colours = histogram(rgb);
    const int64_t frame = seen++;
    if (last.empty()) {
      begin(0);
      take(frame, look, nullptr);
    } else {
      const Look& before = last.back();
      // A flash: two frames later the picture is again as it was.
      const bool flash = pending >= 0 && difference(last.front().colours, look.colours) <
                                             kFlash * pending_difference;
      if (flash) cuts.pop_back();
      pending = -1;
      const double colours = difference(before.colours, look.colours);
      const Pair pair = compare(before, look);
      const bool is_cut = !flash && colours >= options.cut_difference &&
                          pair.residual >= kResidual && stands_out(colours, differences) &&
                          stands_out(pair.residual, residuals);
      if (is_cut) {
        cut(frame);
        pending = frame;
        pending_difference = colours;
        begin(frame);
        take(frame, look, nullptr);
      } else {
        if (!flash) {
          remember(differences, colours);
          remember(residuals, pair.residual);
        }
        take(frame, look, &pair);
      }
    }
    last.push_back(std::move(look));
    if (last.size() > 2) last.pop_front();
  }
};

VideoScan::VideoScan(const ScanOptions& options) : impl_(std::make_unique<Impl>(options)) {}
VideoScan::~VideoScan() = default;

void VideoScan::add(const at::Tensor& frame) { impl_->add(as_mat(frame)); }

std::vector<Candidate> VideoScan::finish() {
  auto& all = impl_->candidates;
  const ScanOptions& options = impl_->options;
  for (auto& candidate : all) {
    if (candidate.motion < options.min_motion) candidate.drop = "min_motion";
  }
  if (options.max_clips > 0) {
    std::vector<Candidate*> kept;
    for (auto& candidate : all) {
      if (candidate.drop.empty()) kept.push_back(&candidate);
    }
    std::ranges::stable_sort(kept, std::greater<>(), [](const Candidate* c) { return c->motion; });
    for (size_t i = static_cast<size_t>(options.max_clips); i < kept.size(); ++i) {
      kept[i]->drop = "max_clips";
    }
  }
  return all;
}

const std::vector<int64_t>& VideoScan::cuts() const { return impl_->cuts; }

int64_t DuplicateIndex::find_or_add(const Signature& signature) {
  const auto near = [&](const Signature& other) {
    for (size_t i = 0; i < signature.size(); ++i) {
      // Where it moves is measured less surely than what it shows.
      const int64_t most = i == 3 ? 2 * bits_ : bits_;
      if (std::popcount(signature[i] ^ other[i]) > most) return false;
    }
    return true;
  };
  int64_t found = -1;
  for (size_t byte = 0; byte < 8 && bits_ >= 0; ++byte) {
    const auto value = static_cast<size_t>(signature[0] >> (8 * byte) & 255);
    for (const uint32_t other : by_byte_[byte * 256 + value]) {
      if (found >= 0 && static_cast<int64_t>(other) >= found) continue;
      if (near(all_[other])) found = other;
    }
  }
  if (found >= 0) return found;
  for (size_t byte = 0; byte < 8; ++byte) {
    const auto value = static_cast<size_t>(signature[0] >> (8 * byte) & 255);
    by_byte_[byte * 256 + value].push_back(static_cast<uint32_t>(all_.size()));
  }
  all_.push_back(signature);
  return -1;
}

}  // namespace momap
