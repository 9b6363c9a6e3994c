// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <momap/data/geometry.h>
#include <momap/data/opencv.h>
#include <momap/plugin/plugin.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <opencv2/core/matx.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "flow/dense_flow.h"
#include "lifting/clip_geometry.h"
#include "noise.h"
#include "point_path.h"
#include "surface_vote.h"

// Dense flow between neighbouring frames, chained from frame 0 at sub-pixel places and lifted by
// depth:
//  - a step counts when the flow back returns and the depth does not jump; otherwise the point is
//  out of sight;
//  - it is back in sight where the flow straight from frame 0 finds it again, looking the same;
//  - a point whose track explains the frames no better than its standing still does, given the
//  camera's motion, stays at its place in frame 0, so that jitter of flow and depth is no motion;
//  - out of sight, a moving point goes straight to where it is seen again, or on with a velocity
//  that decays.

namespace {

using momap::param;

class ChainedFlow final : public momap::Extractor {
 public:
  struct Params {
    std::string flow = momap::FlowChoice{}.flow;
    std::string preset = momap::FlowChoice{}.preset;
    std::string weights;
    int iterations = momap::FlowChoice{}.iterations;
    double fb_abs_px = momap::PathOptions{}.fb_abs_px;
    double fb_rel = momap::PathOptions{}.fb_rel;
    double depth_jump = momap::PathOptions{}.depth_jump;
    bool redetect = true;
    double appearance = momap::PathOptions{}.appearance;
    double static_px = momap::PathOptions{}.static_px;
    double static_depth = momap::PathOptions{}.static_depth;
    double occluded_damping = momap::PathOptions{}.occluded_damping;

    static auto schema() {
      return std::tuple{
          param("flow", &Params::flow,
                "Dense flow between two frames: dis is fast, deepflow finer and 25 times slower, "
                "raft_small a network for large motions whose weights the user brings.")
              .one_of({"dis", "farneback", "deepflow", "raft_small"}),
          param("preset", &Params::preset, "Speed of dis.").one_of({"ultrafast", "fast", "medium"}),
          param("weights", &Params::weights,
                "Of raft_small: an .npz of the published arrays (Teed, Deng 2020).")
              .file(),
          param("iterations", &Params::iterations, "Of raft_small.").between(1, 100),
          param(
              "fb_abs_px", &Params::fb_abs_px,
              "A step is dropped when flow there and back misses its start by more than this plus "
              "fb_rel of its length.")
              .unit("px")
              .at_least(0),
          param("fb_rel", &Params::fb_rel, "See fb_abs_px.").between(0, 1),
          param("depth_jump", &Params::depth_jump,
                "A step whose depth changes by more than this share lands on another surface.")
              .above(0),
          param("redetect", &Params::redetect,
                "Look for points out of sight by the flow straight from frame 0 (twice the time)."),
          param("appearance", &Params::appearance,
                "Grey difference up to which a place found again looks like the point in frame 0.")
              .unit("of 255")
              .between(0, 255),
          param("static_px", &Params::static_px,
                "A track that stays this close to that of a static point is static, and more where "
                "poses and "
                "flow disagree everywhere; 0 never.")
              .unit("px")
              .at_least(0),
          param("static_depth", &Params::static_depth,
                "The same for depth, as a share of it; depth that flickers raises it by itself.")
              .above(0),
          param("occluded_damping", &Params::occluded_damping,
                "Factor on the velocity for each frame out of sight; 0 stops at once, 1 never.")
              .between(0, 1),
      };
    }
  };

  explicit ChainedFlow(Params params)
      : params_(std::move(params)),
        flow_(
            momap::make_flow({params_.flow, params_.preset, params_.weights, params_.iterations})) {
  }

  momap::MoMap extract(const momap::Clip& clip, const momap::Context& context) override {
    momap::check_can_be_lifted(clip, "extraction/chained_flow");
    const int64_t length = clip.length(), height = clip.height(), width = clip.width();
    const at::Tensor frames = clip.frames.contiguous();
    const at::Tensor depth = clip.depth->contiguous();
    const momap::Evidence evidence = gather(clip, frames, depth, context);

    momap::MoMap map;
    map.camera = *clip.camera;
    map.xyz = at::empty({length, height, width, 3}, at::kFloat);
    map.visible = at::zeros({length, height, width}, at::kBool);
    map.valid = at::zeros({height, width}, at::kBool);
    const at::Tensor first_points = momap::unproject(depth[0], map.camera);
    const float* first = first_points.data_ptr<float>();
    float* xyz = map.xyz.data_ptr<float>();
    bool* visible = map.visible.data_ptr<bool>();
    bool* valid = map.valid.data_ptr<bool>();
    const int64_t pixels = height * width;
    for (int64_t t = 0; t < length; ++t) {
      std::memcpy(xyz + 3 * pixels * t, first, sizeof(float) * static_cast<size_t>(3 * pixels));
    }

    const momap::PathOptions options = path_options();
    cv::Mat votes(static_cast<int>(height), static_cast<int>(width), CV_32F, cv::Scalar(0));
    // Frame 0 is exactly the unprojected depth, and so is a point that stands still.
    const auto write = [&](momap::PathFinder& path, int64_t pixel, bool moves) {
      valid[pixel] = path.settle(moves) || length == 1;
      for (int64_t t = 0; t < length; ++t) {
        visible[t * pixels + pixel] = path.visible(t);
        if (t == 0 || !moves) continue;
        float* out = xyz + 3 * (t * pixels + pixel);
        for (int c = 0; c < 3; ++c) out[c] = static_cast<float>(path.position(t)[c]);
      }
    };
    const auto reset = [&](int64_t pixel) {
      for (int64_t t = 1; t < length; ++t) {
        std::copy_n(first + 3 * pixel, 3, xyz + 3 * (t * pixels + pixel));
      }
    };
    const auto stand = [&](const momap::PathFinder& path, int64_t pixel) {
      bool is_seen = false;
      for (int64_t t = 0; t < length; ++t) {
        visible[t * pixels + pixel] = path.visible(t);
        is_seen = is_seen || (t > 0 && path.visible(t));
      }
      valid[pixel] = is_seen;
    };
    tbb::parallel_for(int64_t{0}, height, [&](int64_t y) {
      context.check_cancelled();
      momap::PathFinder path(evidence, options);
      for (int64_t x = 0; x < width; ++x) {
        const int64_t pixel = y * width + x;
        if (!(first[3 * pixel + 2] > 0)) continue;
        float& vote = votes.at<float>(static_cast<int>(y), static_cast<int>(x));
        if (params_.static_px > 0 && path.stands_still(x, y)) {
          vote = momap::kStandsStill;
          stand(path, pixel);
          continue;
        }
        path.follow(x, y);
        vote = static_cast<float>(path.motion_evidence());
        write(path, pixel, vote > 0);
      }
    });
    // What a pixel alone cannot tell, its surface does: those it outvotes are settled again.
    const cv::Mat together = momap::vote_by_surface(votes, evidence.grey[0], evidence.depth[0]);
    tbb::parallel_for(int64_t{0}, height, [&](int64_t y) {
      context.check_cancelled();
      momap::PathFinder path(evidence, options);
      for (int64_t x = 0; x < width; ++x) {
        const int64_t pixel = y * width + x;
        const bool moves = together.at<float>(static_cast<int>(y), static_cast<int>(x)) > 0;
        const bool moved = votes.at<float>(static_cast<int>(y), static_cast<int>(x)) > 0;
        if (!(first[3 * pixel + 2] > 0) || moves == moved) continue;
        path.follow(x, y);
        if (!moves) reset(pixel);
        write(path, pixel, moves);
      }
    });
    return map;
  }

 private:
  momap::PathOptions path_options() const {
    return {.fb_abs_px = params_.fb_abs_px,
            .fb_rel = params_.fb_rel,
            .depth_jump = params_.depth_jump,
            .appearance = params_.appearance,
            .static_px = params_.static_px,
            .static_depth = params_.static_depth,
            .occluded_damping = params_.occluded_damping};
  }

  momap::Evidence gather(const momap::Clip& clip, const at::Tensor& frames, const at::Tensor& depth,
                         const momap::Context& context) const {
    const auto length = static_cast<size_t>(clip.length());
    momap::Evidence evidence;
    evidence.camera = *clip.camera;
    evidence.grey.resize(length);
    evidence.steps.resize(length - 1);
    evidence.direct.resize(length);
    momap::FramePoses poses = momap::frame_poses(clip);
    evidence.camera_from_first = std::move(poses.camera_from_first);
    evidence.first_from_camera = std::move(poses.first_from_camera);
    for (size_t t = 0; t < length; ++t) {
      const auto frame = static_cast<int64_t>(t);
      cv::cvtColor(momap::as_mat(frames[frame]), evidence.grey[t], cv::COLOR_RGB2GRAY);
      evidence.depth.push_back(depth.data_ptr<float>() + frame * clip.height() * clip.width());
    }
    // Steps first, then frame 0 to each t from 2 on.
    const size_t step_count = length - 1;
    const size_t direct_count = params_.redetect && length > 2 ? length - 2 : 0;
    std::vector<std::unique_ptr<const momap::DenseFlow::Frame>> prepared(length);
    tbb::parallel_for(size_t{0}, length, [&](size_t t) {
      context.check_cancelled();
      prepared[t] = flow_->prepare(momap::as_mat(frames[static_cast<int64_t>(t)]));
    });
    tbb::parallel_for(size_t{0}, step_count + direct_count, [&](size_t i) {
      context.check_cancelled();
      if (i < step_count) {
        evidence.steps[i] = flow_->pair(*prepared[i], *prepared[i + 1]);
      } else {
        const size_t t = i - step_count + 2;
        evidence.direct[t] = flow_->pair(*prepared[0], *prepared[t]);
      }
    });
    evidence.depth_noise = momap::depth_noise(evidence);
    evidence.place_noise = momap::place_noise(evidence);
    return evidence;
  }

  Params params_;
  std::unique_ptr<momap::DenseFlow> flow_;
};

}  // namespace

MOMAP_PLUGIN(
    ChainedFlow, "extraction/chained_flow", 2,
    "Chains dense optical flow from frame 0 and lifts the tracks to 3D by depth and pose.");
