// SPDX-License-Identifier: Apache-2.0
// Frames half-way between two photographs, by warping along estimated motion, against the true
// photograph:
//   bench.halfway FOLDER... [raft_small=WEIGHTS.npz]
// A folder holds frame10.png, frame11.png and frame10i11.png, as the interpolation sets of
// Middlebury do. Motion is found both ways; each frame is warped by half of it and completed, and
// the two are averaged where both are covered. Printed is the PSNR over all pixels, dB.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/data/opencv.h>
#include <momap/run/threads.h>
#include <momap/stage/completer.h>
#include <momap/stage/extractor.h>
#include <momap/stage/warper.h>

#include <cmath>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "made_plugin.h"

namespace momap {
namespace {

at::Tensor read(const std::filesystem::path& path) {
  const cv::Mat bgr = cv::imread(path.string());
  if (bgr.empty()) throw ConfigError(path.string() + " cannot be read as a picture");
  cv::Mat rgb;
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  return to_tensor(rgb);
}

double psnr(const at::Tensor& a, const at::Tensor& b) {
  const double mse = (a.to(at::kDouble) - b.to(at::kDouble)).square().mean().item<double>();
  return 10 * std::log10(255 * 255 / mse);
}

/// Frame `from` half-way to `to`, before and after completion.
struct Halfway {
  PartialClip warped;
  at::Tensor complete;  // u8 [H, W, 3]
};

Halfway halfway(const at::Tensor& from, const at::Tensor& to, Extractor& extractor, Warper& warper,
                Completer& completer) {
  const int64_t height = from.size(0), width = from.size(1);
  Clip clip;
  clip.frames = at::stack({from, to});
  const double focal = static_cast<double>(width);
  clip.camera = Camera{
      focal, focal, 0.5 * static_cast<double>(width - 1), 0.5 * static_cast<double>(height - 1),
      width, height};
  clip.cam_from_world = at::eye(4, at::kDouble).repeat({2, 1, 1});
  clip.depth = at::ones({2, height, width});  // pictures in a plane
  MoMap map = extractor.extract(clip, {});
  map.xyz = at::stack({map.xyz[0], 0.5 * (map.xyz[0] + map.xyz[1])});
  map.valid.fill_(true);  // a pixel that cannot be followed stands still
  Halfway out;
  out.warped = warper.warp({from}, map, {});
  out.complete = completer.complete(out.warped, {}).frames[1];
  return out;
}

at::Tensor average(const Halfway& a, const Halfway& b) {
  const auto covered = [](const Halfway& h) {
    return h.warped.covered[1].unsqueeze(-1).to(at::kFloat);
  };
  // Where only one of them saw something it counts alone.
  const at::Tensor of_a = covered(a) + 1e-6, of_b = covered(b) + 1e-6;
  return (a.complete.to(at::kFloat) * of_a + b.complete.to(at::kFloat) * of_b) / (of_a + of_b);
}

void run(const std::filesystem::path& folder, const std::string& weights) {
  const at::Tensor first = read(folder / "frame10.png"), last = read(folder / "frame11.png");
  const at::Tensor truth = read(folder / "frame10i11.png");
  fmt::print("{}: mean of both frames {:.2f} dB\n", folder.filename().string(),
             psnr(0.5 * (first.to(at::kFloat) + last.to(at::kFloat)), truth));
  for (const std::string flow : {"dis", "farneback", "deepflow", "raft_small"}) {
    if (flow == "raft_small" && weights.empty()) continue;
    ParamValues changes{{"flow", flow}};
    if (flow == "raft_small") changes.emplace_back("weights", weights);
    const auto extractor = make<Extractor>("extraction/chained_flow", changes);
    const auto completer = make<Completer>("completion/pull_push");
    for (const char* id : {"warping/softmax_splat", "warping/point_splat", "warping/mesh"}) {
      const auto warper = make<Warper>(id);
      const Halfway forth = halfway(first, last, *extractor, *warper, *completer);
      const Halfway back = halfway(last, first, *extractor, *warper, *completer);
      fmt::print("  {:<12} {:<22} from the first {:.2f}, from both {:.2f} dB\n", flow, id,
                 psnr(forth.complete, truth), psnr(average(forth, back), truth));
    }
  }
}

}  // namespace
}  // namespace momap

int main(int argc, char** argv) {
  const momap::ThreadBudget budget(2);
  const std::string kWeights = "raft_small=";
  std::string weights;
  std::vector<std::string> folders;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with(kWeights)) {
      weights = argument.substr(kWeights.size());
    } else {
      folders.push_back(argument);
    }
  }
  for (const std::string& folder : folders) momap::run(folder, weights);
}
