// SPDX-License-Identifier: Apache-2.0
#include <lifting/clip_geometry.h>
#include <momap/data/opencv.h>
#include <momap/plugin/plugin.h>
#include <tbb/parallel_for.h>
#include <tracks.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>

namespace {

using momap::tracks::DensifyParams;
using momap::tracks::Tracks;

constexpr size_t kBlock = 256;  // points that go through one call

/// A corner of each small square of frame 0, followed from frame to frame (pyramidal Lucas-Kanade,
/// Bouguet 2000) and made dense.
class SparseTracks final : public momap::Extractor {
 public:
  struct Params : DensifyParams {
    int window_px = 15;
    int levels = 3;
    double fb_px = 0.7;

    static auto schema() {
      using momap::param;
      return std::tuple_cat(
          DensifyParams::schema(),
          std::tuple{
              param("window_px", &Params::window_px, "Side of what is compared around a point.")
                  .unit("px")
                  .between(5, 63),
              param("levels", &Params::levels,
                    "Halvings of the image that large motions are found in.")
                  .between(0, 8),
              param("fb_px", &Params::fb_px,
                    "A point is lost when following it back misses its place by more than this.")
                  .unit("px")
                  .above(0),
          });
    }
  };

  explicit SparseTracks(const Params& params) : params_(params) {}

  momap::MoMap extract(const momap::Clip& clip, const momap::Context& context) override {
    momap::check_can_be_lifted(clip, "extraction/sparse_tracks");
    Tracks tracks(momap::tracks::start_points(clip, params_.spacing_px), clip.length());
    follow(clip, tracks, context);
    return momap::tracks::densify(clip, tracks, params_, context);
  }

 private:
  using Pyramid = std::vector<cv::Mat>;

  Pyramid pyramid(const momap::Clip& clip, int64_t t) const {
    const at::Tensor frame = clip.frames[t].contiguous();
    cv::Mat grey;
    cv::cvtColor(momap::as_mat(frame), grey, cv::COLOR_RGB2GRAY);
    Pyramid out;
    cv::buildOpticalFlowPyramid(grey, out, {params_.window_px, params_.window_px}, params_.levels);
    return out;
  }

  void follow(const momap::Clip& clip, Tracks& tracks, const momap::Context& context) const {
    const auto frames = static_cast<size_t>(tracks.frames);
    Pyramid before = pyramid(clip, 0);
    for (size_t t = 1; t < frames; ++t) {
      context.check_cancelled();
      const Pyramid now = pyramid(clip, static_cast<int64_t>(t));
      std::vector<size_t> alive;
      for (size_t n = 0; n < static_cast<size_t>(tracks.points); ++n) {
        tracks.places[n * frames + t] = tracks.places[n * frames + t - 1];
        if (tracks.seen[n * frames + t - 1]) alive.push_back(n);
      }
      const size_t blocks = (alive.size() + kBlock - 1) / kBlock;
      tbb::parallel_for(size_t{0}, blocks, [&](size_t b) {
        const auto from = alive.begin() + static_cast<std::ptrdiff_t>(b * kBlock);
        const auto to =
            alive.begin() + static_cast<std::ptrdiff_t>(std::min(alive.size(), (b + 1) * kBlock));
        step(before, now, {from, to}, t, tracks);
      });
      before = now;
    }
  }

  // There and back again.
  void step(const Pyramid& before, const Pyramid& now, const std::vector<size_t>& points, size_t t,
            Tracks& tracks) const {
    const auto frames = static_cast<size_t>(tracks.frames);
    const cv::Size window(params_.window_px, params_.window_px);
    std::vector<cv::Point2f> starts, there, back;
    std::vector<uint8_t> found, found_back;
    std::vector<float> error;
    for (const size_t n : points) starts.push_back(tracks.places[n * frames + t - 1]);
    cv::calcOpticalFlowPyrLK(before, now, starts, there, found, error, window, params_.levels);
    cv::calcOpticalFlowPyrLK(now, before, there, back, found_back, error, window, params_.levels);
    const auto inside = [&](const cv::Point2f& p) {
      return p.x >= 0 && p.y >= 0 && p.x <= static_cast<float>(now[0].cols - 1) &&
             p.y <= static_cast<float>(now[0].rows - 1);
    };
    for (size_t i = 0; i < points.size(); ++i) {
      const bool kept = found[i] && found_back[i] && inside(there[i]) &&
                        cv::norm(back[i] - starts[i]) <= params_.fb_px;
      if (!kept) continue;
      tracks.places[points[i] * frames + t] = there[i];
      tracks.seen[points[i] * frames + t] = 1;
    }
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(SparseTracks, "extraction/sparse_tracks", 1,
             "Follows corners from frame to frame and makes their motion dense.");
