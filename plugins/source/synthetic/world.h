// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/future.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mesh.h"
#include "pose.h"
#include "style.h"

// World coordinates: metres, x right and y away from the usual viewer, z up.

namespace momap::synthetic {

/// A piece that moves as one: rigid, or a cloth whose vertices move one by one.
struct Part {
  Mesh mesh;        // part frame
  int segment = 0;  // id in World::segment_names; 0 = background
  Pose rest;        // world_from_part in frame 0
  int mover = -1;   // index in World::movers; -1 = static
  bool cloth = false;
};

/// A box that bodies collide with.
struct Obstacle {
  Pose pose;
  Vec3 size;
};

struct Light {
  bool sun = true;
  Vec3 place{0.4, -0.6, 1};  // sun: direction to it; lamp: its position
  Vec3 colour{1, 1, 1};
  Vec3 sky{0.4, 0.4, 0.4};     // ambient light from above
  Vec3 ground{0.2, 0.2, 0.2};  // and from below
};

/// What one mover does in one future; frame 0 does not depend on it.
struct Choice {
  bool moves = true;
  double speed = 1.5;  // [0, 1) slow, [1, 2) medium, [2, 3) fast
  double delay = 0;    // s before it starts
  int option = 0;      // in [0, Mover::options)
};

/// When frames are taken.
struct Clock {
  int64_t frames = 24;
  double fps = 24;

  /// Seconds of motion up to frame t.
  double since(int64_t t, double delay) const {
    const double s = static_cast<double>(t) / fps - delay;
    return s > 0 ? s : 0;
  }
};

struct Motion {
  std::vector<Pose> poses;  // world_from_part, [T, parts of the mover]
  std::vector<Vec3> cloth;  // world points, [T, vertices of the cloth part]; empty without one
};

/// How a mover's motion is told.
struct Telling {
  std::string verb;                  // "open"
  std::vector<std::string> phrases;  // "opens", "swings open"
  bool directed = false;             // its measured direction belongs to the action
  std::string turn;                  // "clockwise" or "counterclockwise" instead of a direction
};

struct World;

/// An object that may move, with all the ways in which it may.
class Mover {
 public:
  virtual ~Mover() = default;
  Mover() = default;
  Mover(const Mover&) = delete;
  Mover& operator=(const Mover&) = delete;

  /// The motion of a choice with `moves`; at most as fast as the speed says, and the same in frame
  /// 0 for every choice.
  virtual Motion move(const World& world, const Choice& choice, const Clock& clock) const = 0;
  virtual Telling tell(int option) const = 0;

  std::string kind;           // "door"
  std::string noun;           // "door"
  std::string colour;         // "red"; "" = not told
  int segment = 0;            // of what the caption names
  std::vector<int> parts;     // indices in World::parts
  std::vector<Joint> joints;  // origin and axis in world coordinates
  int options = 1;            // open choices besides speed and delay
  bool may_rest = true;       // it may also stay as it is
  bool may_wait = true;       // it may start late
};

struct World {
  std::string setting;
  std::vector<Material> materials;
  std::vector<Part> parts;
  std::vector<std::string> segment_names{"background"};
  std::vector<std::unique_ptr<Mover>> movers;
  std::vector<Obstacle> obstacles;
  Light light;
  Vec3 sky{0.5, 0.65, 0.9};      // colour where nothing is hit, above
  Vec3 horizon{0.8, 0.85, 0.9};  // and at the horizon

  int add(const Material& material) {
    materials.push_back(material);
    return static_cast<int>(materials.size()) - 1;
  }
  int add_segment(const std::string& name) {
    segment_names.push_back(name);
    return static_cast<int>(segment_names.size()) - 1;
  }
  /// A static part, or (`moves`) one of the mover that is being built: it takes the next place in
  /// `movers`.
  int add(Mesh mesh, int segment, const Pose& rest, bool moves = false);
  /// A static mesh without a segment of its own: part of the background.
  void add_background(Mesh mesh, const Pose& rest = {}) { add(std::move(mesh), 0, rest); }
};

/// Where an object stands: origin on the ground, x to its right as seen from the front, y to its
/// back.
struct Site {
  Pose pose;
  double scale = 1;  // of the object; 1 = furniture and people
  double bend = 0;   // 1/m, curvature of the road ahead; positive to its left
};

}  // namespace momap::synthetic
