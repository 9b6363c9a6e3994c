// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <momap/data/geometry.h>
#include <momap/data/opencv.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>
#include <tbb/global_control.h>

#include <opencv2/imgproc.hpp>

// One frame of 512 x 512 px by one thread; cv::remap, which moves the same pixels without a
// z-buffer, is the yardstick.

namespace {

constexpr int64_t kSide = 512;

momap::Image gradient_image() {
  const at::Tensor ramp = at::arange(kSide * kSide * 3, at::kInt).remainder(251);
  return {ramp.reshape({kSide, kSide, 3}).to(at::kByte)};
}

void point_splat(benchmark::State& state) {
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  const momap::Camera camera{500, 500, 255.5, 255.5, kSide, kSide};
  const at::Tensor points = momap::unproject(at::full({kSide, kSide}, 2.0f), camera);
  momap::MoMap map{points.unsqueeze(0).clone(), at::ones({1, kSide, kSide}, at::kBool),
                   at::ones({kSide, kSide}, at::kBool), camera};
  map.xyz.select(-1, 0).add_(0.0052);  // 1.3 px
  map.xyz.select(-1, 2).mul_(2.0 / static_cast<double>(state.range(0)));
  const momap::Image image = gradient_image();
  const auto plugin = momap::testing::make_plugin<momap::Warper>("warping/point_splat");
  for (auto _ : state) {
    benchmark::DoNotOptimize(plugin->warp(image, map, momap::testing::context()));
  }
}
BENCHMARK(point_splat)->ArgName("half_scale")->Arg(2)->Arg(4)->Unit(benchmark::kMillisecond);

void cv_remap(benchmark::State& state) {
  cv::setNumThreads(1);
  const momap::Image image = gradient_image();
  const cv::Mat source = momap::as_mat(image.rgb);
  cv::Mat map(kSide, kSide, CV_32FC2), target;
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      map.at<cv::Vec2f>(y, x) = {static_cast<float>(x) - 1.3f, static_cast<float>(y)};
    }
  }
  for (auto _ : state) {
    cv::remap(source, target, map, cv::noArray(), cv::INTER_LINEAR);
    benchmark::DoNotOptimize(target.data);
  }
}
BENCHMARK(cv_remap)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
