// SPDX-License-Identifier: Apache-2.0
#include "stage_set.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace momap::synthetic {
namespace {

// What mover `world.parts[part].mover` says of its part in frame t.
const Pose& moved(const World& world, const std::vector<Motion>& motions, int part, int64_t t) {
  const auto mover = static_cast<size_t>(world.parts[static_cast<size_t>(part)].mover);
  const auto& parts = world.movers[mover]->parts;
  const auto slot = static_cast<size_t>(std::ranges::find(parts, part) - parts.begin());
  return motions[mover].poses[static_cast<size_t>(t) * parts.size() + slot];
}

}  // namespace

void StageSet::fit(Face& face, const std::array<Vec3, 3>& points) const {
  const Vec3 a = points[1] - points[0], b = points[2] - points[0];
  const Vec3 normal = cross(a, b);
  const double area2 = dot(normal, normal);
  face.normal = normalized(normal);
  face.offset = dot(face.normal, points[0]);
  if (area2 <= 0) return;
  face.to_1 = cross(b, normal) * (1 / area2);
  face.to_2 = cross(normal, a) * (1 / area2);
  face.from_1 = -dot(face.to_1, points[0]);
  face.from_2 = -dot(face.to_2, points[0]);
  const Part& part = world_->parts[static_cast<size_t>(face.part)];
  const auto& vertices = part.mesh.vertices;
  const auto &first = vertices[face.vertices[0]], &second = vertices[face.vertices[1]],
             &third = vertices[face.vertices[2]];
  const double u1 = second.u - first.u, u2 = third.u - first.u;
  const double v1 = second.v - first.v, v2 = third.v - first.v;
  face.to_u = face.to_1 * u1 + face.to_2 * u2;
  face.to_v = face.to_1 * v1 + face.to_2 * v2;
  face.from_u = first.u + face.from_1 * u1 + face.from_2 * u2;
  face.from_v = first.v + face.from_1 * v1 + face.from_2 * v2;
  face.shading = part.cloth ? face.normal : first.normal;
  if (part.mover < 0) face.shading = part.rest.rotate(face.shading);
}

void StageSet::add_faces(int part, std::vector<uint32_t>& indices, size_t& vertices) {
  const Part& source = world_->parts[static_cast<size_t>(part)];
  const bool still = source.mover < 0;
  const auto& mesh = source.mesh;
  std::map<std::tuple<int32_t, bool, double, double, double>, int32_t> surfaces;
  for (const auto& triangle : mesh.triangles) {
    Face face;
    face.part = part;
    face.material = triangle.material;
    face.vertices = triangle.vertices;
    std::array<Vec3, 3> points;
    for (size_t k = 0; k < 3; ++k) {
      const Vec3& point = mesh.vertices[triangle.vertices[k]].point;
      points[k] = still || source.cloth ? source.rest.apply(point) : point;
      indices.push_back(static_cast<uint32_t>(vertices) + triangle.vertices[k]);
    }
    const auto& normal = [&](size_t k) { return mesh.vertices[triangle.vertices[k]].normal; };
    face.smooth = !(normal(0) == normal(1) && normal(0) == normal(2));
    fit(face, points);
    const auto own = static_cast<int32_t>(faces_.size());
    const Vec3 plane = face.smooth ? Vec3{} : face.normal;
    surfaces_.push_back(
        source.cloth
            ? own
            : surfaces.try_emplace({face.material, face.smooth, plane.x, plane.y, plane.z}, own)
                  .first->second);
    faces_.push_back(face);
  }
  vertices += mesh.vertices.size();
}

StageSet::StageSet(const RayDevice& device, const World& world)
    : world_(&world), poses_(world.parts.size()) {
  std::vector<uint32_t> indices;
  size_t vertices = 0;
  const int parts = static_cast<int>(world.parts.size());
  for (int part = 0; part < parts; ++part) {
    if (world.parts[static_cast<size_t>(part)].mover < 0) add_faces(part, indices, vertices);
  }
  still_ = std::make_unique<RayScene>(device, vertices, indices, false);
  float* out = still_->vertices();
  for (const Part& part : world.parts) {
    if (part.mover >= 0) continue;
    for (const auto& vertex : part.mesh.vertices) {
      const Vec3 p = part.rest.apply(vertex.point);
      for (const double c : {p.x, p.y, p.z}) *out++ = static_cast<float>(c);
    }
  }
  still_->commit();
  first_moving_ = static_cast<int32_t>(faces_.size());
  indices.clear();
  vertices = 0;
  for (int part = 0; part < parts; ++part) {
    if (world.parts[static_cast<size_t>(part)].mover < 0) continue;
    moving_parts_.push_back(part);
    add_faces(part, indices, vertices);
  }
  moving_ = std::make_unique<RayScene>(device, vertices, indices, true);
}

void StageSet::pose(const std::vector<Motion>& motions, int64_t t) {
  if (moving_->empty()) return;
  extents_.clear();
  float* out = moving_->vertices();
  auto face = static_cast<size_t>(first_moving_);
  for (const int index : moving_parts_) {
    const Part& part = world_->parts[static_cast<size_t>(index)];
    Extent extent{index, {1e30F, 1e30F, 1e30F}, {-1e30F, -1e30F, -1e30F}};
    const size_t count = part.mesh.vertices.size();
    const Vec3* cloth = nullptr;
    if (part.cloth) {
      cloth =
          motions[static_cast<size_t>(part.mover)].cloth.data() + static_cast<size_t>(t) * count;
    } else {
      poses_[static_cast<size_t>(index)] = moved(*world_, motions, index, t);
    }
    const Pose& pose = poses_[static_cast<size_t>(index)];
    for (size_t i = 0; i < count; ++i) {
      const Vec3 p = cloth ? cloth[i] : pose.apply(part.mesh.vertices[i].point);
      size_t axis = 0;
      for (const double c : {p.x, p.y, p.z}) {
        const auto value = static_cast<float>(c);
        extent.low[axis] = std::min(extent.low[axis], value);
        extent.high[axis] = std::max(extent.high[axis], value);
        *out++ = value;
        ++axis;
      }
    }
    for (size_t i = 0; i < part.mesh.triangles.size(); ++i, ++face) {
      if (!cloth) continue;
      const auto& v = faces_[face].vertices;
      fit(faces_[face], {cloth[v[0]], cloth[v[1]], cloth[v[2]]});
    }
    extents_.push_back(extent);
  }
  moving_->commit();
}

double StageSet::meet(const Face& face, const Vec3& origin, const Vec3& direction,
                      Vec3& own_point) const {
  const Part& part = world_->parts[static_cast<size_t>(face.part)];
  if (part.mover < 0 || part.cloth) {
    const double s = (face.offset - dot(face.normal, origin)) / dot(face.normal, direction);
    own_point = origin + direction * s;
    return s;
  }
  const Pose& pose = poses_[static_cast<size_t>(face.part)];
  const Vec3 o = pose.apply_inverse(origin), d = pose.rotate_back(direction);
  const double s = (face.offset - dot(face.normal, o)) / dot(face.normal, d);
  own_point = o + d * s;
  return s;
}

Vec3 StageSet::normal_at(const Face& face, const Vec3& own_point, double& u, double& v) const {
  u = dot(face.to_u, own_point) + face.from_u;
  v = dot(face.to_v, own_point) + face.from_v;
  const Part& part = world_->parts[static_cast<size_t>(face.part)];
  const Pose& pose = poses_[static_cast<size_t>(face.part)];
  if (!face.smooth) {
    return part.mover < 0 || part.cloth ? face.shading : pose.rotate(face.shading);
  }
  const auto& vertices = part.mesh.vertices;
  const Vec3 &a = vertices[face.vertices[0]].normal, &b = vertices[face.vertices[1]].normal,
             &c = vertices[face.vertices[2]].normal;
  const double b1 = dot(face.to_1, own_point) + face.from_1;
  const double b2 = dot(face.to_2, own_point) + face.from_2;
  return (part.mover < 0 ? part.rest : pose).rotate(normalized(a + (b - a) * b1 + (c - a) * b2));
}

}  // namespace momap::synthetic
