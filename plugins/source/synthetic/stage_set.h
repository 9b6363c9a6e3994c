// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "rays.h"
#include "world.h"

namespace momap::synthetic {

/// One triangle as rays need it. Static parts and cloth: in world coordinates, other parts: in
/// their own.
struct Face {
  int32_t part = 0;
  int32_t material = 0;
  std::array<uint32_t, 3> vertices{};  // in the part's mesh
  bool smooth = false;                 // its normal is interpolated
  Vec3 normal;                         // unit, of the plane
  double offset = 0;                   // normal . p = offset
  Vec3 to_1, to_2;                     // barycentric b_i = to_i . p + from_i
  double from_1 = 0, from_2 = 0;
  Vec3 to_u, to_v;  // texture u = to_u . p + from_u
  double from_u = 0, from_v = 0;
  Vec3 shading;  // unit normal for shading unless `smooth`
};

/// A world ready for rays: what never moves is built once, what moves is posed frame by frame.
class StageSet {
 public:
  StageSet(const RayDevice& device, const World& world);

  /// Everything of frame `t`; `motions` has an entry for each mover.
  void pose(const std::vector<Motion>& motions, int64_t t);

  const World& world() const { return *world_; }
  const RayScene& still() const { return *still_; }
  const RayScene& moving() const { return *moving_; }
  /// Faces of `still`, then those of `moving`.
  const Face& face(int32_t i) const { return faces_[static_cast<size_t>(i)]; }
  /// Faces of one part in one plane or one curved surface, of one material, have the same number.
  int32_t surface(int32_t face) const { return surfaces_[static_cast<size_t>(face)]; }
  int32_t first_moving() const { return first_moving_; }

  const Pose& pose_of(int part) const { return poses_[static_cast<size_t>(part)]; }
  /// Posed vertices of the moving parts, for bounds: 3 floats each.
  struct Extent {
    int part;
    std::array<float, 3> low, high;  // world, metres
  };
  const std::vector<Extent>& extents() const { return extents_; }

  /// The ray parameter at which origin + s dir meets the face's plane as it is posed now, and the
  /// point there in the face's own coordinates.
  double meet(const Face& face, const Vec3& origin, const Vec3& direction, Vec3& own_point) const;
  /// Unit shading normal in world coordinates, and texture coordinates.
  Vec3 normal_at(const Face& face, const Vec3& own_point, double& u, double& v) const;

 private:
  void add_faces(int part, std::vector<uint32_t>& indices, size_t& vertices);
  void fit(Face& face, const std::array<Vec3, 3>& points) const;

  const World* world_;
  std::vector<Face> faces_;
  std::vector<int32_t> surfaces_;  // by face
  std::unique_ptr<RayScene> still_, moving_;
  int32_t first_moving_ = 0;
  std::vector<int> moving_parts_;
  std::vector<Pose> poses_;  // by part
  std::vector<Extent> extents_;
};

}  // namespace momap::synthetic
