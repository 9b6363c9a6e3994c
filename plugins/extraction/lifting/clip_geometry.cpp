// SPDX-License-Identifier: Apache-2.0
#include "clip_geometry.h"

#include <fmt/format.h>
#include <momap/base/error.h>

namespace momap {
namespace {

cv::Matx44d inverse(const cv::Matx44d& rigid) {
  const cv::Matx33d turn = rigid.get_minor<3, 3>(0, 0).t();
  const cv::Vec3d shift = turn * cv::Vec3d(-rigid(0, 3), -rigid(1, 3), -rigid(2, 3));
  return {turn(0, 0), turn(0, 1), turn(0, 2), shift[0],   turn(1, 0), turn(1, 1),
          turn(1, 2), shift[1],   turn(2, 0), turn(2, 1), turn(2, 2), shift[2],
          0,          0,          0,          1};
}

}  // namespace

void check_can_be_lifted(const Clip& clip, const std::string& plugin) {
  if (!clip.depth) {
    throw DataError(
        fmt::format("the clip has no depth; add an annotation that gives it (for example "
                    "annotation/ground_plane) before {}",
                    plugin));
  }
  if (!clip.camera) {
    throw DataError(
        fmt::format("the clip has no camera; set fov_degrees at its source, or add an annotation "
                    "that gives it, before {}",
                    plugin));
  }
  if (!clip.cam_from_world && clip.length() > 1) {
    throw DataError(
        fmt::format("the clip has no camera poses (cam_from_world); add annotation/camera_pose "
                    "before {} (it gives the identity for a static camera)",
                    plugin));
  }
}

FramePoses frame_poses(const Clip& clip) {
  const at::Tensor poses = clip.cam_from_world ? clip.cam_from_world->contiguous() : at::Tensor();
  const auto pose = [&](int64_t t) {
    return poses.defined() ? cv::Matx44d(poses.data_ptr<double>() + 16 * t) : cv::Matx44d::eye();
  };
  FramePoses out;
  for (int64_t t = 0; t < clip.length(); ++t) {
    out.camera_from_first.push_back(pose(t) * inverse(pose(0)));
    out.first_from_camera.push_back(pose(0) * inverse(pose(t)));
  }
  return out;
}

}  // namespace momap
