// SPDX-License-Identifier: Apache-2.0
#include "formats/truth.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "formats/tracks.h"
#include "scenes.h"

namespace momap::formats {
namespace {

TEST(PairMotion, OfAMovingSquareAndCameraIsExact) {
  // The rendered world knows every point's motion; from its depths, flow and poses alone the same
  // must come out.
  testing::SceneOptions options;
  options.frames = 2;
  options.square_speed_x = 0.03;
  options.square_speed_z = 0.05;
  options.camera_speed_x = 0.04;
  const Clip clip = testing::moving_square(options);
  const MoMap& truth = clip.truth[0].motion;
  const Camera& k = *clip.camera;
  const auto pose = [&](int64_t t) {
    Eigen::Isometry3d out;
    out.matrix() = Eigen::Map<const Eigen::Matrix<double, 4, 4, Eigen::RowMajor>>(
        clip.cam_from_world->data_ptr<double>() + 16 * t);
    return out;
  };
  const Eigen::Isometry3d next_from_first = pose(1) * pose(0).inverse();
  at::Tensor flow = at::zeros({k.height, k.width, 2});
  const float* moved = truth.xyz[1].data_ptr<float>();
  for (int64_t i = 0; i < k.height * k.width; ++i) {
    const Eigen::Vector3d p =
        next_from_first * Eigen::Vector3d(moved[3 * i], moved[3 * i + 1], moved[3 * i + 2]);
    flow.data_ptr<float>()[2 * i] =
        static_cast<float>(k.fx * p.x() / p.z() + k.cx - static_cast<double>(i % k.width));
    flow.data_ptr<float>()[2 * i + 1] =
        static_cast<float>(k.fy * p.y() / p.z() + k.cy - static_cast<double>(i / k.width));
  }
  const at::Tensor z = depth_along_flow((*clip.depth)[1], flow);
  const at::Tensor points = points_along_flow(flow, z, k);
  const MoMap motion =
      pair_motion((*clip.depth)[0], points, hidden_behind(points, (*clip.depth)[1], k), k,
                  next_from_first.inverse());
  int64_t compared = 0;
  double worst = 0;
  for (int64_t i = 0; i < k.height * k.width; ++i) {
    const bool seen = truth.visible[1].data_ptr<bool>()[i];
    if (!motion.valid.data_ptr<bool>()[i] || !seen) continue;
    ++compared;
    for (int c = 0; c < 3; ++c) {
      worst = std::max(worst, static_cast<double>(std::abs(
                                  motion.xyz[1].data_ptr<float>()[3 * i + c] - moved[3 * i + c])));
    }
  }
  EXPECT_GT(compared, k.height * k.width * 8 / 10);
  EXPECT_LT(worst, 2e-4) << "metres";
}

TEST(DepthAlongFlow, IsUnknownOutsideAndAcrossEdges) {
  const at::Tensor depth = at::tensor({1.f, 1.f, 2.f, 1.f, 1.f, 2.f}).reshape({2, 3});
  at::Tensor flow = at::zeros({2, 3, 2});
  float* v = flow.data_ptr<float>();
  v[0] = 0.5f;  // between equal depths
  v[2] = 0.5f;  // across the edge
  v[4] = 0.5f;  // outside
  v[6] = std::nanf("");
  const at::Tensor z = depth_along_flow(depth, flow);
  EXPECT_EQ(z.data_ptr<float>()[0], 1.f);
  for (const int i : {1, 2, 3}) EXPECT_TRUE(std::isnan(z.data_ptr<float>()[i])) << i;
  EXPECT_EQ(z.data_ptr<float>()[5], 2.f);
}

TEST(DepthFromDisparity, IsFocalTimesBaselineOverDisparity) {
  const at::Tensor z =
      depth_from_disparity(at::tensor({10.f, 0.f, -1.f, std::nanf(""), 1e-44f}), 700, 0.5);
  EXPECT_EQ(z.data_ptr<float>()[0], 35.f);
  for (const int i : {1, 2, 3, 4}) EXPECT_EQ(z.data_ptr<float>()[i], 0.f) << i;
}

TEST(TracksInFirstFrame, AddQueriesAndLeaveOutWhatIsNeverSeen) {
  const Camera camera{100, 100, 10, 20, 64, 48};
  // The camera steps 1 m to the right; the points stand still at (0, 0, 2) and (1, 0, 4).
  Eigen::Isometry3d second = Eigen::Isometry3d::Identity();
  second.translation() = Eigen::Vector3d(-1, 0, 0);
  RawTracks raw;
  raw.xyz = at::tensor({0.f, 0.f, 2.f, 1.f, 0.f, 4.f, 9.f, 9.f, 9.f,  //
                        -1.f, 0.f, 2.f, 0.f, 0.f, 4.f, 9.f, 9.f, 9.f})
                .reshape({2, 3, 3});
  raw.visible = at::tensor({1, 0, 0, 1, 1, 0}).reshape({2, 3}).to(at::kBool);
  raw.valid = at::tensor({1, 1, 1, 1, 1, 1}).reshape({2, 3}).to(at::kBool);
  raw.queries =
      at::tensor({5.0, 6.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, -1.0}).reshape({3, 3}).to(at::kDouble);
  const auto tracks = tracks_in_first_frame(raw, {Eigen::Isometry3d::Identity(), second}, camera);
  ASSERT_TRUE(tracks);
  ASSERT_EQ(tracks->count(), 2);
  EXPECT_TRUE(tracks->xyz[1].allclose(at::tensor({0.f, 0.f, 2.f, 1.f, 0.f, 4.f}).reshape({2, 3})));
  EXPECT_TRUE(tracks->queries.equal(
      at::tensor({5.0, 6.0, 0.0, 10.0, 20.0, 1.0}).reshape({2, 3}).to(at::kDouble)));
}

}  // namespace
}  // namespace momap::formats
