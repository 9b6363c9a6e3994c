// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <momap/plugin/plugin.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "projection/branchless.h"
#include "projection/far_points.h"
#include "projection/inputs.h"
#include "projection/projection.h"
#include "raster.h"

namespace {

using momap::DropReason;
using momap::warping::Fate;
using momap::warping::in_256ths;
using momap::warping::MeshTarget;
using momap::warping::MeshVertex;

struct Limits {
  float edge_tolerance;  // relative depth step within a surface
  float max_edge_px;     // longer edges are torn
};

/// The reference image and its depth.
struct Reference {
  int64_t height, width;
  const uint8_t* rgb;        // [H, W, 3]
  std::vector<float> depth;  // [H, W], metres; 0 = unknown
};

/// Draws frames of one motion map, one after the other, in memory that is kept.
class FrameMesh {
 public:
  FrameMesh(const Reference& reference, const Limits& limits)
      : reference_(reference),
        limits_(limits),
        u_(reference.depth.size()),
        v_(reference.depth.size()),
        z_(reference.depth.size()),
        fates_(reference.depth.size()) {}

  void draw(const momap::warping::PointRow& points, const momap::warping::Projection& projection,
            const MeshTarget& target, bool* covered, int64_t* dropped) {
    const auto count = static_cast<int64_t>(z_.size());
    momap::warping::project(points, count, projection, limits_.max_edge_px,
                            {u_.data(), v_.data(), z_.data(), fates_.data()});
    momap::warping::count_fates(fates_.data(), count, dropped);
    const int64_t pixels = target.height * target.width;
    std::fill_n(target.depth, pixels, std::numeric_limits<float>::infinity());
    std::fill_n(target.rgb, 3 * pixels, uint8_t{0});
    for (int64_t y = 0; y + 1 < reference_.height; ++y) {
      for (int64_t x = 0; x + 1 < reference_.width; ++x) draw_cell(y, x, target);
    }
    count_unseen(target, dropped);
    for (int64_t q = 0; q < pixels; ++q) {
      covered[q] = std::isfinite(target.depth[q]);
      if (!covered[q]) target.depth[q] = 0;
    }
  }

 private:
  /// Two triangles between four pixels, or one where the fourth is on another surface.
  void draw_cell(int64_t y, int64_t x, const MeshTarget& target) const {
    const int64_t a = y * reference_.width + x, b = a + 1, c = a + reference_.width, d = c + 1;
    const bool ab = joined(a, b), ac = joined(a, c), bd = joined(b, d), cd = joined(c, d);
    // Cut along the diagonal whose ends are nearer in depth, so that a crease stays sharp.
    const bool along_bc = std::abs(z_[b] - z_[c]) < std::abs(z_[a] - z_[d]);
    const bool bc = joined(b, c), ad = joined(a, d);
    if (bc && (along_bc || !ad)) {
      if (ab && ac) draw_triangle({vertex(a), vertex(b), vertex(c)}, target);
      if (bd && cd) draw_triangle({vertex(b), vertex(d), vertex(c)}, target);
    } else if (ad) {
      if (ab && bd) draw_triangle({vertex(a), vertex(b), vertex(d)}, target);
      if (ac && cd) draw_triangle({vertex(a), vertex(d), vertex(c)}, target);
    }
  }

  bool joined(int64_t i, int64_t j) const {
    const auto near = [&](float a, float b) {
      return a > 0 && b > 0 && std::abs(a - b) <= limits_.edge_tolerance * std::min(a, b);
    };
    return near(reference_.depth[i], reference_.depth[j]) && near(z_[i], z_[j]) &&
           std::max(std::abs(u_[i] - u_[j]), std::abs(v_[i] - v_[j])) <= limits_.max_edge_px;
  }

  MeshVertex vertex(int64_t i) const {
    return {in_256ths(u_[i]), in_256ths(v_[i]), z_[i], reference_.rgb + 3 * i};
  }

  /// A point is seen where the pixel nearest to it shows its surface.
  void count_unseen(const MeshTarget& target, int64_t* dropped) const {
    for (size_t i = 0; i < z_.size(); ++i) {
      if (fates_[i] != 0) continue;
      const auto x = static_cast<int64_t>(std::floor(u_[i] + 0.5f));
      const auto y = static_cast<int64_t>(std::floor(v_[i] + 0.5f));
      if (x < 0 || y < 0 || x >= target.width || y >= target.height) {
        ++dropped[static_cast<int64_t>(DropReason::outside)];
        continue;
      }
      const float shown = target.depth[y * target.width + x];
      if (std::isinf(shown) || shown > z_[i] * (1 + limits_.edge_tolerance)) {
        ++dropped[static_cast<int64_t>(DropReason::too_small)];
      } else if (shown < z_[i] * (1 - limits_.edge_tolerance)) {
        ++dropped[static_cast<int64_t>(DropReason::hidden)];
      }
    }
  }

  const Reference& reference_;
  Limits limits_;
  std::vector<float> u_, v_, z_;
  std::vector<Fate> fates_;
};

class Mesh final : public momap::Warper {
 public:
  struct Params {
    double edge_tolerance = 0.05;
    double max_edge_px = 8.0;
    bool respect_visible = false;
    std::string unknown_depth = "far";

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("edge_tolerance", &Params::edge_tolerance,
                "Neighbours are one surface while their depths differ by less than this share, in "
                "the reference view and in the frame drawn.")
              .above(0)
              .between(0, 0.5),
          param("max_edge_px", &Params::max_edge_px,
                "A surface stretched over more pixels than this per source pixel is torn.")
              .unit("px")
              .between(1, 64),
          param("respect_visible", &Params::respect_visible,
                "Draw only points marked visible; otherwise depth alone decides what hides what."),
          momap::warping::unknown_depth_param(&Params::unknown_depth),
      };
    }
  };

  explicit Mesh(Params params) : params_(std::move(params)) {}

  momap::PartialClip warp(const momap::Image& image, const momap::MoMap& given,
                          const momap::View& view, const momap::Context& context) override {
    momap::warping::check_inputs("warping/mesh", image, given, view);
    const momap::MoMap momap = momap::warping::to_draw(given, params_.unknown_depth);
    const int64_t frames = momap.frames(), points = momap.height() * momap.width();
    const int64_t height = view.camera.height, width = view.camera.width, pixels = height * width;
    momap::PartialClip out;
    out.frames = at::empty({frames, height, width, 3}, at::kByte);
    out.covered = at::empty({frames, height, width}, at::kBool);
    out.depth = at::empty({frames, height, width}, at::kFloat);
    out.dropped = at::zeros({frames, momap::kDropReasons}, at::kLong);
    const at::Tensor rgb = image.rgb.contiguous(), xyz = momap.xyz.contiguous();
    const at::Tensor valid = momap.valid.contiguous(), visible = momap.visible.contiguous();
    const auto* positions = xyz.data_ptr<float>();
    const bool* known = valid.data_ptr<bool>();
    const bool* seen = params_.respect_visible ? visible.data_ptr<bool>() : nullptr;
    auto* frame_rgb = out.frames.data_ptr<uint8_t>();
    bool* covered = out.covered.data_ptr<bool>();
    auto* depth = out.depth.data_ptr<float>();
    auto* dropped = out.dropped.data_ptr<int64_t>();

    Reference reference{momap.height(), momap.width(), rgb.data_ptr<uint8_t>(), {}};
    for (int64_t i = 0; i < points; ++i) {
      const float z = positions[3 * i + 2];
      reference.depth.push_back(known[i] && z > 0 && std::isfinite(z) ? z : 0.0f);
    }
    const Limits limits{static_cast<float>(params_.edge_tolerance),
                        static_cast<float>(params_.max_edge_px)};
    tbb::enumerable_thread_specific<FrameMesh> meshes([&] { return FrameMesh(reference, limits); });
    tbb::parallel_for(int64_t{0}, frames, [&](int64_t t) {
      context.check_cancelled();
      meshes.local().draw({positions + 3 * points * t, known, seen ? seen + points * t : nullptr},
                          momap::warping::Projection(view, t),
                          {height, width, frame_rgb + 3 * pixels * t, depth + pixels * t},
                          covered + pixels * t, dropped + t * momap::kDropReasons);
    });
    return out;
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(Mesh, "warping/mesh", 2,
             "Draws the pixel grid as triangles, cut at depth edges, with perspective.");
