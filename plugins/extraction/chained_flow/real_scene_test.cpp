// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/data/datum.h>
#include <momap/data/opencv.h>
#include <momap/stage/annotator.h>
#include <momap/stage/extractor.h>
#include <momap/stage/metric.h>
#include <momap/stage/source.h>

#include <filesystem>
#include <iostream>
#include <opencv2/imgproc.hpp>
#include <string>

#include "plugin_fixture.h"
#include "shared_data.h"

// A real room (7-Scenes) filmed by a moving hand-held camera: its sensor's depth, the camera's
// poses as annotation/camera_pose finds them, and 512 true 3D tracks.

namespace {

namespace fs = std::filesystem;

template <class Interface>
std::shared_ptr<Interface> make(const std::string& id, const std::string& yaml = "{}") {
  const fs::path plugins = fs::path(MOMAP_PLUGIN_LIBRARY).parent_path().parent_path();
  return std::static_pointer_cast<Interface>(
      momap::testing::make_stage((plugins / (id + ".so")).string(), id, yaml));
}

// The frames and depth at the size of the tracks.
momap::Clip resized(const momap::Clip& clip, const momap::Camera& camera) {
  const cv::Size size(static_cast<int>(camera.width), static_cast<int>(camera.height));
  momap::Clip out;
  out.camera = camera;
  out.fps = clip.fps;
  out.cam_from_world = clip.cam_from_world;
  out.frames = at::empty({clip.length(), camera.height, camera.width, 3}, at::kByte);
  out.depth = at::empty({clip.length(), camera.height, camera.width}, at::kFloat);
  for (int64_t t = 0; t < clip.length(); ++t) {
    cv::Mat rgb = momap::as_mat(out.frames[t]), depth = momap::as_mat((*out.depth)[t]);
    cv::resize(momap::as_mat(clip.frames[t].contiguous()), rgb, size, 0, 0, cv::INTER_AREA);
    cv::resize(momap::as_mat((*clip.depth)[t].contiguous()), depth, size, 0, 0, cv::INTER_NEAREST);
  }
  return out;
}

TEST(ChainedFlowOnARealScene, FindsThePathsOfAStaticRoomByEstimatedPoses) {
  const fs::path data = momap::testing::shared_folder() / "data";
  const fs::path tracks_file = data / "tracks3d_derived";
  if (!fs::exists(tracks_file) || !fs::exists(data / "rgbd_7scenes")) {
    GTEST_SKIP() << tracks_file << " or its room is absent";
  }
  const momap::Context context = momap::testing::context();
  const momap::Clip reference =
      make<momap::Source>("source/tapvid3d", "{path: " + tracks_file.string() + "}")
          ->sample(0, context);
  const momap::Clip whole =
      make<momap::Source>("source/seven_scenes",
                          "{path: " + (data / "rgbd_7scenes").string() +
                              ", frames: " + std::to_string(reference.length()) + ", stride: 2}")
          ->sample(0, context);
  momap::Clip clip = resized(whole, *reference.camera);
  for (const bool estimated : {false, true}) {
    if (estimated) {
      clip.cam_from_world.reset();
      clip = make<momap::Annotator>("annotation/camera_pose")->annotate(clip, context);
    }
    const momap::Datum map =
        momap::testing::make_plugin<momap::Extractor>("extraction/chained_flow")
            ->extract(clip, context);
    const momap::Datum truth = reference;
    momap::Inputs inputs;
    inputs.add("result", {&map});
    inputs.add("reference", {&truth});
    const momap::Score score = make<momap::Metric>("metric/tapvid3d")->score(inputs, context);
    for (const auto& value : score.values) {
      ASSERT_TRUE(value.value) << value.name;
      std::cout << (estimated ? "estimated poses: " : "given poses: ") << value.name << " "
                << *value.value << "\n";
      if (value.name == "apd_3d_median") {
        EXPECT_GE(*value.value, 0.85);
      }
    }
  }
}

}  // namespace
