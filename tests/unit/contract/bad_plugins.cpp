// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <momap/plugin/plugin.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <thread>

// Plugins that break one promise each, to see that the contract suite notices; and good ones, which
// it must not blame.

namespace {

using momap::Clip;
using momap::Context;
using momap::DataError;
using momap::param;
using momap::PartialClip;

struct NoParams {
  static auto schema() { return std::tuple{}; }
};

// Uncovered pixels become grey.
Clip filled(const PartialClip& partial) {
  Clip clip;
  clip.frames = partial.frames.clone();
  clip.fps = partial.fps;
  clip.covered = partial.covered.clone();
  for (int64_t i = 0; i < partial.covered.numel(); ++i) {
    if (partial.covered.data_ptr<bool>()[i]) continue;
    std::memset(clip.frames.data_ptr<uint8_t>() + 3 * i, 128, 3);
  }
  return clip;
}

#define MOMAP_TEST_COMPLETER(Class)                             \
  class Class final : public momap::Completer {                 \
   public:                                                      \
    using Params = NoParams;                                    \
    explicit Class(Params) {}                                   \
    Clip complete(const PartialClip&, const Context&) override; \
  };

MOMAP_TEST_COMPLETER(Good)
Clip Good::complete(const PartialClip& partial, const Context&) { return filled(partial); }

MOMAP_TEST_COMPLETER(Nondeterministic)
Clip Nondeterministic::complete(const PartialClip& partial, const Context&) {
  static std::atomic<int> calls{0};
  Clip clip = filled(partial);
  clip.caption = std::to_string(calls++);
  return clip;
}

MOMAP_TEST_COMPLETER(TouchesCovered)
Clip TouchesCovered::complete(const PartialClip& partial, const Context&) {
  Clip clip = filled(partial);
  clip.frames.data_ptr<uint8_t>()[0] ^= 1;
  return clip;
}

MOMAP_TEST_COMPLETER(CrashesOnOnePixel)
Clip CrashesOnOnePixel::complete(const PartialClip& partial, const Context&) {
  if (partial.frames.size(1) == 1) std::raise(SIGSEGV);
  return filled(partial);
}

MOMAP_TEST_COMPLETER(ThrowsOnOddSizes)
Clip ThrowsOnOddSizes::complete(const PartialClip& partial, const Context&) {
  if (partial.frames.size(2) == 23) throw std::out_of_range("row 17");
  return filled(partial);
}

MOMAP_TEST_COMPLETER(UsesUndeclaredSeed)
Clip UsesUndeclaredSeed::complete(const PartialClip& partial, const Context& context) {
  Clip clip = filled(partial);
  clip.caption = std::to_string(context.seed);
  return clip;
}

MOMAP_TEST_COMPLETER(DependsOnThreads)
Clip DependsOnThreads::complete(const PartialClip& partial, const Context&) {
  Clip clip = filled(partial);
  clip.caption = std::to_string(tbb::this_task_arena::max_concurrency());
  return clip;
}

// Two calls at once see each other's half-made value.
class SharesState final : public momap::Completer {
 public:
  using Params = NoParams;
  explicit SharesState(Params) {}
  Clip complete(const PartialClip& partial, const Context&) override {
    const int others = inside_.fetch_add(1);
    Clip clip = filled(partial);
    // Long enough for the other calls to come in.
    for (int i = 0; i < 200 && inside_.load() == 1; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    clip.caption = others > 0 ? "not alone" : "";
    inside_.fetch_sub(1);
    return clip;
  }

 private:
  std::atomic<int> inside_{0};
};

class ForgetsDefaults final : public momap::Completer {
 public:
  struct Params {
    int radius = 9;
    int Levels = 2;
    std::string mode = "fast";
    double share = 0.5;
    static auto schema() {
      return std::tuple{
          param("radius", &Params::radius, "Out of its range.").between(1, 8),
          param("Levels", &Params::Levels, "Not in snake case."),
          param("mode", &Params::mode, "Not among its choices.").one_of({"slow", "careful"}),
          param("share", &Params::share, ""),
      };
    }
  };
  explicit ForgetsDefaults(Params) {}
  Clip complete(const PartialClip& partial, const Context&) override { return filled(partial); }
};

class NeedsAFile final : public momap::Completer {
 public:
  struct Params {
    std::string weights;
    static auto schema() {
      return std::tuple{param("weights", &Params::weights, "The network.").required().file()};
    }
  };
  explicit NeedsAFile(Params) { throw std::logic_error("must not be made without its file"); }
  Clip complete(const PartialClip& partial, const Context&) override { return filled(partial); }
};

class WrongShape final : public momap::Warper {
 public:
  using Params = NoParams;
  explicit WrongShape(Params) {}
  PartialClip warp(const momap::Image& image, const momap::MoMap& momap, const momap::View&,
                   const Context&) override {
    const int64_t frames = momap.frames() + 1;  // one too many
    return {.frames = image.rgb.unsqueeze(0).repeat({frames, 1, 1, 1}),
            .covered = at::ones({frames, image.height(), image.width()}, at::kBool),
            .depth = at::ones({frames, image.height(), image.width()}, at::kFloat),
            .dropped = at::zeros({frames, momap::kDropReasons}, at::kLong),
            .fps = 0};
  }
};

class DepthWithoutNumber final : public momap::Warper {
 public:
  using Params = NoParams;
  explicit DepthWithoutNumber(Params) {}
  PartialClip warp(const momap::Image& image, const momap::MoMap& momap, const momap::View&,
                   const Context&) override {
    const int64_t frames = momap.frames();
    return {.frames = image.rgb.unsqueeze(0).repeat({frames, 1, 1, 1}),
            .covered = at::ones({frames, image.height(), image.width()}, at::kBool),
            .depth = at::zeros({frames, image.height(), image.width()}, at::kFloat).fill_(NAN),
            .dropped = at::zeros({frames, momap::kDropReasons}, at::kLong),
            .fps = 0};
  }
};

// Noise that depends on how many samples were asked for.
class CountsSamples final : public momap::Sampler {
 public:
  struct Params {
    int samples = 2;
    static auto schema() {
      return std::tuple{param("samples", &Params::samples, "How many.").between(1, 64)};
    }
  };
  explicit CountsSamples(Params params) : params_(params) {}
  momap::Latent sample(const momap::Backbone& backbone, const momap::Condition& condition,
                       const Context&) override {
    const auto grid = backbone.prepare(condition).spatial;
    momap::Latent latent{
        .values = at::zeros({params_.samples, backbone.spec().channels, grid.size(2), grid.size(3)},
                            at::kFloat),
        .spec = backbone.spec().latent};
    latent.spec.height = condition.camera.height;
    latent.spec.width = condition.camera.width;
    for (int k = 0; k < params_.samples; ++k) latent.values[k].fill_(k + 0.1 * params_.samples);
    return latent;
  }

 private:
  Params params_;
};

class LosesFirstFrame final : public momap::Encoding {
 public:
  using Params = NoParams;
  explicit LosesFirstFrame(Params) {}
  momap::Latent encode(const momap::MoMap& map, const Context&) override {
    return {
        .values =
            map.xyz.permute({0, 3, 1, 2}).reshape({1, -1, map.height(), map.width()}).contiguous(),
        .spec = {.encoding = "encoding/loses_first_frame",
                 .version = 1,
                 .normalization = "",
                 .frames = map.frames(),
                 .height = map.height(),
                 .width = map.width()}};
  }
  momap::MoMap decode(const momap::Latent& latent, const momap::Condition& condition,
                      const Context&) override {
    const auto& spec = latent.spec;
    if (spec.encoding != "encoding/loses_first_frame") return {};
    return {.xyz = latent.values.reshape({spec.frames, 3, spec.height, spec.width})
                       .permute({0, 2, 3, 1})
                       .contiguous()
                       .mul(1.01),
            .visible = at::ones({spec.frames, spec.height, spec.width}, at::kBool),
            .valid = at::ones({spec.height, spec.width}, at::kBool),
            .camera = condition.camera};
  }
};

class ScoresNan final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "result: clip, reference: clip";
  using Params = NoParams;
  explicit ScoresNan(Params) {}
  momap::Score score(const momap::Inputs&, const Context&) override {
    return {{{.name = "psnr",
              .unit = "dB",
              .direction = momap::Direction::higher_is_better,
              .value = NAN,
              .undefined_reason = ""}}};
  }
};

class LeavesTemporary final : public momap::Output {
 public:
  static constexpr const char* kInputs = "clip: clip";
  using Params = NoParams;
  explicit LeavesTemporary(Params) {}
  std::filesystem::path write(const momap::Inputs&, const std::filesystem::path& stem,
                              const Context&) override {
    const auto path = std::filesystem::path(stem).concat(".txt");
    std::ofstream(path) << "result";
    std::ofstream(std::filesystem::path(stem).concat(".tmp")) << "half";
    return path;
  }
};

class SourceWithSlashes final : public momap::Source {
 public:
  using Params = NoParams;
  explicit SourceWithSlashes(Params) {}
  int64_t size() override { return 1; }
  Clip sample(int64_t, const Context&) override {
    Clip clip;
    clip.frames = at::zeros({1, 2, 2, 3}, at::kByte);
    return clip;
  }
  std::string name(int64_t) override { return "a/b"; }
  std::string fingerprint(int64_t) override { return "1"; }
};

class Repaints final : public momap::Annotator {
 public:
  using Params = NoParams;
  explicit Repaints(Params) {}
  Clip annotate(const Clip& clip, const Context&) override {
    Clip out = clip;
    out.frames = clip.frames.clone().fill_(1);
    return out;
  }
};

class Exits final : public momap::Extractor {
 public:
  using Params = NoParams;
  explicit Exits(Params) {}
  momap::MoMap extract(const Clip&, const Context&) override { std::_Exit(5); }
};

class PredictsInfinity final : public momap::Backbone {
 public:
  using Params = NoParams;
  explicit PredictsInfinity(Params) {}
  momap::BackboneSpec spec() const override {
    momap::BackboneSpec spec;
    spec.channels = 2;
    return spec;
  }
  momap::Conditioning prepare(const momap::Condition&) const override { return {}; }
  at::Tensor predict(const at::Tensor& noisy, const at::Tensor&,
                     const momap::Conditioning&) const override {
    return at::zeros(noisy.sizes(), at::kFloat).fill_(INFINITY);
  }
};

}  // namespace

MOMAP_PLUGIN(Good, "completion/good", 1, "Keeps every promise.");
MOMAP_PLUGIN(Nondeterministic, "completion/nondeterministic", 1, "Differs at each call.");
MOMAP_PLUGIN(TouchesCovered, "completion/touches_covered", 1, "Changes a covered pixel.");
MOMAP_PLUGIN(CrashesOnOnePixel, "completion/crashes_on_one_pixel", 1, "Crashes on one pixel.");
MOMAP_PLUGIN(ThrowsOnOddSizes, "completion/throws_on_odd_sizes", 1, "Throws what it must not.");
MOMAP_PLUGIN(UsesUndeclaredSeed, "completion/uses_undeclared_seed", 1, "Uses a seed in secret.");
MOMAP_PLUGIN(DependsOnThreads, "completion/depends_on_threads", 1, "Depends on the threads.");
MOMAP_PLUGIN(SharesState, "completion/shares_state", 1, "Shares state between calls.");
MOMAP_PLUGIN(ForgetsDefaults, "completion/forgets_defaults", 1, "Breaks its own rules.");
MOMAP_PLUGIN(NeedsAFile, "completion/needs_a_file", 1, "Cannot be made without a file.");
MOMAP_PLUGIN(WrongShape, "warping/wrong_shape", 1, "Returns a frame too many.");
MOMAP_PLUGIN(DepthWithoutNumber, "warping/depth_without_number", 1, "Has NaN for covered depth.");
MOMAP_PLUGIN(CountsSamples, "sampling/counts_samples", 1, "Depends on how many are drawn.");
MOMAP_PLUGIN(LosesFirstFrame, "encoding/loses_first_frame", 1, "Scales the first frame.");
MOMAP_PLUGIN(ScoresNan, "metric/scores_nan", 1, "Scores what is not a number.");
MOMAP_PLUGIN(LeavesTemporary, "output/leaves_temporary", 1, "Leaves a second file.");
MOMAP_PLUGIN(SourceWithSlashes, "source/source_with_slashes", 1, "Names samples as paths.");
MOMAP_PLUGIN(Repaints, "annotation/repaints", 1, "Changes the frames.");
MOMAP_PLUGIN(Exits, "extraction/exits", 1, "Ends the process.");
MOMAP_PLUGIN(PredictsInfinity, "backbone/predicts_infinity", 1, "Predicts infinity.");
