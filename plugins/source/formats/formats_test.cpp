// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>

#include <cmath>
#include <limits>

#include "formats/files.h"
#include "formats/fixtures.h"
#include "formats/flow.h"
#include "formats/pfm.h"
#include "formats/pose.h"
#include "formats/sintel.h"
#include "shared_data.h"

namespace momap::formats {
namespace {

namespace fs = std::filesystem;
using testing::raw;
using testing::refusal;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class FormatsTest : public ::testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& bytes) const {
    testing::write(folder_.path() / name, bytes);
    return folder_.path() / name;
  }
  // What a reader says of these bytes.
  template <class Read>
  std::string says(Read read, const std::string& bytes) const {
    const auto path = write("bad.bin", bytes);
    return refusal<DataError>([&] { read(path); });
  }
  // Every file cut short is refused by name.
  template <class Read>
  void expect_whole(Read read, const std::string& whole) const {
    read(write("good.bin", whole));
    for (size_t keep = 0; keep < whole.size(); ++keep) {
      ASSERT_NE(says(read, whole.substr(0, keep)).find("bad.bin"), std::string::npos) << keep;
    }
    ASSERT_NE(says(read, whole + "x").find("bad.bin"), std::string::npos) << "a byte too many";
  }
  TemporaryFolder folder_;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(FormatsTest, FloGivesVectorsAndUnknownAsNan) {
  const auto path = write("a.flo", testing::flo_file(2, 2, {1, -2, 3.5f, 0, 1e10f, 0, 7, kNan}));
  const at::Tensor flow = read_flo(path);
  ASSERT_EQ(flow.sizes(), (std::vector<int64_t>{2, 2, 2}));
  const float* v = flow.data_ptr<float>();
  EXPECT_EQ(v[0], 1);
  EXPECT_EQ(v[1], -2);
  EXPECT_EQ(v[2], 3.5f);
  for (int i = 4; i < 8; ++i) EXPECT_TRUE(std::isnan(v[i])) << i;
}

TEST_F(FormatsTest, FloRefusesWhatIsNotWholeOrNotFlo) {
  expect_whole(read_flo, testing::flo_file(2, 1, {1, 2, 3, 4}));
  EXPECT_TRUE(has(says(read_flo, "PIEX" + raw(1) + raw(1) + raw(1.f) + raw(1.f)), "'PIEH'"));
  // Big-endian, negative, zero and absurd sizes.
  for (const int width : {0, -1, 1 << 24, 40000, std::numeric_limits<int>::max()}) {
    const auto message = says(read_flo, "PIEH" + raw(width) + raw(1) + raw(1.f) + raw(1.f));
    EXPECT_TRUE(has(message, "size = " + std::to_string(width))) << message;
  }
  const auto message = says(read_flo, testing::flo_file(30000, 30000, {1, 2}));
  EXPECT_TRUE(has(message, "7200000000")) << "refused before memory is taken: " << message;
  EXPECT_TRUE(has(refusal<DataError>([&] { read_flo(folder_.path() / "no.flo"); }), "missing"));
}

TEST_F(FormatsTest, DptGivesDepthAndUnknownAsZero) {
  const auto path = write("a.dpt", "PIEH" + raw(3) + raw(2) +
                                       raw(std::vector<float>{1.5f, 0, -1, kNan, kInfinity, 80}));
  const at::Tensor depth = read_dpt(path);
  ASSERT_EQ(depth.sizes(), (std::vector<int64_t>{2, 3}));
  const std::vector<float> expected{1.5f, 0, 0, 0, 0, 80};
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(depth.data_ptr<float>()[i], expected[i]) << i;
  expect_whole(read_dpt, "PIEH" + raw(1) + raw(1) + raw(2.f));
}

std::string cam_file(const std::vector<double>& k, const std::vector<double>& rt) {
  return "PIEH" + raw(k) + raw(rt);
}

TEST_F(FormatsTest, CamGivesIntrinsicsAndWorldToCamera) {
  // A quarter turn about z, then a step.
  const std::vector<double> k{500, 0, 320, 0, 510, 240, 0, 0, 1};
  const std::vector<double> rt{0, -1, 0, 1, 1, 0, 0, 2, 0, 0, 1, 3};
  const SintelCamera read = read_cam(write("a.cam", cam_file(k, rt)));
  EXPECT_EQ(read.camera.fx, 500);
  EXPECT_EQ(read.camera.fy, 510);
  EXPECT_EQ(read.camera.cx, 320);
  EXPECT_EQ(read.camera.cy, 240);
  EXPECT_TRUE((read.cam_from_world * Eigen::Vector3d(1, 0, 0)).isApprox(Eigen::Vector3d(1, 3, 3)));
  expect_whole(read_cam, cam_file(k, rt));
}

TEST_F(FormatsTest, CamRefusesOtherMatrices) {
  const std::vector<double> k{500, 0, 320, 0, 510, 240, 0, 0, 1};
  const std::vector<double> rt{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
  auto skewed = k;
  skewed[1] = 3;
  EXPECT_TRUE(has(says(read_cam, cam_file(skewed, rt)), "intrinsics"));
  for (const auto& [place, value] : {std::pair{0, -1.0}, {0, 2.0}, {3, std::nan("")}}) {
    auto bad = rt;
    bad[static_cast<size_t>(place)] = value;
    EXPECT_TRUE(has(says(read_cam, cam_file(k, bad)), "not a rigid motion")) << place;
  }
}

TEST_F(FormatsTest, PfmIsStoredBottomUpInEitherByteOrder) {
  const auto little = write("a.pfm", testing::pfm_file(2, 2, {3, 4, 1, 2}));
  std::string big = "Pf\n2 2\n1.0\n";
  for (const float value : {3.f, 4.f, 1.f, 2.f}) {
    std::string bytes = raw(value);
    big.append(bytes.rbegin(), bytes.rend());
  }
  for (const auto& path : {little, write("b.pfm", big)}) {
    const at::Tensor map = read_pfm(path);
    ASSERT_EQ(map.sizes(), (std::vector<int64_t>{2, 2}));
    for (int i = 0; i < 4; ++i) EXPECT_EQ(map.data_ptr<float>()[i], static_cast<float>(i + 1));
  }
  const auto spaced = write("d.pfm", "Pf \n2 1 \r\n-1 \n" + raw(1.f) + raw(2.f));
  EXPECT_EQ(read_pfm(spaced).data_ptr<float>()[1], 2);
  const at::Tensor colour =
      read_pfm(write("c.pfm", testing::pfm_file(1, 2, {4, 5, 6, 1, 2, 3}, 3)));
  ASSERT_EQ(colour.sizes(), (std::vector<int64_t>{2, 1, 3}));
  EXPECT_EQ(colour.data_ptr<float>()[0], 1);
  EXPECT_EQ(colour.data_ptr<float>()[5], 6);
}

TEST_F(FormatsTest, PfmRefusesBadHeaders) {
  expect_whole(read_pfm, testing::pfm_file(2, 1, {1, 2}));
  for (const char* header :
       {"P6\n1 1\n-1\n", "Pf\n1\n-1\n", "Pf\n0 1\n-1\n", "Pf\n1 -1\n-1\n", "Pf\n1.5 1\n-1\n",
        "Pf\n1 1\n0\n", "Pf\n1 1\nnan\n", "Pf\n1 1\nx\n", "Pf\n1 99999\n-1\n", "Pf 1 1 -1 "}) {
    EXPECT_TRUE(has(says(read_pfm, header + raw(1.f)), "bad.bin")) << header;
  }
}

std::string planar(int width, int height, int channels, const std::vector<float>& values) {
  return raw(width) + raw(height) + raw(channels) + raw(values);
}

TEST_F(FormatsTest, DeepDeformFlowIsPlanarAndInvalidIsNan) {
  const at::Tensor flow = read_oflow(write("a.oflow", planar(2, 1, 2, {1, 5, 2, -kInfinity})));
  ASSERT_EQ(flow.sizes(), (std::vector<int64_t>{1, 2, 2}));
  EXPECT_EQ(flow.data_ptr<float>()[0], 1);
  EXPECT_EQ(flow.data_ptr<float>()[1], 2);
  EXPECT_TRUE(std::isnan(flow.data_ptr<float>()[2])) << "an invalid v makes u invalid too";
  EXPECT_TRUE(std::isnan(flow.data_ptr<float>()[3]));
  const at::Tensor step = read_sflow(write("a.sflow", planar(1, 1, 3, {1, 2, 3})));
  EXPECT_EQ(step.data_ptr<float>()[2], 3);
  expect_whole(read_sflow, planar(1, 1, 3, {1, 2, 3}));
  EXPECT_TRUE(has(says(read_oflow, planar(1, 1, 3, {1, 2, 3})), "3 channels; expected 2"));
  EXPECT_TRUE(has(says(read_oflow, planar(1, 1, -1, {})), "channels"));
}

TEST_F(FormatsTest, KittiPngsHoldFlowAndDisparity) {
  cv::Mat flow(1, 2, CV_16UC3);
  flow.at<cv::Vec3w>(0, 0) = {1, 32768 - 128, 32768 + 96};  // blue valid, green v, red u
  flow.at<cv::Vec3w>(0, 1) = {0, 32768, 32768};
  testing::write_image(folder_.path() / "flow.png", flow);
  const at::Tensor uv = read_kitti_flow(folder_.path() / "flow.png");
  EXPECT_EQ(uv.data_ptr<float>()[0], 1.5f);
  EXPECT_EQ(uv.data_ptr<float>()[1], -2.f);
  EXPECT_TRUE(std::isnan(uv.data_ptr<float>()[2]));
  cv::Mat disparity(1, 2, CV_16UC1);
  disparity.at<uint16_t>(0, 0) = 640;
  disparity.at<uint16_t>(0, 1) = 0;
  testing::write_image(folder_.path() / "d.png", disparity);
  const at::Tensor d = read_kitti_disparity(folder_.path() / "d.png");
  EXPECT_EQ(d.data_ptr<float>()[0], 2.5f);
  EXPECT_TRUE(std::isnan(d.data_ptr<float>()[1]));
  EXPECT_TRUE(has(refusal<DataError>([&] { read_kitti_flow(folder_.path() / "d.png"); }),
                  "expected a 16-bit RGB png"));
}

TEST_F(FormatsTest, PosesAreMadeExactlyRigid) {
  const double given[16] = {0.999, 0, 0, 1, 0, 1.001, 0, 2, 0, 0, 1, 3, 0, 0, 0, 1};
  const auto pose = rigid_motion(given, "p.txt");
  EXPECT_TRUE(pose.linear().isApprox(Eigen::Matrix3d::Identity(), 1e-12));
  const auto turned = rigid_motion({std::sqrt(0.5), 0, 0, std::sqrt(0.5)}, {1, 2, 3}, "p.txt");
  EXPECT_TRUE((turned * Eigen::Vector3d(1, 0, 0)).isApprox(Eigen::Vector3d(1, 3, 3)));
  EXPECT_TRUE(has(refusal<DataError>([&] {
                    rigid_motion({2, 0, 0, 0}, {0, 0, 0}, "p.txt");
                  }),
                  "unit quaternion"));
}

TEST_F(FormatsTest, NamesSortByTheirNumbers) {
  for (const auto& name : {"f10.png", "f9.png", "f009.png", "a.png", "f1b2.png", "x.txt"}) {
    write(name, "1");
  }
  EXPECT_EQ(files_in(folder_.path(), {".png"}),
            (std::vector<std::string>{"a.png", "f1b2.png", "f009.png", "f9.png", "f10.png"}));
  EXPECT_FALSE(natural_less("a1", "a1"));
}

TEST_F(FormatsTest, FrameRangesIgnoreOtherNames) {
  for (const auto& name : {"f_0003.png", "f_0007.png", "f_8.png", "f_000x.png", "g_0001.png",
                           "f_0009.jpg", "f_.png"}) {
    write(name, "1");
  }
  const auto range = FrameFiles{"f_", 4, ".png"}.range(folder_.path());
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 3);
  EXPECT_EQ(range->last, 7);
  EXPECT_FALSE((FrameFiles{"q_", 4, ".png"}.range(folder_.path())));
}

TEST_F(FormatsTest, NumbersMustBeFiniteAndCounted) {
  EXPECT_EQ(read_numbers(write("a.txt", " 1 -2.5e1\t+3\r\n"), 3), (std::vector<double>{1, -25, 3}));
  for (const char* text : {"1 2", "1 2 3 4", "1 2 x", "1 2 nan", "1 2 inf", "1 2 3x"}) {
    EXPECT_TRUE(has(refusal<DataError>([&] { read_numbers(write("b.txt", text), 3); }),
                    "expected 3 finite numbers"))
        << text;
  }
}

TEST(Formats, ReadTheFilesOfOtherProjects) {
  const fs::path folder = testing::shared_folder() / "data/format_fixtures_mmflow";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
  int flows = 0, maps = 0;
  for (const auto& name : files_in(folder, {".flo"})) {
    EXPECT_EQ(read_flo(folder / name).size(2), 2) << name;
    ++flows;
  }
  for (const auto& name : files_in(folder, {".pfm"})) {
    EXPECT_GE(read_pfm(folder / name).dim(), 2) << name;
    ++maps;
  }
  EXPECT_EQ(read_kitti_flow(folder / "sparse_flow.png").size(2), 2);
  EXPECT_GE(flows, 3);
  EXPECT_GE(maps, 2);
}

}  // namespace
}  // namespace momap::formats
