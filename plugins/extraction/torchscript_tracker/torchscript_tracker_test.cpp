// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/datum.h>
#include <momap/stage/extractor.h>
#include <torch/csrc/jit/api/module.h>

#include "plugin_fixture.h"
#include "scenes.h"

namespace {

using momap::Clip;
using momap::MoMap;

class TorchScriptTracker : public ::testing::Test {
 protected:
  // A tracker whose forward(self, video, queries) has this body.
  std::string tracker(const std::string& body) {
    torch::jit::Module module("tracker");
    std::string code = "def forward(self, video, queries):\n";
    for (size_t from = 0; from < body.size();) {
      const size_t to = std::min(body.find(';', from), body.size());
      code += "    " + body.substr(from, to - from) + "\n";
      from = to + 1;
    }
    module.define(code);
    const std::string path = (folder_.path() / "tracker.pt").string();
    module.save(path);
    return path;
  }

  static MoMap extract(const Clip& clip, const std::string& path, const std::string& more = "") {
    const auto plugin = momap::testing::make_plugin<momap::Extractor>(
        "extraction/torchscript_tracker", "{model: '" + path + "'" + more + "}");
    MoMap map = plugin->extract(clip, momap::testing::context());
    momap::check(map, "extraction/torchscript_tracker");
    return map;
  }

  std::string refusal(const std::string& path, const std::string& more = "") {
    try {
      extract(momap::testing::moving_square(), path, more);
    } catch (const momap::ConfigError& error) {
      return error.what();
    }
    return "nothing";
  }

  momap::TemporaryFolder folder_{"momap-tracker"};
};

// Every point moves right by a pixel of the clip a frame.
constexpr const char* kShift =
    "t = video.size(1);n = queries.size(1)"
    ";step = torch.arange(t).float().reshape([1, t, 1]) * (video.size(4) / 96.0)"
    ";x = queries[:, :, 1].reshape([1, 1, n]) + step"
    ";y = queries[:, :, 2].reshape([1, 1, n]) + step * 0.0"
    ";seen = torch.ones([1, t, n])"
    ";return torch.stack([x, y], -1), seen";

// A wall at 2 m that goes right by a pixel a frame, 96 x 64 px.
Clip wall() {
  momap::testing::SceneOptions options;
  Clip clip = momap::testing::moving_square(options);
  const int64_t frames = 5, height = 64, width = 96;
  clip.camera = momap::testing::simple_camera(width, height);
  clip.frames = at::arange(frames * height * width * 3)
                    .remainder(251)
                    .to(at::kByte)
                    .reshape({frames, height, width, 3});
  clip.depth = at::full({frames, height, width}, 2.0f);
  clip.cam_from_world = at::eye(4, at::kDouble).unsqueeze(0).repeat({frames, 1, 1});
  clip.segments.reset();
  clip.truth.clear();
  return clip;
}

TEST_F(TorchScriptTracker, LiftsWhatTheTrackerSays) {
  const Clip clip = wall();
  const std::string path = tracker(kShift);
  for (const char* more : {"", ", points: 7", ", height: 128, width: 192", ", range: -1..1"}) {
    const MoMap map = extract(clip, path, more);
    const at::Tensor moved = (map.xyz - map.xyz[0]).slice(2, 8, 72);  // away from the border
    for (int64_t t = 0; t < 5; ++t) {
      const double expected = static_cast<double>(t) * 2.0 / clip.camera->fx;
      EXPECT_TRUE(at::allclose(moved[t].select(-1, 0), at::full({64, 64}, expected), 1e-3, 1e-4))
          << more << ", frame " << t << ": " << moved[t].select(-1, 0).min().item<double>()
          << " to " << moved[t].select(-1, 0).max().item<double>() << ", expected " << expected;
      EXPECT_LT(moved[t].slice(-1, 1).abs().max().item<double>(), 1e-4);
    }
  }
}

TEST_F(TorchScriptTracker, OtherOrdersGiveTheSame) {
  const Clip clip = wall();
  const MoMap usual = extract(clip, tracker(kShift));
  const std::string other = tracker(
      "t = video.size(1);n = queries.size(1)"
      ";step = torch.arange(t).float().reshape([1, 1, t])"
      ";x = queries[:, :, 2].reshape([1, n, 1]) + step"
      ";y = queries[:, :, 1].reshape([1, n, 1]) + step * 0.0"
      ";return torch.stack([y, x], -1), torch.zeros([1, n, t]) - 9.0");
  const MoMap same =
      extract(clip, other, ", query: t_y_x, tracks: points_frames_yx, visibility: hidden_logit");
  EXPECT_TRUE(at::allclose(same.xyz, usual.xyz, 1e-4, 1e-5));
}

TEST_F(TorchScriptTracker, PointsThatAreNotSeenHaveNoMotion) {
  const Clip clip = wall();
  std::string hidden = kShift;
  hidden.replace(hidden.find("torch.ones"), 10, "torch.zeros");
  const std::string path = tracker(hidden);
  EXPECT_FALSE(extract(clip, path).valid.any().item<bool>());
  EXPECT_TRUE(extract(clip, path, ", visibility: none").valid.any().item<bool>());
}

TEST_F(TorchScriptTracker, PlacesThatAreNotFiniteAreNotSeen) {
  std::string broken = kShift;
  broken.replace(broken.find("step * 0.0"), 10, "step / 0.0");
  EXPECT_FALSE(extract(wall(), tracker(broken)).valid.any().item<bool>());
}

TEST_F(TorchScriptTracker, SaysWhatDoesNotFit) {
  const std::string path = tracker(kShift);
  EXPECT_NE(refusal(path, ", tracks: points_frames_xy").find("check 'tracks'"), std::string::npos);
  EXPECT_NE(refusal(tracker("return queries")).find("its tracks have shape"), std::string::npos);
  EXPECT_NE(refusal(tracker("return video.reshape([3])")).find("fails on"), std::string::npos);
  const std::string one = tracker(
      "t = video.size(1);n = queries.size(1)"
      ";return torch.zeros([1, t, n, 2])");
  EXPECT_NE(refusal(one).find("set it to none"), std::string::npos);
  EXPECT_NE(refusal((folder_.path() / "nothing.pt").string()).find("no such file"),
            std::string::npos);
}

}  // namespace
