// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "pose.h"

namespace momap::synthetic {

/// Triangles with shading normals and texture coordinates in metres on the surface.
struct Mesh {
  struct Vertex {
    Vec3 point;   // metres
    Vec3 normal;  // unit; shading only
    double u = 0, v = 0;
  };
  struct Triangle {
    std::array<uint32_t, 3> vertices{};
    int material = 0;
  };

  std::vector<Vertex> vertices;
  std::vector<Triangle> triangles;

  Mesh& add(const Mesh& other, const Pose& pose = {});
  /// Shifts the texture, so that equal pieces do not look alike.
  Mesh& shift_texture(double u, double v);
};

/// Centred at the origin.
Mesh box(const Vec3& size, int material);
/// Along z from 0 to `height`; `top_radius` may be 0 (a cone). Closed at both ends.
Mesh cylinder(double radius, double top_radius, double height, int material, int sides = 20);
/// Centred at the origin; `squeeze` scales z.
Mesh sphere(double radius, int material, int rings = 12, double squeeze = 1);
/// A convex outline (x, z), counter-clockwise seen from -y, from y = -depth / 2 to depth / 2.
Mesh prism(const std::vector<std::array<double, 2>>& outline, double depth, int material);
/// A rectangle (corner, two sides); it faces cross(a, b).
Mesh rectangle(const Vec3& corner, const Vec3& a, const Vec3& b, int material);
/// A flat strip along points (x, y) of width `width` at height z, facing up.
Mesh strip(const std::vector<Vec3>& middle, double width, int material);

}  // namespace momap::synthetic
