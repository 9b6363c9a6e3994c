// SPDX-License-Identifier: Apache-2.0
// Completers on photographs of 512 x 512 px with crescents as moving discs leave, on one thread:
// milliseconds and PSNR in the holes, means over the photographs.
//   bench.completion PHOTOGRAPH... [unet_inpaint=WEIGHTS.safetensors] [only=NAME]
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <momap/data/opencv.h>
#include <momap/run/threads.h>
#include <momap/stage/completer.h>
#include <momap/stage/torch_threads.h>
#include <momap/stage/warper.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "made_plugin.h"

namespace momap {
namespace {

constexpr int kSide = 512;
constexpr int kRepetitions = 3;

Image read(const std::string& path) {
  cv::Mat picture = cv::imread(path);
  if (picture.empty()) throw ConfigError(path + " cannot be read as a picture");
  cv::resize(picture, picture, {kSide, kSide}, 0, 0, cv::INTER_AREA);
  cv::cvtColor(picture, picture, cv::COLOR_BGR2RGB);
  return {to_tensor(picture)};
}

PartialClip with_holes(const Image& image, double share) {
  const Camera camera{kSide, kSide, 0.5 * (kSide - 1), 0.5 * (kSide - 1), kSide, kSide};
  const MoMap still{at::ones({1, kSide, kSide, 3}), at::ones({1, kSide, kSide}, at::kBool),
                    at::ones({kSide, kSide}, at::kBool), camera};
  Context context;
  context.seed = 1;
  return make<Warper>("warping/cutout", {{"share", share}})->warp(image, still, context);
}

struct Entry {
  std::string name, id, library;
  ParamValues params;
};

void measure(const std::vector<std::string>& photographs, const std::string& weights,
             const std::string& only) {
  std::vector<Entry> entries{
      {"pull_push", "completion/pull_push", "", {}},
      {"background", "completion/background", "", {}},
      {"navier_stokes r3",
       "completion/navier_stokes",
       "completion/opencv_inpaint",
       {{"radius_px", 3.0}}},
      {"telea r5", "completion/telea", "completion/opencv_inpaint", {{"radius_px", 5.0}}},
      {"frequency_selective", "completion/frequency_selective", "completion/opencv_inpaint", {}}};
  if (!weights.empty()) {
    entries.push_back({"unet_inpaint", "completion/unet_inpaint", "", {{"weights", weights}}});
  }
  for (const double share : {0.05, 0.15}) {
    fmt::print("{:.0f} % holes, {} photographs\n", 100 * share, photographs.size());
    for (const Entry& entry : entries) {
      if (!only.empty() && entry.name != only) continue;
      const auto completer = make<Completer>(entry.id, entry.params, entry.library);
      double milliseconds = 0, psnr = 0;
      for (const std::string& path : photographs) {
        const Image image = read(path);
        const PartialClip partial = with_holes(image, share);
        std::vector<double> times;
        at::Tensor filled;
        for (int i = 0; i < kRepetitions; ++i) {
          const auto begin = std::chrono::steady_clock::now();
          filled = completer->complete(partial, {}).frames;
          times.push_back(
              std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                  .count());
        }
        std::ranges::sort(times);
        milliseconds += times[kRepetitions / 2];
        const at::Tensor holes = partial.covered[0].logical_not().unsqueeze(-1);
        const at::Tensor error =
            (filled[0].to(at::kDouble) - image.rgb.to(at::kDouble)).masked_select(holes);
        psnr += 10 * std::log10(255 * 255 / error.square().mean().item<double>());
      }
      const auto count = static_cast<double>(photographs.size());
      fmt::print("  {:<20} {:>9.2f} ms  {:>6.2f} dB\n", entry.name, milliseconds / count,
                 psnr / count);
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace momap

int main(int argc, char** argv) {
  const momap::ThreadBudget budget(1);
  momap::keep_torch_on_this_thread();
  cv::setNumThreads(1);
  const std::string kWeights = "unet_inpaint=", kOnly = "only=";
  std::string weights, only;
  std::vector<std::string> photographs;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with(kWeights)) {
      weights = argument.substr(kWeights.size());
    } else if (argument.starts_with(kOnly)) {
      only = argument.substr(kOnly.size());
    } else {
      photographs.push_back(argument);
    }
  }
  momap::measure(photographs, weights, only);
}
