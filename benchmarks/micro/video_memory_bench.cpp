// SPDX-License-Identifier: Apache-2.0
// Peak memory of source/video over 20,000 frames: growth after the first 1,000 must stay within 50
// MB.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/catalog/catalog.h>
#include <momap/plugin/loader.h>
#include <momap/run/process.h>
#include <momap/run/threads.h>
#include <momap/stage/source.h>

#include <algorithm>
#include <opencv2/videoio.hpp>

namespace momap {
namespace {

constexpr int kFrames = 20'000;

// A long video made by looping a short one.
std::filesystem::path looped(const std::filesystem::path& folder) {
  const std::string input = "/usr/share/doc/opencv-doc/examples/data/vtest.avi";
  const auto path = folder / "long.mp4";
  cv::VideoCapture in(input);
  cv::VideoWriter out(path.string(), cv::VideoWriter::fourcc('m', 'p', '4', 'v'), 10, {768, 576});
  cv::Mat frame;
  for (int i = 0; i < kFrames; ++i) {
    if (!in.read(frame)) {
      in.open(input);
      in.read(frame);
    }
    out.write(frame);
  }
  return path;
}

void read_20000_frames(benchmark::State& state) {
  const TemporaryFolder folder("momap-bench");
  const auto path = looped(folder.path());
  const Catalog catalog = Catalog::read({MOMAP_PLUGINS_FOLDER}, describe_in_children);
  const PluginInfo& info = *catalog.find("source/video");
  auto values = default_values(info.params);
  std::ranges::find(values, "path", &ParamValues::value_type::first)->second = path.string();
  for (auto _ : state) {
    const auto source = PluginLibrary::open(info.library)->make<Source>(info.id, values);
    int64_t early = 0;
    int64_t frames = 0;
    for (int64_t i = 0; i < source->size(); ++i) {
      frames += source->sample(i, {}).length();
      if (frames <= 1000) early = peak_resident_bytes();
    }
    state.counters["frames"] = static_cast<double>(frames);
    state.counters["growth_MB"] = static_cast<double>(peak_resident_bytes() - early) / 1e6;
    state.counters["peak_MB"] = static_cast<double>(peak_resident_bytes()) / 1e6;
  }
}
BENCHMARK(read_20000_frames)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace momap

int main(int argc, char** argv) {
  const momap::ThreadBudget budget(2);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
