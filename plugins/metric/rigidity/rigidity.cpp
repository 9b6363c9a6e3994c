// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include "../blocks.h"
#include "../rigid_fit.h"
#include "../segments.h"
#include "../values.h"

namespace {

using momap::metric::Futures;

constexpr size_t kFewestPoints = 3;  // fewer cannot be bent

/// Squared residuals over the points of one object and all later frames.
struct Residual {
  double squares = 0, count = 0;

  double rms() const { return std::sqrt(squares / count); }
};

/// `at(t, i)` is the position of pixel i in frame t.
template <class At>
Residual residual_of(const std::vector<int64_t>& pixels, int64_t frames, At at) {
  const Eigen::Vector3d origin = Eigen::Map<const Eigen::Vector3f>(at(0, pixels[0])).cast<double>();
  Residual residual;
  for (int64_t t = 1; t < frames; ++t) {
    momap::metric::RigidFit fit;
    for (const int64_t i : pixels) {
      const Eigen::Map<const Eigen::Vector3f> first(at(0, i)), now(at(t, i));
      fit.add(first.cast<double>() - origin, now.cast<double>() - origin);
    }
    residual.squares += fit.squared_residual();
    residual.count += fit.count();
  }
  return residual;
}

/// How far samples bend what is rigid: root mean square of what is left of each object's motion
/// after the best rigid fit, an object and a frame at a time. Objects that bend in truth (a flag, a
/// walker) do not count.
class Rigidity final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "samples: momap*, reference: clip";

  struct Params {
    double rigid_below_m = 0.001;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("rigid_below_m", &Params::rigid_below_m,
                "An object is rigid when the residual of its true motion is below this in every "
                "true future.")
              .unit("m")
              .above(0),
      };
    }
  };

  explicit Rigidity(Params params) : params_(params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const Futures futures(inputs, "metric/rigidity");
    const auto declared = momap::metric::error("rigid_residual", "m");
    if (!inputs.get<momap::Clip>("reference")->segments) {
      return {{momap::metric::undefined(declared, "the reference has no segments")}};
    }
    if (futures.frames() < 2) {
      return {{momap::metric::undefined(declared, futures.undefined_reason())}};
    }
    std::vector<std::vector<int64_t>> objects;
    for (auto& [id, pixels] : momap::metric::object_pixels(inputs, futures, "metric/rigidity")) {
      if (pixels.size() >= kFewestPoints) objects.push_back(std::move(pixels));
    }
    const size_t samples = futures.samples().size(), truths = futures.truths().size();
    std::vector<std::vector<Residual>> residuals(samples + truths);
    tbb::parallel_for(size_t{0}, samples + truths, [&](size_t n) {
      for (const auto& pixels : objects) {
        context.check_cancelled();
        residuals[n].push_back(residual_of(pixels, futures.frames(), [&](int64_t t, int64_t i) {
          return n < samples ? futures.sample_at(n, t, i) : futures.truths()[n - samples].at(t, i);
        }));
      }
    });

    for (const auto& of_objects : residuals) {
      for (const Residual& residual : of_objects) {
        if (!std::isfinite(residual.squares)) futures.refuse_not_finite();
      }
    }
    double sum = 0, count = 0;
    for (size_t k = 0; k < samples; ++k) {
      Residual total;
      for (size_t o = 0; o < objects.size(); ++o) {
        const bool rigid =
            std::all_of(residuals.begin() + static_cast<int64_t>(samples), residuals.end(),
                        [&](const auto& truth) { return truth[o].rms() < params_.rigid_below_m; });
        if (!rigid) continue;
        total.squares += residuals[k][o].squares;
        total.count += residuals[k][o].count;
      }
      if (total.count > 0) sum += total.rms(), ++count;
    }
    return {{momap::metric::mean(
        declared, sum, count,
        fmt::format("no object of {} valid pixels or more is rigid in truth", kFewestPoints))}};
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(
    Rigidity, "metric/rigidity", 1,
    "How far samples bend objects that are rigid in truth: residual of the best rigid fit.");
