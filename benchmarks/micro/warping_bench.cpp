// SPDX-License-Identifier: Apache-2.0
// The warpers against cv::remap (u8C3, bilinear, a frame at a time), in turn in one process:
// medians of their ratios on 1 and 2 threads. Then softmax splatting with gradients against the
// same in LibTorch operations, and the memory that 4k frames take.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <momap/catalog/catalog.h>
#include <momap/data/geometry.h>
#include <momap/data/opencv.h>
#include <momap/plugin/loader.h>
#include <momap/run/process.h>
#include <momap/run/threads.h>
#include <momap/stage/torch_threads.h>
#include <momap/stage/warper.h>
#include <softmax_splat/splat.h>
#include <tbb/global_control.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace momap {
namespace {

constexpr int64_t kSide = 512;
constexpr int64_t kFrames = 24;
constexpr int kRepetitions = 7;

double milliseconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

Image gradient_image(int64_t height, int64_t width) {
  const at::Tensor ramp = at::arange(height * width * 3, at::kInt).remainder(251);
  return {ramp.reshape({height, width, 3}).to(at::kByte)};
}

/// A hilly surface in front of the camera, and a board nearer to it.
MoMap scene(const std::string& motion, int64_t frames, int64_t height, int64_t width) {
  const double focal = static_cast<double>(width);
  const Camera camera{
      focal, focal, 0.5 * static_cast<double>(width - 1), 0.5 * static_cast<double>(height - 1),
      width, height};
  const at::Tensor x = at::linspace(-1, 1, width).unsqueeze(0);
  const at::Tensor y = at::linspace(-1, 1, height).unsqueeze(1);
  at::Tensor depth = 3 + 0.5 * (x * 5).sin() * (y * 7).cos();
  if (motion == "board") {
    depth.slice(0, height / 4, height / 2).slice(1, width / 4, width / 2).fill_(1.5);
  }
  MoMap map{unproject(depth, camera).unsqueeze(0).repeat({frames, 1, 1, 1}),
            at::ones({frames, height, width}, at::kBool), at::ones({height, width}, at::kBool),
            camera};
  for (int64_t t = 0; t < frames; ++t) {
    const double part =
        static_cast<double>(t) / static_cast<double>(std::max<int64_t>(frames, 2) - 1);
    at::Tensor xyz = map.xyz[t];
    if (motion == "shift") xyz.select(-1, 0).add_(0.06 * part);
    if (motion == "dolly-in x1.4") xyz.select(-1, 2).sub_(0.85 * part);
    if (motion == "board") {
      xyz.slice(0, height / 4, height / 2)
          .slice(1, width / 4, width / 2)
          .select(-1, 0)
          .add_(0.4 * part);
    }
    if (motion == "turn 10 degrees") {
      const double angle = part * 10 * 3.14159265358979 / 180;
      const at::Tensor px = xyz.select(-1, 0).clone(), py = xyz.select(-1, 1).clone();
      xyz.select(-1, 0).copy_(px * std::cos(angle) - py * std::sin(angle));
      xyz.select(-1, 1).copy_(px * std::sin(angle) + py * std::cos(angle));
    }
  }
  return map;
}

class Remap {
 public:
  Remap() : image_(gradient_image(kSide, kSide)), map_(kSide, kSide, CV_32FC2) {
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        map_.at<cv::Vec2f>(y, x) = {static_cast<float>(x) - 1.3f, static_cast<float>(y) + 0.4f};
      }
    }
  }
  void operator()() {
    for (int64_t t = 0; t < kFrames; ++t) {
      cv::remap(as_mat(image_.rgb), target_, map_, cv::noArray(), cv::INTER_LINEAR);
    }
  }

 private:
  Image image_;
  cv::Mat map_, target_;
};

/// Splatting by index_add, gradients by autograd.
void splat_in_torch(const at::Tensor& colour, const at::Tensor& position, const at::Tensor& metric,
                    const at::Tensor& out_gradient) {
  const at::Tensor weight = (metric - metric.max()).exp();
  const at::Tensor values =
      at::cat({colour, at::ones({colour.size(0), 1})}, 1) * weight.unsqueeze(1);
  const at::Tensor corner = position.detach().floor();
  const at::Tensor part = position - corner;
  at::Tensor sums = at::zeros({kSide * kSide, 4});
  for (int i = 0; i < 4; ++i) {
    const int dx = i & 1, dy = i >> 1;
    const at::Tensor x = corner.select(1, 0) + dx, y = corner.select(1, 1) + dy;
    const at::Tensor inside = x.ge(0) & x.lt(kSide) & y.ge(0) & y.lt(kSide);
    const at::Tensor share_x = dx ? part.select(1, 0) : 1 - part.select(1, 0);
    const at::Tensor share_y = dy ? part.select(1, 1) : 1 - part.select(1, 1);
    const at::Tensor pixel = (y.clamp(0, kSide - 1) * kSide + x.clamp(0, kSide - 1)).to(at::kLong);
    sums = sums.index_add(0, pixel, values * (share_x * share_y * inside).unsqueeze(1));
  }
  const at::Tensor out = sums.slice(1, 0, 3) / sums.slice(1, 3, 4).clamp_min(1e-30);
  torch::autograd::grad({out}, {colour, position, metric}, {out_gradient});
}

void compare_gradients() {
  const int64_t n = kSide * kSide;
  at::manual_seed(1);
  const at::Tensor grid_y = at::arange(kSide, at::kFloat).view({kSide, 1}).expand({kSide, kSide});
  const at::Tensor grid_x = at::arange(kSide, at::kFloat).view({1, kSide}).expand({kSide, kSide});
  const at::Tensor position =
      (at::stack({grid_x * 1.05, grid_y * 0.97}, -1).reshape({n, 2}) + 0.3).contiguous();
  const at::Tensor colour = at::rand({n, 3}), metric = at::rand({n}) * 20;
  const at::Tensor gradient = at::randn({n, 3});
  const at::Tensor leaf_colour = colour.clone().requires_grad_();
  const at::Tensor leaf_position = position.clone().requires_grad_();
  const at::Tensor leaf_metric = metric.clone().requires_grad_();
  std::vector<warping::SplatSums> sums(n);
  std::vector<float> out(3 * n), weights(n), by_colour(3 * n), by_position(2 * n), by_metric(n);
  const warping::SplatPoints points{n, colour.data_ptr<float>(), position.data_ptr<float>(),
                                    metric.data_ptr<float>()};
  std::vector<double> ours, torch, ratios;
  for (int i = 0; i < kRepetitions; ++i) {
    ours.push_back(milliseconds([&] {
      warping::splat_forward(points, warping::Blend::softmax, kSide, kSide, sums.data(), out.data(),
                             weights.data());
      warping::splat_backward(points, warping::Blend::softmax, kSide, kSide, sums.data(),
                              out.data(), weights.data(), gradient.data_ptr<float>(),
                              by_colour.data(), by_position.data(), by_metric.data());
    }));
    torch.push_back(
        milliseconds([&] { splat_in_torch(leaf_colour, leaf_position, leaf_metric, gradient); }));
    ratios.push_back(torch.back() / ours.back());
  }
  fmt::print(
      "softmax splat forward + backward, 1 thread: {:.2f} ms; LibTorch operations {:.2f} ms; "
      "{:.1f} times faster\n",
      median(ours), median(torch), median(ratios));
}

void measure(const Catalog& catalog) {
  cv::setNumThreads(1);
  const Image image = gradient_image(kSide, kSide);
  Remap remap;
  fmt::print("{} frames of {} x {} px; cv::remap on 1 thread = 1\n", kFrames, kSide, kSide);
  fmt::print("{:<16} {:<16} {:>14} {:>14} {:>12}\n", "warper", "motion", "1 thread", "2 threads",
             "ms a frame");
  for (const char* motion : {"still", "shift", "board", "turn 10 degrees", "dolly-in x1.4"}) {
    const MoMap map = scene(motion, kFrames, kSide, kSide);
    for (const char* id : {"warping/point_splat", "warping/softmax_splat", "warping/mesh"}) {
      const PluginInfo& info = *catalog.find(id);
      const auto warper =
          PluginLibrary::open(info.library)->make<Warper>(id, default_values(info.params));
      std::vector<double> ratios[2], times;
      for (int i = 0; i < kRepetitions; ++i) {
        const double yardstick = milliseconds([&] { remap(); });
        for (const int threads : {1, 2}) {
          const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
          const double time = milliseconds([&] { warper->warp(image, map, Context{}); });
          ratios[threads - 1].push_back(time / yardstick);
          if (threads == 1) times.push_back(time / kFrames);
        }
      }
      fmt::print("{:<16} {:<16} {:>14.2f} {:>14.2f} {:>12.2f}\n", std::string(id).substr(8), motion,
                 median(ratios[0]), median(ratios[1]), median(times));
      std::fflush(stdout);
    }
  }
}

void measure_memory(const Catalog& catalog) {
  const PluginInfo& info = *catalog.find("warping/point_splat");
  const auto warper =
      PluginLibrary::open(info.library)->make<Warper>(info.id, default_values(info.params));
  constexpr int64_t kHeight = 2160, kWidth = 3840;
  const Image image = gradient_image(kHeight, kWidth);
  for (const int64_t frames : {2, 8}) {
    const MoMap map = scene("shift", frames, kHeight, kWidth);
    const int64_t before = peak_resident_bytes();
    const PartialClip out = warper->warp(image, map, Context{});
    const auto result =
        static_cast<double>(out.frames.nbytes() + out.covered.nbytes() + out.depth.nbytes());
    fmt::print(
        "point_splat, {} frames of 3840 x 2160 px: peak grew by {:.0f} MB, the result is "
        "{:.0f} MB\n",
        frames, static_cast<double>(peak_resident_bytes() - before) / 1e6, result / 1e6);
  }
}

/// A disc of the photograph, at half the depth of the rest, turns, comes nearer and moves right.
void draw_picture(const Catalog& catalog, const std::string& photo, const std::string& file) {
  cv::Mat read = cv::imread(photo);
  if (read.empty()) throw ConfigError(photo + " cannot be read as a picture");
  cv::resize(read, read, {320, 240}, 0, 0, cv::INTER_AREA);
  cv::Mat rgb;
  cv::cvtColor(read, rgb, cv::COLOR_BGR2RGB);
  const Image image{to_tensor(rgb)};
  const Camera camera{320, 320, 159.5, 119.5, 320, 240};
  const at::Tensor x = at::arange(320, at::kFloat).unsqueeze(0);
  const at::Tensor y = at::arange(240, at::kFloat).unsqueeze(1);
  const at::Tensor disc = ((x - 130).square() + (y - 120).square()).lt(60 * 60);
  const at::Tensor rest = unproject(at::full({240, 320}, 4.0f), camera);
  const at::Tensor near = unproject(at::full({240, 320}, 2.0f), camera);
  const double turn = 0.35;
  const at::Tensor px = near.select(-1, 0) + 0.18, py = near.select(-1, 1);
  const at::Tensor moved =
      at::stack({px * std::cos(turn) - py * std::sin(turn) + 0.15,
                 px * std::sin(turn) + py * std::cos(turn), at::full_like(px, 1.3f)},
                -1);
  const MoMap map{at::where(disc.unsqueeze(-1), moved, rest).unsqueeze(0).contiguous(),
                  at::ones({1, 240, 320}, at::kBool), at::ones({240, 320}, at::kBool), camera};
  std::vector<cv::Mat> panels{read};
  for (const char* id : {"warping/point_splat", "warping/softmax_splat", "warping/mesh"}) {
    const PluginInfo& info = *catalog.find(id);
    // The map's frame 0 is where the points came to; surfaces are told by their depth all the same.
    const auto out = PluginLibrary::open(info.library)
                         ->make<Warper>(id, default_values(info.params))
                         ->warp(image, map, Context{});
    cv::Mat panel;
    cv::cvtColor(as_mat(out.frames[0].contiguous()), panel, cv::COLOR_RGB2BGR);
    const at::Tensor open = out.covered[0].logical_not().to(at::kByte).contiguous();
    panel.setTo(cv::Scalar(255, 0, 255), as_mat(open));
    panels.push_back(panel);
  }
  std::vector<cv::Mat> rows(2);
  cv::hconcat(panels, rows[0]);
  // Below, a part enlarged four times.
  for (cv::Mat& panel : panels) {
    cv::resize(panel(cv::Rect(150, 60, 80, 60)).clone(), panel, {320, 240}, 0, 0,
               cv::INTER_NEAREST);
  }
  cv::hconcat(panels, rows[1]);
  cv::Mat picture;
  cv::vconcat(rows, picture);
  if (!cv::imwrite(file, picture)) throw ConfigError(file + " cannot be written");
}

}  // namespace
}  // namespace momap

int main(int argc, char** argv) {
  const momap::Catalog catalog =
      momap::Catalog::read({MOMAP_PLUGINS_FOLDER}, momap::describe_in_children);
  const momap::ThreadBudget budget(2);
  momap::keep_torch_on_this_thread();
  if (argc == 3) {
    momap::draw_picture(catalog, argv[1], argv[2]);
    return 0;
  }
  momap::measure(catalog);
  momap::compare_gradients();
  momap::measure_memory(catalog);
}
