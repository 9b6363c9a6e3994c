// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/plugin/plugin.h>

#include <algorithm>

#include "kinds/kinds.h"
#include "renderer.h"
#include "scene.h"

namespace {

namespace world = momap::synthetic;
using momap::ConfigError;
using momap::DataError;
using momap::param;

// Part of every sample's name and seed: a change that moves a byte of a sample moves the version.
constexpr int kVersion = 2;

class Synthetic final : public momap::Source {
 public:
  struct Params {
    std::string split = "train";
    int64_t count = 1000;
    int64_t first = 0;
    std::vector<int64_t> size{256, 256};
    int64_t frames = 24;
    double fps = 24;
    int64_t futures = 1;
    int64_t shown = 0;
    std::vector<std::string> kinds;
    std::vector<std::string> settings;
    std::vector<int64_t> movers{1, 5};
    std::string camera = "any";
    std::string painted = "all";
    int64_t seed = 0;

    static auto schema() {
      return std::tuple{
          param("split", &Params::split,
                "Objects, textures and layouts of the three do not overlap.")
              .one_of({"train", "val", "test"}),
          param("count", &Params::count, "Samples.").at_least(0).runtime_only(),
          param("first", &Params::first, "Index of the first sample.").at_least(0),
          param("size", &Params::size, "Height and width.").unit("px"),
          param("frames", &Params::frames, "Frames of a clip, T.").between(1, 4096),
          param("fps", &Params::fps, "Frames a second.").unit("1/s").between(1, 1000),
          param("futures", &Params::futures, "Possible futures given as truth, M.").between(1, 256),
          param("shown", &Params::shown, "Which future the frames show; it becomes truth[0].")
              .between(0, 255),
          param("kinds", &Params::kinds,
                "Kinds of objects that may move: door, drawer, lid, pendulum, ball, blocks, fan, "
                "car, walker, flag; empty = all."),
          param("settings", &Params::settings,
                "Where: room, street, table; empty = wherever the kinds belong."),
          param("movers", &Params::movers, "Fewest and most objects that may move in a scene."),
          param("camera", &Params::camera, "How the camera moves.")
              .one_of({"any", "static", "pan", "handheld", "dolly"}),
          param("painted", &Params::painted,
                "Which frames get a picture and depth. With `first` the others are black and of "
                "unknown depth, which is all that training from true motion needs, in a fifth of "
                "the time.")
              .one_of({"all", "first"}),
          param("seed", &Params::seed, "Another seed is another data set.").at_least(0),
      };
    }
  };

  explicit Synthetic(const Params& params) : params_(params) {
    const auto bad = [](const std::string& text) {
      throw ConfigError("source/synthetic: " + text);
    };
    if (params.size.size() != 2 ||
        std::ranges::any_of(params.size, [](int64_t side) { return side < 1 || side > 8192; })) {
      bad(fmt::format("'size' = [{}] is not allowed; expected [height, width], each 1 to 8192 px",
                      fmt::join(params.size, ", ")));
    }
    if (params.movers.size() != 2 || params.movers[0] < 1 || params.movers[1] > 5 ||
        params.movers[0] > params.movers[1]) {
      bad(fmt::format("'movers' = [{}] is not allowed; expected [fewest, most] within 1 to 5",
                      fmt::join(params.movers, ", ")));
    }
    if (params.shown >= params.futures) {
      bad(fmt::format("'shown' = {} is not allowed; expected below 'futures' = {}", params.shown,
                      params.futures));
    }
    std::vector<std::string> kinds, settings;
    for (const auto& kind : world::kKinds) kinds.emplace_back(kind.name);
    for (const auto& setting : world::settings()) settings.emplace_back(setting.name);
    require_known("kinds", params.kinds, kinds);
    require_known("settings", params.settings, settings);
    order_.split = params.split == "train" ? world::Split::train
                   : params.split == "val" ? world::Split::val
                                           : world::Split::test;
    order_.kinds = params.kinds;
    order_.settings = params.settings;
    order_.fewest = static_cast<int>(params.movers[0]);
    order_.most = static_cast<int>(params.movers[1]);
    order_.camera = params.camera;
    order_.height = params.size[0];
    order_.width = params.size[1];
    order_.clock = {params.frames, params.fps};
    world::make_scene(order_, 0);  // refuses kinds that no setting has
  }

  int64_t size() override { return params_.count; }

  momap::Clip sample(int64_t i, const momap::Context& context) override {
    if (i < 0 || i >= params_.count) {
      throw DataError(
          fmt::format("source/synthetic: sample {} does not exist; there are {} (0 to {})", i,
                      params_.count, params_.count - 1));
    }
    const uint64_t seed = momap::derived_seed(static_cast<uint64_t>(params_.seed), name(i));
    const world::Scene scene = world::make_scene(order_, seed);
    const world::World& stage_world = *scene.world;
    const uint64_t futures_seed = momap::derived_seed(seed, "futures");
    const auto course = [&](int64_t index) {
      return world::draw_course(stage_world, order_.clock, futures_seed, index);
    };
    world::StageSet stage(device_, stage_world);
    const int64_t frames = params_.frames, height = order_.height, width = order_.width;
    const int64_t pixels = height * width;

    momap::Clip clip;
    clip.frames = at::zeros({frames, height, width, 3}, at::kByte);
    clip.fps = params_.fps;
    clip.camera = scene.view.camera;
    clip.depth = at::zeros({frames, height, width}, at::kFloat);
    clip.cam_from_world = poses(scene.view);
    clip.segment_names = stage_world.segment_names;

    // The shown future: picture and truth together, each frame posed once.
    const world::Course first = course(params_.shown);
    world::Renderer renderer(stage, patterns_, scene.view);
    std::optional<world::Truth> truth;
    momap::Future shown{empty_map(scene.view), "", {}};
    for (int64_t t = 0; t < frames; ++t) {
      context.check_cancelled();
      stage.pose(first.motions, t);
      if (t == 0 || params_.painted == "all") {
        renderer.paint(t, clip.frames.data_ptr<uint8_t>() + 3 * pixels * t);
        std::ranges::copy(renderer.depth(), clip.depth->data_ptr<float>() + pixels * t);
      }
      if (t == 0) {
        truth.emplace(stage, scene.view, renderer.faces(), renderer.depth());
        clip.segments = segments(stage, renderer.faces());
      }
      fill(*truth, first, t, shown.motion);
    }
    finish(*truth, shown.motion);
    world::Teller teller(stage_world, *truth, scene.view, order_.clock);
    tell(teller, first, futures_seed, params_.shown, shown);
    clip.caption = shown.caption;
    clip.truth.push_back(std::move(shown));
    for (int64_t index = 0; index < params_.futures; ++index) {
      if (index == params_.shown) continue;
      const world::Course other = course(index);
      momap::Future future{empty_map(scene.view), "", {}};
      for (int64_t t = 0; t < frames; ++t) {
        context.check_cancelled();
        stage.pose(other.motions, t);
        fill(*truth, other, t, future.motion);
      }
      finish(*truth, future.motion);
      tell(teller, other, futures_seed, index, future);
      clip.truth.push_back(std::move(future));
    }
    clip.joints = joints(stage_world, scene.view);
    return clip;
  }

  std::string name(int64_t i) override {
    return fmt::format("synthetic-v{}-{}-{:08d}", kVersion, params_.split, params_.first + i);
  }

  std::string fingerprint(int64_t i) override {
    return fmt::format("v{}-{}-{}-{}", kVersion, params_.split, params_.seed, params_.first + i);
  }

 private:
  static void require_known(const char* param_name, const std::vector<std::string>& given,
                            const std::vector<std::string>& known) {
    for (const std::string& name : given) {
      if (std::ranges::find(known, name) != known.end()) continue;
      throw ConfigError(fmt::format("source/synthetic: '{}' has no '{}'{}", param_name, name,
                                    momap::suggestion(name, known)));
    }
  }

  static at::Tensor poses(const world::View& view) {
    const auto frames = static_cast<int64_t>(view.cam_from_world.size());
    at::Tensor out = at::empty({frames, 4, 4}, at::kDouble);
    double* to = out.data_ptr<double>();
    for (const world::Pose& pose : view.cam_from_world) {
      const auto& [a, b, c] = pose.rows;
      const auto& t = pose.t;
      for (const double value :
           {a.x, a.y, a.z, t.x, b.x, b.y, b.z, t.y, c.x, c.y, c.z, t.z, 0.0, 0.0, 0.0, 1.0}) {
        *to++ = value;
      }
    }
    return out;
  }

  momap::MoMap empty_map(const world::View& view) const {
    const int64_t height = order_.height, width = order_.width;
    return {at::empty({params_.frames, height, width, 3}, at::kFloat),
            at::empty({params_.frames, height, width}, at::kBool),
            at::empty({height, width}, at::kBool), view.camera};
  }

  static void fill(world::Truth& truth, const world::Course& course, int64_t t, momap::MoMap& map) {
    const int64_t pixels = map.height() * map.width();
    truth.fill(course.motions, t, map.xyz.data_ptr<float>() + 3 * pixels * t,
               map.visible.data_ptr<bool>() + pixels * t);
  }

  static void finish(const world::Truth& truth, momap::MoMap& map) {
    bool* valid = map.valid.data_ptr<bool>();
    for (int64_t i = 0; i < map.height() * map.width(); ++i) valid[i] = truth.valid(i);
  }

  static void tell(world::Teller& teller, const world::Course& course, uint64_t seed, int64_t index,
                   momap::Future& future) {
    world::Story story = teller.tell(course, seed, index);
    future.caption = std::move(story.caption);
    future.actions = std::move(story.actions);
  }

  at::Tensor segments(const world::StageSet& stage, const std::vector<int32_t>& faces) const {
    at::Tensor out = at::empty({order_.height, order_.width}, at::kInt);
    std::ranges::transform(faces, out.data_ptr<int32_t>(), [&](int32_t face) {
      return face < 0 ? 0 : stage.world().parts[static_cast<size_t>(stage.face(face).part)].segment;
    });
    return out;
  }

  static std::vector<momap::Joint> joints(const world::World& of, const world::View& view) {
    std::vector<momap::Joint> out;
    const world::Pose& camera = view.cam_from_world[0];
    for (const auto& mover : of.movers) {
      for (momap::Joint joint : mover->joints) {
        const auto& [ox, oy, oz] = joint.origin;
        const auto& [ax, ay, az] = joint.axis;
        const world::Vec3 origin = camera.apply({ox, oy, oz}), axis = camera.rotate({ax, ay, az});
        joint.origin = {origin.x, origin.y, origin.z};
        joint.axis = {axis.x, axis.y, axis.z};
        out.push_back(joint);
      }
    }
    return out;
  }

  Params params_;
  world::Order order_;
  world::RayDevice device_;
  world::Patterns patterns_;
};

}  // namespace

MOMAP_PLUGIN(Synthetic, "source/synthetic", 1,
             "Makes worlds with exact truth: rendered clips, dense 3D motion, visibility, captions "
             "and many possible futures.");
