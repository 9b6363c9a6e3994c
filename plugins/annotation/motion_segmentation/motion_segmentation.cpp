// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/zeros.h>
#include <momap/data/opencv.h>
#include <momap/plugin/plugin.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "flow/dense_flow.h"
#include "residual.h"

namespace {

using momap::DataError;
using momap::param;

constexpr double kNoiseMargin = 4;  // times what a quarter of the pixels keeps to is still noise
constexpr double kReturns = 1.5;    // px by which flow there and back may miss its start
constexpr int kWitnesses = 2;       // frames that must agree on motion, where there are as many

// Flow from frame 0 to frames 1, 2, 4, ... and the last, against where poses (and depth, if the
// clip has it) say that points which stand still are seen.
class MotionSegmentation final : public momap::Annotator {
 public:
  struct Params {
    double threshold_px = 1.5;
    int least_px = 64;

    static auto schema() {
      return std::tuple{
          param("threshold_px", &Params::threshold_px,
                "A point this far from where it would be if it stood still moves; more where poses "
                "and flow disagree everywhere.")
              .unit("px")
              .above(0),
          param("least_px", &Params::least_px, "Smaller things are background.")
              .unit("px")
              .at_least(1),
      };
    }
  };

  explicit MotionSegmentation(Params params)
      : params_(params), flow_(momap::make_flow(momap::FlowChoice{})) {}

  momap::Clip annotate(const momap::Clip& clip, const momap::Context& context) override {
    check(clip);
    std::vector<int64_t> times;
    for (int64_t t = 1; t < clip.length() - 1; t *= 2) times.push_back(t);
    times.push_back(clip.length() - 1);

    std::vector<cv::Mat> moves(times.size());
    const at::Tensor frames = clip.frames.contiguous();
    const auto first = flow_->prepare(momap::as_mat(frames[0]));
    tbb::parallel_for(size_t{0}, times.size(), [&](size_t i) {
      context.check_cancelled();
      const auto other = flow_->prepare(momap::as_mat(frames[times[i]]));
      moves[i] = moving(clip, times[i], flow_->pair(*first, *other));
    });
    cv::Mat votes = cv::Mat::zeros(moves[0].size(), CV_8U);
    for (const cv::Mat& mask : moves) votes += mask;
    const int enough = std::min(kWitnesses, static_cast<int>(times.size()));
    cv::Mat mask = votes >= enough;
    const cv::Mat disc = cv::getStructuringElement(cv::MORPH_ELLIPSE, {3, 3});
    cv::morphologyEx(mask, mask, cv::MORPH_OPEN, disc);
    cv::morphologyEx(mask, mask, cv::MORPH_CLOSE, disc);

    momap::Clip out = clip;
    out.segments = segments(mask);
    out.segment_names.clear();
    return out;
  }

 private:
  static void check(const momap::Clip& clip) {
    if (clip.length() < 2) {
      throw DataError(
          "annotation/motion_segmentation: the clip has one frame, and nothing moves in a "
          "photograph; use annotation/over_segmentation");
    }
    if (!clip.camera || !clip.cam_from_world) {
      throw DataError(
          "annotation/motion_segmentation: the clip has no camera or no poses (cam_from_world); "
          "add annotation/camera_pose before it");
    }
  }

  // u8 [H, W], 1 where frame t shows that the point of frame 0 moves.
  cv::Mat moving(const momap::Clip& clip, int64_t t, const momap::FlowPair& flow) const {
    const at::Tensor poses = clip.cam_from_world->contiguous();
    const cv::Matx44d first(poses.data_ptr<double>()), here(poses.data_ptr<double>() + 16 * t);
    const at::Tensor depth = clip.depth ? (*clip.depth)[0].contiguous() : at::Tensor();
    cv::Mat residual = momap::motion_residual(flow.forward, *clip.camera, here * first.inv(),
                                              depth.defined() ? depth.data_ptr<float>() : nullptr);
    std::vector<float> known;
    for (int y = 0; y < residual.rows; ++y) {
      for (int x = 0; x < residual.cols; ++x) {
        float& r = residual.at<float>(y, x);
        if (!returns(flow, x, y)) r = std::numeric_limits<float>::quiet_NaN();
        if (std::isfinite(r)) known.push_back(r);
      }
    }
    double allowed = params_.threshold_px;
    if (!known.empty()) {
      const auto quarter = known.begin() + static_cast<std::ptrdiff_t>(known.size() / 4);
      std::nth_element(known.begin(), quarter, known.end());
      allowed = std::max(allowed, kNoiseMargin * *quarter);
    }
    const cv::Mat above = residual > allowed;  // never where NaN
    return above / 255;
  }

  static bool returns(const momap::FlowPair& flow, int x, int y) {
    const auto there = flow.forward.at<cv::Vec2f>(y, x);
    const long u = std::lrint(static_cast<float>(x) + there[0]);
    const long v = std::lrint(static_cast<float>(y) + there[1]);
    if (u < 0 || v < 0 || u >= flow.forward.cols || v >= flow.forward.rows) return false;
    const auto back = flow.backward.at<cv::Vec2f>(static_cast<int>(v), static_cast<int>(u));
    return cv::norm(there + back) <= kReturns;
  }

  // Connected things, the largest being 1.
  at::Tensor segments(const cv::Mat& mask) const {
    cv::Mat labels, stats, centroids;
    const int count = cv::connectedComponentsWithStats(mask, labels, stats, centroids, 8, CV_32S);
    std::vector<int> order(static_cast<size_t>(count - 1));
    std::iota(order.begin(), order.end(), 1);
    const auto area = [&](int label) { return stats.at<int>(label, cv::CC_STAT_AREA); };
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return area(a) > area(b); });
    std::vector<int32_t> id(static_cast<size_t>(count), 0);
    for (size_t i = 0; i < order.size(); ++i) {
      if (area(order[i]) >= params_.least_px) {
        id[static_cast<size_t>(order[i])] = static_cast<int32_t>(i) + 1;
      }
    }
    at::Tensor out = at::zeros({labels.rows, labels.cols}, at::kInt);
    for (size_t i = 0; i < labels.total(); ++i) {
      out.data_ptr<int32_t>()[i] = id[static_cast<size_t>(labels.ptr<int>()[i])];
    }
    return out;
  }

  Params params_;
  std::unique_ptr<momap::DenseFlow> flow_;
};

}  // namespace

MOMAP_PLUGIN(MotionSegmentation, "annotation/motion_segmentation", 1,
             "Segments of frame 0 that move by themselves: flow against poses, and depth where the "
             "clip has it.");
