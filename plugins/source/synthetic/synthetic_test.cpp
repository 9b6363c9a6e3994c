// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/data/archive.h>
#include <momap/data/datum.h>
#include <momap/data/geometry.h>
#include <momap/stage/source.h>
#include <plugin_fixture.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

// What the samples promise, seen from outside. Inner parts are tested in world_test.cpp.

namespace {

using momap::Clip;

std::shared_ptr<momap::Source> source(const std::string& params) {
  return momap::testing::make_plugin<momap::Source>("source/synthetic", params);
}

Clip sample(const std::string& params, int64_t i = 0) {
  Clip clip = source(params)->sample(i, momap::testing::context());
  momap::check(clip, "source/synthetic");
  return clip;
}

bool same(const Clip& a, const Clip& b) {
  const auto x = momap::to_archive(a), y = momap::to_archive(b);
  if (x.metadata != y.metadata || x.tensors.size() != y.tensors.size()) return false;
  return std::ranges::all_of(x.tensors, [&](const auto& entry) {
    const auto found = y.tensors.find(entry.first);
    return found != y.tensors.end() && at::equal(entry.second, found->second);
  });
}

double median(std::vector<double> values) {
  EXPECT_FALSE(values.empty());
  if (values.empty()) return NAN;
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

// xyz f64 [T, H, W, 3] of the truth in the camera frame of each frame.
at::Tensor in_camera(const Clip& clip) {
  const at::Tensor poses = *clip.cam_from_world;
  at::Tensor xyz = clip.truth[0].motion.xyz.to(at::kDouble).clone();
  for (int64_t t = 0; t < clip.length(); ++t) {
    const at::Tensor relative = at::matmul(poses[t], at::linalg_inv(poses[0]));
    const at::Tensor turn = relative.slice(0, 0, 3).slice(1, 0, 3);
    const at::Tensor shift = relative.slice(0, 0, 3).select(1, 3);
    xyz[t] = at::matmul(xyz[t], turn.t()) + shift;
  }
  return xyz;
}

// Calls use(t, pixel, u, v, z) for every visible (or not) valid point that projects between four
// pixel centres of frame t > 0.
template <class Use>
void for_each_projection(const Clip& clip, bool visible, Use use) {
  const at::Tensor xyz = in_camera(clip);
  const auto& map = clip.truth[0].motion;
  const int64_t height = clip.height(), width = clip.width(), count = height * width;
  const double* p = xyz.data_ptr<double>();
  const bool* seen = map.visible.data_ptr<bool>();
  const bool* valid = map.valid.data_ptr<bool>();
  for (int64_t t = 1; t < clip.length(); ++t) {
    for (int64_t i = 0; i < count; ++i) {
      const double* q = p + 3 * (t * count + i);
      if (!valid[i] || seen[t * count + i] != visible || q[2] < 0.05) continue;
      const double u = clip.camera->fx * q[0] / q[2] + clip.camera->cx;
      const double v = clip.camera->fy * q[1] / q[2] + clip.camera->cy;
      if (!(u >= 0 && v >= 0 && u < static_cast<double>(width - 1) &&
            v < static_cast<double>(height - 1))) {
        continue;
      }
      use(t, i, u, v, q[2]);
    }
  }
}

// The four values around (u, v) of frame t, row by row.
template <class T>
std::array<double, 4> around(const at::Tensor& images, int64_t t, double u, double v, int64_t c = 0,
                             int64_t channels = 1) {
  const int64_t width = images.size(2);
  const T* data = images[t].data_ptr<T>();
  const auto x = static_cast<int64_t>(u), y = static_cast<int64_t>(v);
  const auto at = [&](int64_t dx, int64_t dy) {
    return static_cast<double>(data[((y + dy) * width + x + dx) * channels + c]);
  };
  return {at(0, 0), at(1, 0), at(0, 1), at(1, 1)};
}

double blend(const std::array<double, 4>& four, double u, double v) {
  const double fx = u - std::floor(u), fy = v - std::floor(v);
  return (1 - fy) * ((1 - fx) * four[0] + fx * four[1]) + fy * ((1 - fx) * four[2] + fx * four[3]);
}

constexpr const char* kCameras[] = {"static", "pan", "handheld", "dolly"};

std::string with_camera(const char* camera, const char* more = "") {
  return std::string("{size: [96, 96], frames: 12, fps: 12, camera: ") + camera + more + "}";
}

TEST(Synthetic, ReprojectedTracksAgreeWithRenderedDepth) {
  for (const char* camera : kCameras) {
    const auto plugin = source(with_camera(camera));
    for (int64_t i = 0; i < 4; ++i) {
      const Clip clip = plugin->sample(i, momap::testing::context());
      std::vector<double> errors, moving;
      for_each_projection(clip, true, [&](int64_t t, int64_t pixel, double u, double v, double z) {
        // 1 / z is linear over the image of a plane.
        auto four = around<float>(*clip.depth, t, u, v);
        for (double& depth : four) depth = 1 / depth;
        const double error = std::abs(1 / blend(four, u, v) - z);
        errors.push_back(error);
        const auto* xyz = clip.truth[0].motion.xyz.data_ptr<float>();
        const int64_t step = 3 * clip.height() * clip.width() * t;
        // Small round movers bend within a pixel: look where the four pixels are on one plane.
        const bool flat = std::abs(four[0] + four[3] - four[1] - four[2]) < 1e-4 * four[0];
        if (flat && xyz[3 * pixel] != xyz[3 * pixel + step]) moving.push_back(error);
      });
      EXPECT_LT(median(errors), 1e-3) << camera << " " << i;
      if (moving.size() > 50) {
        EXPECT_LT(median(moving), 1e-3) << camera << " " << i;
      }
    }
  }
}

TEST(Synthetic, VisibilityAgreesWithZTests) {
  for (const char* camera : kCameras) {
    const auto plugin = source(with_camera(camera));
    int64_t seen = 0, seen_wrongly = 0, hidden = 0, hidden_wrongly = 0;
    for (int64_t i = 0; i < 4; ++i) {
      const Clip clip = plugin->sample(i, momap::testing::context());
      for_each_projection(clip, true, [&](int64_t t, int64_t, double u, double v, double z) {
        ++seen;
        const auto four = around<float>(*clip.depth, t, u, v);
        // All four neighbours are clearly nearer: something is in front.
        seen_wrongly += std::ranges::all_of(four, [&](double d) { return d > 0 && d < 0.9 * z; });
      });
      for_each_projection(clip, false, [&](int64_t t, int64_t, double u, double v, double z) {
        ++hidden;
        const auto four = around<float>(*clip.depth, t, u, v);
        hidden_wrongly +=
            std::ranges::all_of(four, [&](double d) { return d == 0 || d > 1.02 * z; });
      });
    }
    ASSERT_GT(seen, 100000);
    ASSERT_GT(hidden, 100);
    // What is thinner than a pixel may lie between four pixel centres.
    EXPECT_LT(static_cast<double>(seen_wrongly), 2e-4 * static_cast<double>(seen)) << camera;
    EXPECT_LT(static_cast<double>(hidden_wrongly), 2e-2 * static_cast<double>(hidden)) << camera;
  }
}

TEST(Synthetic, VisibleTracksKeepTheirColour) {
  for (const char* camera : kCameras) {
    const auto plugin = source(with_camera(camera));
    std::vector<double> differences;
    for (int64_t i = 0; i < 4; ++i) {
      const Clip clip = plugin->sample(i, momap::testing::context());
      const uint8_t* first = clip.frames.data_ptr<uint8_t>();
      for_each_projection(clip, true, [&](int64_t t, int64_t pixel, double u, double v, double) {
        for (int64_t c = 0; c < 3; ++c) {
          const auto four = around<uint8_t>(clip.frames, t, u, v, c, 3);
          differences.push_back(std::abs(blend(four, u, v) - first[3 * pixel + c]));
        }
      });
    }
    EXPECT_LT(median(differences), 4) << camera;
  }
}

TEST(Synthetic, FrameZeroIsTheUnprojectedDepthAndAllIsVisibleThere) {
  const Clip clip = sample("{size: [48, 64], frames: 3, futures: 3}");
  const at::Tensor points = momap::unproject((*clip.depth)[0], *clip.camera);
  for (const auto& future : clip.truth) {
    EXPECT_TRUE(at::equal(future.motion.xyz[0], points));
    EXPECT_TRUE(at::equal(future.motion.visible[0], future.motion.valid));
    EXPECT_TRUE(at::equal(future.motion.valid, (*clip.depth)[0] > 0));
  }
}

// The points of a segment, f64 [T, N, 3].
at::Tensor points_of(const Clip& clip, const momap::Future& future, int32_t segment) {
  const at::Tensor mask = ((*clip.segments == segment) & future.motion.valid).flatten();
  return future.motion.xyz.reshape({clip.length(), -1, 3})
      .index({at::indexing::Slice(), mask})
      .to(at::kDouble);
}

TEST(Synthetic, RigidPartsStayRigidAndKeepToTheirJoints) {
  int64_t hinges = 0, slides = 0;
  for (int64_t i = 0; i < 10; ++i) {
    const char* kinds = i < 6 ? "[door, lid, fan, pendulum]" : "[drawer]";
    const Clip clip =
        sample(std::string("{size: [96, 96], frames: 8, fps: 8, kinds: ") + kinds + "}", i);
    for (const auto& joint : clip.joints) {
      const at::Tensor points = points_of(clip, clip.truth[0], joint.segment);  // [T, N, 3]
      if (points.size(1) < 8) continue;
      const double depth = points.select(2, 2).max().item<double>();
      const at::Tensor from = points - points.slice(1, 0, 1);
      const at::Tensor distance = from.norm(2, -1);
      EXPECT_LT((distance - distance[0]).abs().max().item<double>(), 1e-5 * depth);

      const at::Tensor axis =
          at::tensor({joint.axis[0], joint.axis[1], joint.axis[2]}, at::kDouble);
      const at::Tensor origin =
          at::tensor({joint.origin[0], joint.origin[1], joint.origin[2]}, at::kDouble);
      EXPECT_NEAR(axis.norm().item<double>(), 1, 1e-12);
      if (joint.kind == momap::Joint::Kind::hinge) {
        ++hinges;
        const at::Tensor out = points - origin;
        const at::Tensor along = at::matmul(out, axis);
        const at::Tensor radius = (out - along.unsqueeze(-1) * axis).norm(2, -1);
        EXPECT_LT((along - along[0]).abs().max().item<double>(), 1e-5 * depth);
        EXPECT_LT((radius - radius[0]).abs().max().item<double>(), 1e-5 * depth);
      } else {
        ++slides;
        const at::Tensor moved = points - points[0];
        const at::Tensor along = at::matmul(moved, axis);
        EXPECT_LT((moved - along.unsqueeze(-1) * axis).abs().max().item<double>(), 1e-5 * depth);
      }
    }
  }
  EXPECT_GT(hinges, 5);
  EXPECT_GT(slides, 2);
}

TEST(Synthetic, WhatDoesNotMoveHasOnePosition) {
  const Clip clip = sample("{size: [64, 64], frames: 6, camera: handheld}", 3);
  const at::Tensor points = points_of(clip, clip.truth[0], 0);
  ASSERT_GT(points.size(1), 100);
  EXPECT_TRUE(at::equal(points, points.slice(0, 0, 1).expand_as(points)));
}

TEST(Synthetic, SameBytesTwiceAndFromSeveralThreads) {
  const std::string params = "{size: [48, 64], frames: 5, fps: 8, futures: 2, seed: 5}";
  constexpr int64_t kCount = 8;
  std::vector<Clip> clips(kCount);
  const auto alone = source(params);
  for (int64_t i = 0; i < kCount; ++i)
    clips[static_cast<size_t>(i)] = alone->sample(i, momap::testing::context(1));
  const auto shared = source(params);
  std::vector<int> equal(kCount);
  tbb::parallel_for(int64_t{0}, kCount, [&](int64_t k) {
    const int64_t i = kCount - 1 - k;
    const Clip again = shared->sample(i, momap::testing::context(99));
    equal[static_cast<size_t>(i)] = same(again, clips[static_cast<size_t>(i)]);
  });
  EXPECT_EQ(equal, std::vector<int>(kCount, 1));
  EXPECT_FALSE(same(clips[0], clips[1]));
  EXPECT_FALSE(same(clips[0], sample("{size: [48, 64], frames: 5, fps: 8, futures: 2, seed: 6}")));
}

TEST(Synthetic, FirstIndexSplitAndSeedAreInNameOrFingerprint) {
  const auto from_7 = source("{first: 7, count: 3, size: [8, 8], frames: 2}");
  const auto from_0 = source("{count: 10, size: [8, 8], frames: 2}");
  EXPECT_TRUE(same(from_7->sample(1, momap::testing::context()),
                   from_0->sample(8, momap::testing::context())));
  EXPECT_EQ(from_7->name(1), "synthetic-v2-train-00000008");
  EXPECT_EQ(from_7->name(1), from_0->name(8));
  EXPECT_EQ(from_7->fingerprint(1), from_0->fingerprint(8));
  EXPECT_NE(source("{split: test}")->fingerprint(0), from_0->fingerprint(0));
  EXPECT_NE(source("{seed: 1}")->fingerprint(0), from_0->fingerprint(0));
  EXPECT_EQ(from_7->size(), 3);
  EXPECT_THROW(from_7->sample(3, momap::testing::context()), momap::DataError);
}

TEST(Synthetic, FuturesShareFrameZeroAndDifferAfterwards) {
  const auto plugin = source("{split: test, size: [64, 64], frames: 8, fps: 8, futures: 16}");
  for (int64_t i = 0; i < 3; ++i) {
    const Clip clip = plugin->sample(i, momap::testing::context());
    ASSERT_EQ(clip.truth.size(), 16U);
    EXPECT_EQ(clip.caption, clip.truth[0].caption);
    for (size_t a = 0; a < 16; ++a) {
      EXPECT_TRUE(at::equal(clip.truth[a].motion.xyz[0], clip.truth[0].motion.xyz[0]));
      for (size_t b = 0; b < a; ++b) {
        EXPECT_FALSE(at::equal(clip.truth[a].motion.xyz, clip.truth[b].motion.xyz))
            << a << " " << b;
      }
    }
  }
}

TEST(Synthetic, AFutureDoesNotDependOnHowManyThereAreOrWhichIsShown) {
  const std::string base = "{split: test, size: [48, 48], frames: 6, fps: 8, camera: static, ";
  const Clip four = sample(base + "futures: 4}"), one = sample(base + "futures: 1}");
  const Clip third = sample(base + "futures: 4, shown: 2}");
  const auto equal = [](const momap::Future& a, const momap::Future& b) {
    return a.caption == b.caption && a.actions == b.actions &&
           at::equal(a.motion.xyz, b.motion.xyz) && at::equal(a.motion.visible, b.motion.visible);
  };
  EXPECT_TRUE(equal(one.truth[0], four.truth[0]));
  EXPECT_TRUE(at::equal(one.frames, four.frames));
  EXPECT_TRUE(equal(third.truth[0], four.truth[2]));
  EXPECT_TRUE(equal(third.truth[1], four.truth[0]));
  EXPECT_TRUE(at::equal(third.frames[0], four.frames[0]));
  EXPECT_FALSE(at::equal(third.frames, four.frames));
}

TEST(Synthetic, ActionsAgreeWithTheMeasuredMotionAndCaptionsWithActions) {
  static const std::map<std::string, std::vector<std::string>> kSaid{
      {"slow", {"slowly", "gently", "slow pace", "without haste"}},
      {"medium", {"steadily", "even pace", "moderate pace", "medium speed"}},
      {"fast", {"quickly", "fast", "rapidly", "high speed"}},
      {"left", {"left"}},
      {"right", {"right"}},
      {"up", {"up"}},
      {"down", {"down"}},
      {"toward", {"toward the camera", "toward the viewer", "to the front"}},
      {"away", {"away from the camera", "away from the viewer", "to the back"}},
      {"clockwise", {"clockwise"}},
      {"counterclockwise", {"counterclockwise", "anticlockwise"}}};
  const auto says = [&](const std::string& caption, const std::string& word) {
    return std::ranges::any_of(kSaid.at(word), [&](const std::string& form) {
      return caption.find(form) != std::string::npos;
    });
  };
  std::map<std::string, int> speeds, directions;
  const auto plugin = source("{size: [96, 96], futures: 3}");
  for (int64_t i = 0; i < 24; ++i) {
    const Clip clip = plugin->sample(i, momap::testing::context());
    for (const auto& future : clip.truth) {
      EXPECT_FALSE(future.caption.empty());
      for (const auto& action : future.actions) {
        const at::Tensor points = points_of(clip, future, action.segment);
        ASSERT_GT(points.size(1), 0);
        const at::Tensor moved = points - points[0];
        const at::Tensor means = moved.norm(2, -1).mean(-1);  // [T]
        const double peak = means.max().item<double>();
        EXPECT_GT(peak, 0);
        if (!action.speed.empty()) {
          ++speeds[action.speed];
          EXPECT_TRUE(says(future.caption, action.speed)) << future.caption;
          EXPECT_GE(peak, action.peak_at_least - 1e-6);
          EXPECT_LT(peak, action.peak_below + 1e-6);
        }
        if (action.direction.empty()) continue;
        ++directions[action.direction];
        EXPECT_TRUE(says(future.caption, action.direction)) << future.caption;
        if (action.direction.ends_with("clockwise")) {
          // Seen from the camera: the sign of the turn about the view direction.
          const auto joint = std::ranges::find(clip.joints, action.segment, &momap::Joint::segment);
          ASSERT_NE(joint, clip.joints.end());
          const at::Tensor origin =
              at::tensor({joint->origin[0], joint->origin[1], joint->origin[2]}, at::kDouble);
          // The first step after which something moves.
          const int64_t t = (means > 1e-5).nonzero()[0][0].item<int64_t>();
          const at::Tensor turn = at::cross(points[0] - origin, moved[t], 1).mean(0);
          const double along = at::dot(turn, origin).item<double>();  // > 0: clockwise
          EXPECT_EQ(along > 0, action.direction == "clockwise");
          continue;
        }
        const at::Tensor mean = moved[means.argmax().item<int64_t>()].mean(0);
        const int64_t axis = mean.abs().argmax().item<int64_t>();
        const bool forward = mean[axis].item<double>() > 0;
        static const char* const kWords[3][2] = {
            {"left", "right"}, {"up", "down"}, {"toward", "away"}};
        EXPECT_EQ(action.direction, kWords[axis][forward ? 1 : 0]);
      }
    }
  }
  EXPECT_EQ(speeds.size(), 3U);
  EXPECT_GE(directions.size(), 4U);
}

TEST(Synthetic, EveryKindMovesInEverySplit) {
  for (const char* split : {"train", "val", "test"}) {
    for (const char* kind :
         {"door", "drawer", "lid", "pendulum", "ball", "blocks", "fan", "car", "walker", "flag"}) {
      const auto plugin = source(std::string("{size: [64, 64], frames: 6, fps: 6, movers: [1, 1], "
                                             "kinds: [") +
                                 kind + "], split: " + split + "}");
      int moving = 0;
      for (int64_t i = 0; i < 3; ++i) {
        const Clip clip = plugin->sample(i, momap::testing::context());
        for (const auto& action : clip.truth[0].actions) {
          const at::Tensor points = points_of(clip, clip.truth[0], action.segment);
          moving += (points - points[0]).abs().max().item<double>() > 0.01 ? 1 : 0;
        }
      }
      EXPECT_GE(moving, 2) << split << " " << kind;
    }
  }
}

TEST(Synthetic, AnySizeAndLengthWorks) {
  for (const char* size : {"[1, 1]", "[3, 5]", "[1, 40]", "[33, 2]"}) {
    for (const char* frames : {"1", "3"}) {
      for (const char* camera : {"static", "handheld"}) {
        const Clip clip = sample(std::string("{size: ") + size + ", frames: " + frames +
                                 ", futures: 2, camera: " + camera + "}");
        EXPECT_EQ(clip.length(), std::stoll(frames));
        const auto& map = clip.truth[1].motion;
        EXPECT_TRUE(
            map.xyz.index({at::indexing::Slice(), map.valid}).isfinite().all().item<bool>());
      }
    }
  }
}

TEST(Synthetic, TheCameraMovesAsAsked) {
  for (const char* camera : kCameras) {
    const Clip clip = sample(with_camera(camera));
    const at::Tensor poses = *clip.cam_from_world;
    const bool rests = at::equal(poses, poses.slice(0, 0, 1).expand_as(poses));
    EXPECT_EQ(rests, std::string(camera) == "static");
    const at::Tensor turns = poses.slice(1, 0, 3).slice(2, 0, 3);
    EXPECT_LT((at::matmul(turns, turns.transpose(1, 2)) - at::eye(3, at::kDouble))
                  .abs()
                  .max()
                  .item<double>(),
              1e-12);
  }
}

TEST(Synthetic, SegmentsHaveNamesAndPixels) {
  const Clip clip = sample("{size: [96, 96], frames: 2}", 2);
  EXPECT_EQ(clip.segment_names.at(0), "background");
  const int64_t highest = clip.segments->max().item<int>();
  EXPECT_GT(highest, 0);
  EXPECT_LT(highest, static_cast<int64_t>(clip.segment_names.size()));
  EXPECT_GE(clip.segments->min().item<int>(), 0);
}

TEST(Synthetic, SaysWhatIsWrongWithParameters) {
  const auto refusal = [](const std::string& params) -> std::string {
    try {
      source(params);
    } catch (const momap::ConfigError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_NE(refusal("{size: [0, 5]}").find("each 1 to 8192 px"), std::string::npos);
  EXPECT_NE(refusal("{size: [5]}").find("[height, width]"), std::string::npos);
  EXPECT_NE(refusal("{kinds: [dor]}").find("did you mean 'door'"), std::string::npos);
  EXPECT_NE(refusal("{settings: [moon]}").find("known: room, street, table"), std::string::npos);
  EXPECT_NE(refusal("{kinds: [car], settings: [room]}").find("none of the settings"),
            std::string::npos);
  EXPECT_NE(refusal("{movers: [3, 2]}").find("[fewest, most]"), std::string::npos);
  EXPECT_NE(refusal("{shown: 1}").find("below 'futures' = 1"), std::string::npos);
}

TEST(Synthetic, PaintingOnlyTheFirstFrameChangesNothingElse) {
  Clip all = sample("{size: [48, 64], frames: 5, futures: 2}", 3);
  const Clip first = sample("{size: [48, 64], frames: 5, futures: 2, painted: first}", 3);
  EXPECT_EQ(first.frames.slice(0, 1).max().item<int>(), 0);
  EXPECT_EQ(first.depth->slice(0, 1).abs().max().item<float>(), 0);
  all.frames.slice(0, 1).zero_();
  all.depth->slice(0, 1).zero_();
  EXPECT_TRUE(same(all, first));
}

}  // namespace
