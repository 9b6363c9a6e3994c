// SPDX-License-Identifier: Apache-2.0
#include "inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/base/error.h>

#include <algorithm>
#include <cmath>

namespace momap::warping {
namespace {

std::string text(const at::Tensor& tensor) {
  return fmt::format("{} {}", at::toString(tensor.scalar_type()), tensor.sizes().vec());
}

bool usable(const Camera& camera) {
  return camera.fx > 0 && camera.fy > 0 && std::isfinite(camera.fx) && std::isfinite(camera.fy) &&
         std::isfinite(camera.cx) && std::isfinite(camera.cy);
}

std::string text(const Camera& camera) {
  return fmt::format("fx = {}, fy = {}, cx = {}, cy = {}, {} x {} px", camera.fx, camera.fy,
                     camera.cx, camera.cy, camera.width, camera.height);
}

}  // namespace

void check_inputs(const std::string& owner, const Image& image, const MoMap& momap,
                  const View& view, int scale) {
  const auto require = [&](bool holds, const std::string& message) {
    if (!holds) throw DataError(owner + ": " + message);
  };
  require(image.rgb.dim() == 3 && image.rgb.size(2) == 3 && image.rgb.scalar_type() == at::kByte,
          fmt::format("image is {}; expected u8 [H, W, 3]", text(image.rgb)));
  require(momap.xyz.dim() == 4 && momap.xyz.size(3) == 3 && momap.xyz.scalar_type() == at::kFloat,
          fmt::format("xyz of the motion map is {}; expected f32 [T, H, W, 3]", text(momap.xyz)));
  const int64_t frames = momap.frames(), height = momap.height(), width = momap.width();
  require(image.height() == height && image.width() == width,
          fmt::format("image is {} x {} px but the motion map {} x {}; resize the clip before its "
                      "motion is extracted or generated",
                      image.width(), image.height(), width, height));
  require(
      frames > 0 && height > 0 && width > 0,
      fmt::format("the motion map is {}; expected at least one frame and pixel", text(momap.xyz)));
  require(momap.valid.scalar_type() == at::kBool &&
              momap.valid.sizes() == at::IntArrayRef({height, width}),
          fmt::format("'valid' of the motion map is {}; expected bool [{}, {}]", text(momap.valid),
                      height, width));
  require(momap.visible.scalar_type() == at::kBool &&
              momap.visible.sizes() == at::IntArrayRef({frames, height, width}),
          fmt::format("'visible' of the motion map is {}; expected bool [{}, {}, {}]",
                      text(momap.visible), frames, height, width));
  const Camera& reference = momap.camera;
  require(usable(reference) && reference.width == width && reference.height == height,
          fmt::format("the camera of the motion map has {}; expected finite numbers, focal lengths "
                      "above 0 and the size of the map, {} x {} px",
                      text(reference), width, height));
  const Camera& seen = view.camera;
  require(usable(seen) && seen.width > 0 && seen.height > 0,
          fmt::format("the camera of the view has {}; expected finite numbers, focal lengths above "
                      "0 and at least one pixel",
                      text(seen)));
  require(scale * std::max(seen.width, seen.height) <= kLargestSide,
          fmt::format("the view is {} x {} px, drawn {} times finer; at most {} px a side can be "
                      "drawn",
                      seen.width, seen.height, scale, kLargestSide));
  if (!view.cam_from_reference) return;
  const at::Tensor& poses = *view.cam_from_reference;
  require(poses.scalar_type() == at::kDouble && poses.is_contiguous() &&
              poses.sizes() == at::IntArrayRef({frames, 4, 4}),
          fmt::format("the view's path is {}; expected contiguous f64 [{}, 4, 4], one pose for "
                      "each frame of the motion map",
                      text(poses), frames));
  const auto* pose = poses.data_ptr<double>();
  require(std::all_of(pose, pose + poses.numel(), [](double v) { return std::isfinite(v); }),
          "the view's path holds a number that is not finite");
}

}  // namespace momap::warping
