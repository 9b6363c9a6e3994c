// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <fmt/format.h>
#include <momap/base/hash.h>
#include <momap/data/geometry.h>
#include <momap/plugin/plugin.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <mutex>
#include <numbers>
#include <vector>

#include "surface_patches.h"
#include "upsampling.h"

namespace {

constexpr const char* kId = "encoding/dct";
constexpr uint32_t kVersion = 1;

// Orthonormal DCT-II over time, [coefficients, frames]; rows past the number of frames are zero, so
// that short clips have the same channels as long ones.
std::vector<double> dct_basis(int64_t coefficients, int64_t frames) {
  std::vector<double> basis(static_cast<size_t>(coefficients * frames), 0.0);
  const auto n = static_cast<double>(frames);
  for (int64_t k = 0; k < std::min(coefficients, frames); ++k) {
    const double norm = std::sqrt((k == 0 ? 1.0 : 2.0) / n);
    for (int64_t t = 0; t < frames; ++t) {
      const double turn = (static_cast<double>(t) + 0.5) * static_cast<double>(k) / n;
      basis[k * frames + t] = norm * std::cos(std::numbers::pi * turn);
    }
  }
  return basis;
}

bool known(const float* point) {
  return point[2] > 0 && std::isfinite(point[0]) && std::isfinite(point[1]) &&
         std::isfinite(point[2]);
}

int64_t cells(int64_t pixels, int64_t stride) { return (pixels + stride - 1) / stride; }

void check_camera(const momap::Camera& camera, int64_t height, int64_t width, const char* of) {
  if (camera.width != width || camera.height != height) {
    throw momap::DataError(
        fmt::format("{}: camera is for {}x{} px, the {} has {}x{}; both must be of one size", kId,
                    camera.width, camera.height, of, width, height));
  }
  if (!(camera.fx > 0 && camera.fy > 0)) {
    throw momap::DataError(
        fmt::format("{}: camera of the {} has fx = {}, fy = {}; both must be > 0", kId, of,
                    camera.fx, camera.fy));
  }
}

/// Displacements from frame 0 in frustum units, (fx/W) dx/z0, (fy/H) dy/z0 and dz/z0, as the first
/// `coefficients` of a DCT over time, averaged over cells of stride x stride valid pixels. Channel
/// 3 k + axis is coefficient k.
class Dct final : public momap::Encoding {
 public:
  struct Params {
    int coefficients = 8;
    int stride = 1;
    double deadband = 0.1;
    std::string upsampling = "edges";

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("coefficients", &Params::coefficients,
                "How many DCT coefficients over time are kept; a clip with fewer frames is exact.")
              .between(1, 256),
          param(
              "stride", &Params::stride,
              "Side of the square of pixels that shares one latent cell; 1 = every pixel its own.")
              .between(1, 64)
              .unit("px"),
          param("deadband", &Params::deadband,
                "A decoded path that never leaves its start by more than this (3D distance times "
                "fx / z0) is made "
                "exactly still.")
              .at_least(0)
              .unit("px"),
          param("upsampling", &Params::upsampling,
                "How pixels are decoded from cells: `edges` averages the cells around without "
                "mixing across depth edges or segments; `surfaces` finds what each surface in a "
                "cell has to do with its mean, as nearly rigid bodies.")
              .one_of({"edges", "surfaces"}),
      };
    }
  };

  explicit Dct(Params params) : params_(std::move(params)) {}

  momap::Latent encode(const momap::MoMap& momap, const momap::Context& context) override;
  momap::MoMap decode(const momap::Latent& latent, const momap::Condition& condition,
                      const momap::Context& context) override;

 private:
  std::string normalization() const {
    return fmt::format("frustum displacement, coefficients={} stride={}", params_.coefficients,
                       params_.stride);
  }
  void check_latent(const momap::Latent& latent, const momap::Condition& condition) const;
  std::shared_ptr<const SurfacePatches> surfaces_of(const momap::Condition& condition);

  Params params_;
  // Of the scene decoded last: samplers draw many futures of one.
  std::mutex mutex_;
  std::string last_scene_;
  std::shared_ptr<const SurfacePatches> last_surfaces_;
};

momap::Latent Dct::encode(const momap::MoMap& momap, const momap::Context& context) {
  const int64_t frames = momap.frames();
  const int64_t height = momap.height();
  const int64_t width = momap.width();
  check_camera(momap.camera, height, width, "motion map");
  context.check_cancelled();

  const int64_t stride = params_.stride;
  const int64_t h = cells(height, stride);
  const int64_t w = cells(width, stride);
  const int64_t coefficients = params_.coefficients;
  const int64_t kept = std::min(coefficients, frames);
  const std::vector<double> basis = dct_basis(coefficients, frames);
  const at::Tensor xyz = momap.xyz.contiguous();
  const at::Tensor valid = momap.valid.contiguous();
  const float* const p = xyz.data_ptr<float>();
  const bool* const ok = valid.data_ptr<bool>();
  const double to_u = momap.camera.fx / static_cast<double>(width);
  const double to_v = momap.camera.fy / static_cast<double>(height);

  at::Tensor values = at::zeros({1, 3 * coefficients, h, w}, at::kFloat);
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
          const double b = basis[k * frames + t];
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
    throw momap::DataError(
        fmt::format("{}: the motion map has positions that are not finite at valid pixels", kId));
  }
  return {values, {kId, kVersion, normalization(), frames, height, width}};
}

void Dct::check_latent(const momap::Latent& latent, const momap::Condition& condition) const {
  const momap::LatentSpec& spec = latent.spec;
  const int64_t height = condition.points.size(0);
  const int64_t width = condition.points.size(1);
  const auto fail = [](const std::string& what) {
    throw momap::DataError(fmt::format("{}: {}", kId, what));
  };
  if (spec.encoding != kId || spec.version != kVersion) {
    fail(fmt::format("the latent was made by {} version {}; expected {} version {}", spec.encoding,
                     spec.version, kId, kVersion));
  }
  if (spec.normalization != normalization()) {
    fail(
        fmt::format("the latent has '{}', this step has '{}'; use the parameters it was encoded or "
                    "trained with",
                    spec.normalization, normalization()));
  }
  if (spec.frames < 1)
    fail(fmt::format("the latent says frames = {}; expected at least 1", spec.frames));
  if (spec.height != height || spec.width != width) {
    fail(fmt::format(
        "the latent is for {}x{} px, the condition has {}x{}; decode with the clip it was made for",
        spec.width, spec.height, width, height));
  }
  const std::vector<int64_t> expected{1, 3 * params_.coefficients, cells(height, params_.stride),
                                      cells(width, params_.stride)};
  if (latent.values.sizes() != at::IntArrayRef(expected)) {
    fail(fmt::format("the latent has shape [{}], expected [{}]",
                     fmt::join(latent.values.sizes(), ", "), fmt::join(expected, ", ")));
  }
  if (!at::isfinite(latent.values).all().item<bool>())
    fail("the latent has values that are not finite");
  check_camera(condition.camera, height, width, "condition");
}

std::shared_ptr<const SurfacePatches> Dct::surfaces_of(const momap::Condition& condition) {
  const auto hash = [](const at::Tensor& tensor) {
    return momap::content_hash({static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()});
  };
  std::string scene = fmt::format("{} {} ", fmt::join(condition.points.sizes(), "x"),
                                  hash(condition.points.contiguous()));
  if (condition.segments) scene += hash(condition.segments->contiguous());
  {
    const std::lock_guard lock(mutex_);
    if (scene == last_scene_) return last_surfaces_;
  }
  auto surfaces = std::make_shared<const SurfacePatches>(condition, params_.stride);
  const std::lock_guard lock(mutex_);
  last_scene_ = scene;
  last_surfaces_ = surfaces;
  return surfaces;
}

momap::MoMap Dct::decode(const momap::Latent& latent, const momap::Condition& condition,
                         const momap::Context& context) {
  check_latent(latent, condition);
  context.check_cancelled();
  const momap::Camera& camera = condition.camera;
  const int64_t frames = latent.spec.frames;
  const int64_t height = condition.points.size(0);
  const int64_t width = condition.points.size(1);
  const int64_t kept = std::min<int64_t>(params_.coefficients, frames);

  // Minus its value at t = 0: frame 0 is the condition's point map to the bit.
  std::vector<double> basis = dct_basis(kept, frames);
  for (int64_t k = 0; k < kept; ++k) {
    const double start = basis[k * frames];
    for (int64_t t = 0; t < frames; ++t) basis[k * frames + t] -= start;
  }

  const at::Tensor coarse = latent.values[0].narrow(0, 0, 3 * kept).contiguous();
  const at::Tensor points = condition.points.contiguous();
  const float* const start = points.data_ptr<float>();
  const EdgeAwareUpsampling upsampling(coarse, condition, params_.stride);
  std::shared_ptr<const SurfacePatches> surfaces;
  std::vector<double> patches;
  if (params_.stride > 1 && params_.upsampling == "surfaces") {
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
    if (params_.stride == 1) {
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
        const double b = basis[k * frames + t];
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
    const double still = params_.deadband / camera.fx;
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
  return {xyz, momap::visible_by_depth(xyz, valid, camera), valid, camera};
}

}  // namespace

MOMAP_PLUGIN(Dct, "encoding/dct", 1,
             "Keeps the low frequencies over time of frustum-normalised displacements.");
