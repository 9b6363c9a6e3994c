// SPDX-License-Identifier: Apache-2.0
#include "path_codec.h"

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/hash.h>
#include <momap/data/geometry.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "edge_aware_upsampling.h"
#include "surface_patches.h"

namespace momap::encoding {
namespace {

bool known(const float* point) {
  return point[2] > 0 && std::isfinite(point[0]) && std::isfinite(point[1]) &&
         std::isfinite(point[2]);
}

// The curves that are not zero, and how many there are: they come first.
int64_t curves_kept(const TemporalBasis& basis) { return std::min(basis.curves, basis.frames); }

}  // namespace

PathCodec::PathCodec(std::string owner, const Options& options)
    : owner_(std::move(owner)), options_(options) {}

PathCodec::~PathCodec() = default;

void PathCodec::check_camera(const Camera& camera, int64_t height, int64_t width,
                             const char* of) const {
  if (camera.width != width || camera.height != height) {
    throw DataError(
        fmt::format("{}: camera is for {}x{} px, the {} has {}x{}; both must be of one size",
                    owner_, camera.width, camera.height, of, width, height));
  }
  if (!(camera.fx > 0 && camera.fy > 0)) {
    throw DataError(fmt::format("{}: camera of the {} has fx = {}, fy = {}; both must be > 0",
                                owner_, of, camera.fx, camera.fy));
  }
}

void PathCodec::check_condition(const LatentSpec& spec, const Condition& condition) const {
  const int64_t height = condition.points.size(0), width = condition.points.size(1);
  if (spec.height != height || spec.width != width) {
    throw DataError(
        fmt::format("{}: the latent is for {}x{} px, the condition has {}x{}; decode "
                    "with the clip it was made for",
                    owner_, spec.width, spec.height, width, height));
  }
  check_camera(condition.camera, height, width, "condition");
}

at::Tensor PathCodec::encode(const MoMap& momap, const TemporalBasis& basis,
                             const Context& context) const {
  const int64_t frames = momap.frames();
  const int64_t height = momap.height();
  const int64_t width = momap.width();
  check_camera(momap.camera, height, width, "motion map");
  context.check_cancelled();

  const int64_t stride = options_.stride;
  const int64_t h = cells(height);
  const int64_t w = cells(width);
  const int64_t kept = curves_kept(basis);
  const at::Tensor xyz = momap.xyz.contiguous();
  const at::Tensor valid = momap.valid.contiguous();
  const float* const p = xyz.data_ptr<float>();
  const bool* const ok = valid.data_ptr<bool>();
  const double to_u = momap.camera.fx / static_cast<double>(width);
  const double to_v = momap.camera.fy / static_cast<double>(height);

  at::Tensor values = at::zeros({3 * basis.curves, h, w}, at::kFloat);
  float* const out = values.data_ptr<float>();
  std::atomic<bool> finite{true};
  tbb::parallel_for(int64_t{0}, h, [&](int64_t cell_y) {
    std::vector<double> sum(static_cast<size_t>(3 * kept * width),
                            0.0);  // [3 kept, W], over the rows of the cell
    std::vector<double> displacement(static_cast<size_t>(3 * width));  // [3, W]
    std::vector<int64_t> count(static_cast<size_t>(w), 0);
    for (int64_t y = cell_y * stride; y < std::min(height, (cell_y + 1) * stride); ++y) {
      const float* const first = p + y * width * 3;
      const bool* const row_ok = ok + y * width;
      const auto usable = [&](int64_t x) { return row_ok[x] && known(first + 3 * x); };
      for (int64_t x = 0; x < width; ++x) count[x / stride] += usable(x);
      for (int64_t t = 0; t < frames; ++t) {
        const float* const now = p + (t * height + y) * width * 3;
        for (int64_t x = 0; x < width; ++x) {
          double d[3] = {0, 0, 0};
          if (usable(x)) {
            const double z0 = first[3 * x + 2];
            d[0] = to_u * (static_cast<double>(now[3 * x]) - first[3 * x]) / z0;
            d[1] = to_v * (static_cast<double>(now[3 * x + 1]) - first[3 * x + 1]) / z0;
            d[2] = (static_cast<double>(now[3 * x + 2]) - first[3 * x + 2]) / z0;
            if (!std::isfinite(d[0] + d[1] + d[2])) finite = false;
          }
          for (int a = 0; a < 3; ++a) displacement[a * width + x] = d[a];
        }
        for (int64_t k = 0; k < kept; ++k) {
          const double b = basis.at(k, t);
          if (b == 0) continue;
          double* const target = sum.data() + 3 * k * width;
          for (int64_t i = 0; i < 3 * width; ++i) target[i] += b * displacement[i];
        }
      }
    }
    for (int64_t c = 0; c < 3 * kept; ++c) {
      float* const target = out + (c * h + cell_y) * w;
      for (int64_t cell_x = 0; cell_x < w; ++cell_x) {
        if (count[cell_x] == 0) continue;
        double total = 0;
        for (int64_t x = cell_x * stride; x < std::min(width, (cell_x + 1) * stride); ++x) {
          total += sum[c * width + x];
        }
        target[cell_x] = static_cast<float>(total / static_cast<double>(count[cell_x]));
      }
    }
  });
  if (!finite) {
    throw DataError(fmt::format(
        "{}: the motion map has positions that are not finite at valid pixels", owner_));
  }
  return values;
}

std::shared_ptr<const SurfacePatches> PathCodec::surfaces_of(const Condition& condition) {
  const auto hash = [](const at::Tensor& tensor) {
    return content_hash({static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()});
  };
  std::string scene = fmt::format("{} {} ", fmt::join(condition.points.sizes(), "x"),
                                  hash(condition.points.contiguous()));
  if (condition.segments) scene += hash(condition.segments->contiguous());
  {
    const std::lock_guard lock(mutex_);
    if (scene == last_scene_) return last_surfaces_;
  }
  auto surfaces = std::make_shared<const SurfacePatches>(condition, options_.stride);
  const std::lock_guard lock(mutex_);
  last_scene_ = scene;
  last_surfaces_ = surfaces;
  return surfaces;
}

MoMap PathCodec::decode(const at::Tensor& coordinates, const TemporalBasis& basis,
                        const Condition& condition, const Context& context) {
  context.check_cancelled();
  const Camera& camera = condition.camera;
  const int64_t frames = basis.frames;
  const int64_t height = condition.points.size(0);
  const int64_t width = condition.points.size(1);
  const int64_t kept = curves_kept(basis);

  // Minus its value at t = 0: frame 0 is the condition's point map to the bit.
  std::vector<double> curves(basis.values.begin(), basis.values.begin() + kept * frames);
  for (int64_t k = 0; k < kept; ++k) {
    const double start = basis.at(k, 0);
    for (int64_t t = 0; t < frames; ++t) curves[k * frames + t] -= start;
  }

  const at::Tensor coarse = coordinates.narrow(0, 0, 3 * kept).contiguous();
  const at::Tensor points = condition.points.contiguous();
  const float* const start = points.data_ptr<float>();
  const EdgeAwareUpsampling upsampling(coarse, condition, options_.stride);
  std::shared_ptr<const SurfacePatches> surfaces;
  std::vector<double> patches;
  if (options_.stride > 1 && options_.surfaces) {
    surfaces = surfaces_of(condition);
    patches = surfaces->solve(coarse);
  }
  at::Tensor xyz = at::empty({frames, height, width, 3}, at::kFloat);
  at::Tensor valid = at::empty({height, width}, at::kBool);
  float* const out = xyz.data_ptr<float>();
  bool* const ok = valid.data_ptr<bool>();
  // From frustum units to metres at depth 1.
  const double from_u[3] = {static_cast<double>(width) / camera.fx,
                            static_cast<double>(height) / camera.fy, 1.0};

  tbb::parallel_for(int64_t{0}, height, [&](int64_t y) {
    std::vector<double> coefficient(static_cast<size_t>(3 * kept * width));
    if (options_.stride == 1) {
      const float* const values = coarse.data_ptr<float>();
      for (int64_t c = 0; c < 3 * kept; ++c) {
        std::copy_n(values + (c * height + y) * width, width, coefficient.begin() + c * width);
      }
    } else if (surfaces) {
      surfaces->row(y, patches, coefficient);
    } else {
      upsampling.row(y, coefficient);
    }
    for (int64_t i = 0; i < 3 * kept * width; ++i) coefficient[i] *= from_u[(i / width) % 3];

    // Displacement over depth, [T, 3, W], and the square of the furthest it goes from its start.
    std::vector<double> shift(static_cast<size_t>(frames * 3 * width), 0.0);
    std::vector<double> furthest(static_cast<size_t>(width), 0.0);
    for (int64_t t = 0; t < frames; ++t) {
      double* const now = shift.data() + t * 3 * width;
      for (int64_t k = 0; k < kept; ++k) {
        const double b = curves[k * frames + t];
        if (b == 0) continue;
        const double* const source = coefficient.data() + 3 * k * width;
        for (int64_t i = 0; i < 3 * width; ++i) now[i] += b * source[i];
      }
      for (int64_t x = 0; x < width; ++x) {
        const double dx = now[x];
        const double dy = now[width + x];
        const double dz = now[2 * width + x];
        furthest[x] = std::max(furthest[x], dx * dx + dy * dy + dz * dz);
      }
    }
    const double still = options_.deadband / camera.fx;
    for (int64_t x = 0; x < width; ++x) {
      const float* const p0 = start + (y * width + x) * 3;
      const bool usable = known(p0);
      const bool moves = usable && furthest[x] > still * still;
      ok[y * width + x] = usable;
      for (int64_t t = 0; t < frames; ++t) {
        float* const target = out + ((t * height + y) * width + x) * 3;
        for (int a = 0; a < 3; ++a) {
          const double d = moves ? shift[(t * 3 + a) * width + x] * p0[2] : 0.0;
          target[a] = usable ? static_cast<float>(p0[a] + d) : 0.f;
        }
      }
    }
  });
  return {xyz, visible_by_depth(xyz, valid, camera), valid, camera};
}

at::Tensor displacements(const at::Tensor& coordinates, const TemporalBasis& basis) {
  at::Tensor curves = at::empty({basis.frames, basis.curves}, at::kFloat);
  float* const out = curves.data_ptr<float>();
  for (int64_t t = 0; t < basis.frames; ++t) {
    for (int64_t k = 0; k < basis.curves; ++k) {
      out[t * basis.curves + k] = static_cast<float>(basis.at(k, t) - basis.at(k, 0));
    }
  }
  const int64_t batch = coordinates.size(0), h = coordinates.size(2), w = coordinates.size(3);
  return curves.matmul(coordinates.reshape({batch, basis.curves, 3 * h * w}))
      .view({batch, basis.frames, 3, h, w});
}

at::Tensor coordinates(const at::Tensor& displacements, const TemporalBasis& basis) {
  at::Tensor curves = at::empty({basis.curves, basis.frames}, at::kFloat);
  std::transform(basis.values.begin(), basis.values.end(), curves.data_ptr<float>(),
                 [](double value) { return static_cast<float>(value); });
  const int64_t batch = displacements.size(0), h = displacements.size(3), w = displacements.size(4);
  return curves.matmul(displacements.reshape({batch, basis.frames, 3 * h * w}))
      .view({batch, 3 * basis.curves, h, w});
}

}  // namespace momap::encoding
