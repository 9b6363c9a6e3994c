// SPDX-License-Identifier: Apache-2.0
// Plugins that watch how the kernel runs them and tell by their outputs.
#include <ATen/Functions.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/random.h>
#include <momap/plugin/plugin.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

namespace {

std::atomic<int> active{0};  // calls of any probe annotation at this moment
std::atomic<int> alive{0};   // samples between their source and their metric

class Active {
 public:
  Active() : others_(active++) {}
  ~Active() { --active; }
  int others() const { return others_; }

 private:
  int others_;
};

struct NoParams {
  static auto schema() { return std::tuple{}; }
};

bool contains(const std::vector<int>& list, const momap::Clip& clip) {
  return std::ranges::count(list, clip.frames.flatten()[0].item<int>()) > 0;
}

// Sample i is a gray clip of value i, named "s<i>"; its caption says how many samples were alive.
class ProbeSource final : public momap::Source {
 public:
  static constexpr auto kConcurrency = momap::Concurrency::serial;
  struct Params {
    int samples = 4;
    std::string file;
    static auto schema() {
      using momap::param;
      return std::tuple{param("samples", &Params::samples, "How many.").between(0, 1e6),
                        param("file", &Params::file, "Some file.").file()};
    }
  };
  explicit ProbeSource(Params params) : params_(std::move(params)) {}
  int64_t size() override { return params_.samples; }
  std::string name(int64_t i) override { return fmt::format("s{}", i); }
  std::string fingerprint(int64_t i) override { return fmt::format("probe {}", i); }
  momap::Clip sample(int64_t i, const momap::Context&) override {
    momap::Clip clip;
    clip.frames = at::full({2, 4, 6, 3}, i, at::kByte);
    clip.caption = fmt::format("alive={}", ++alive);
    return clip;
  }

 private:
  Params params_;
};
MOMAP_PLUGIN(ProbeSource, "source/probe", 1, "Gray clips.");

// Passes clips on; fails, throws or crashes on the samples it is told to.
class ProbePass final : public momap::Annotator {
 public:
  struct Params {
    std::vector<int> fail_on;
    std::vector<int> throw_on;
    std::vector<int> throw_odd_on;
    std::vector<int> crash_on;
    int sleep_ms = 0;
    double level = 1;
    static auto schema() {
      using momap::param;
      return std::tuple{param("fail_on", &Params::fail_on, "DataError on these."),
                        param("throw_on", &Params::throw_on, "std::runtime_error on these."),
                        param("throw_odd_on", &Params::throw_odd_on, "An int on these."),
                        param("crash_on", &Params::crash_on, "Segmentation fault on these."),
                        param("sleep_ms", &Params::sleep_ms, "Takes so long.")
                            .at_least(0)
                            .unit("ms")
                            .runtime_only(),
                        param("level", &Params::level, "Something with a range.").between(0, 10)};
    }
  };
  explicit ProbePass(Params params) : params_(std::move(params)) {}
  momap::Clip annotate(const momap::Clip& clip, const momap::Context& context) override {
    const Active here;
    for (int ms = 0; ms < params_.sleep_ms; ++ms) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      context.check_cancelled();
    }
    if (contains(params_.fail_on, clip)) throw momap::DataError("told to fail; nothing to mend");
    if (contains(params_.throw_on, clip)) throw std::runtime_error("told to throw");
    if (contains(params_.throw_odd_on, clip)) throw 7;
    if (contains(params_.crash_on, clip)) std::raise(SIGSEGV);
    return clip;
  }

 private:
  Params params_;
};
MOMAP_PLUGIN(ProbePass, "annotation/probe_pass", 1, "Passes on, or fails as told.");

// Says in the caption the how-manieth call it was.
class ProbeSerial final : public momap::Annotator {
 public:
  static constexpr auto kConcurrency = momap::Concurrency::serial;
  using Params = NoParams;
  explicit ProbeSerial(Params) {}
  momap::Clip annotate(const momap::Clip& clip, const momap::Context&) override {
    momap::Clip out = clip;
    out.caption += fmt::format(" call={}", calls_++);
    return out;
  }

 private:
  int calls_ = 0;  // not atomic: the kernel promises one call at a time
};
MOMAP_PLUGIN(ProbeSerial, "annotation/probe_serial", 1, "Counts its calls.");

// Says in the caption how many other calls were going on, and how many threads it was given.
class ProbeAlone final : public momap::Annotator {
 public:
  static constexpr auto kConcurrency = momap::Concurrency::whole_machine;
  using Params = NoParams;
  explicit ProbeAlone(Params) {}
  momap::Clip annotate(const momap::Clip& clip, const momap::Context& context) override {
    const Active here;
    int most = here.others();
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
      most = std::max(most, active - 1);
    }
    momap::Clip out = clip;
    out.caption += fmt::format(" others={} threads={}", most, context.threads);
    return out;
  }
};
MOMAP_PLUGIN(ProbeAlone, "annotation/probe_alone", 1, "Looks who else is running.");

class ProbeNoise final : public momap::Annotator {
 public:
  static constexpr bool kUsesSeed = true;
  using Params = NoParams;
  explicit ProbeNoise(Params) {}
  momap::Clip annotate(const momap::Clip& clip, const momap::Context& context) override {
    momap::Clip out = clip;
    std::vector<float> noise(static_cast<size_t>(clip.frames.numel()));
    momap::Random(context.seed).fill_normal(noise);
    out.frames = clip.frames.clone();
    for (size_t i = 0; i < noise.size(); ++i) {
      out.frames.data_ptr<uint8_t>()[i] +=
          static_cast<uint8_t>(static_cast<int>(noise[i] * 20) & 0xff);
    }
    return out;
  }
};
MOMAP_PLUGIN(ProbeNoise, "annotation/probe_noise", 1, "Adds noise from the seed.");

/// The mean and the number of all samples, whose order shows in `last`.
class ProbePool final : public momap::ScorePool {
 public:
  void add(const momap::Score& score) override {
    const double mean = score.features.at("mean").item<double>();
    if (mean == 13) throw momap::DataError("13 does not fit");
    sum_ += last_ = mean;
    ++count_;
  }
  momap::Score total() const override {
    using momap::Direction;
    if (count_ == 0) return {{{"pooled", "levels", Direction::lower_is_better, {}, "no sample"}}};
    return {{{"pooled", "levels", Direction::lower_is_better, sum_ / count_, ""},
             {"last", "levels", Direction::lower_is_better, last_, ""}}};
  }

 private:
  double sum_ = 0, last_ = 0;
  int count_ = 0;
};

class ProbeMean final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "result: clip, reference: clip | momap?, all: clip*?";
  struct Params {
    std::string mode = "mean";
    static auto schema() {
      return std::tuple{
          momap::param("mode", &Params::mode, "What.").one_of({"mean", "undefined", "pool"})};
    }
  };
  explicit ProbeMean(Params params) : params_(std::move(params)) {}
  momap::Score score(const momap::Inputs& in, const momap::Context&) override {
    --alive;
    momap::ScoreValue value{"mean", "levels", momap::Direction::lower_is_better, {}, "told so"};
    if (params_.mode != "undefined") {
      value.value = in.get<momap::Clip>("result")->frames.to(at::kDouble).mean().item<double>();
      value.undefined_reason.clear();
    }
    momap::Score score{{value}};
    if (params_.mode == "pool") {
      score.features["mean"] = at::full({1}, *value.value, at::kFloat);
    }
    return score;
  }
  std::unique_ptr<momap::ScorePool> pool() const override {
    return params_.mode == "pool" ? std::make_unique<ProbePool>() : nullptr;
  }

 private:
  Params params_;
};
MOMAP_PLUGIN(ProbeMean, "metric/probe_mean", 1, "Mean value.");

class ProbeText final : public momap::Output {
 public:
  static constexpr const char* kInputs = "value: clip";
  using Params = NoParams;
  explicit ProbeText(Params) {}
  std::filesystem::path write(const momap::Inputs& in, const std::filesystem::path& stem,
                              const momap::Context&) override {
    auto path = stem;
    path += ".txt";
    momap::write_file(path, in.get<momap::Clip>("value")->caption + "\n");
    return path;
  }
};
MOMAP_PLUGIN(ProbeText, "output/probe_text", 1, "Writes the caption.");

}  // namespace
