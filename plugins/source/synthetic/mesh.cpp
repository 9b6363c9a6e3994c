// SPDX-License-Identifier: Apache-2.0
#include "mesh.h"

namespace momap::synthetic {

Mesh& Mesh::add(const Mesh& other, const Pose& pose) {
  const auto first = static_cast<uint32_t>(vertices.size());
  for (Vertex vertex : other.vertices) {
    vertex.point = pose.apply(vertex.point);
    vertex.normal = pose.rotate(vertex.normal);
    vertices.push_back(vertex);
  }
  for (Triangle triangle : other.triangles) {
    for (uint32_t& v : triangle.vertices) v += first;
    triangles.push_back(triangle);
  }
  return *this;
}

Mesh& Mesh::shift_texture(double u, double v) {
  for (Vertex& vertex : vertices) {
    vertex.u += u;
    vertex.v += v;
  }
  return *this;
}

Mesh rectangle(const Vec3& corner, const Vec3& a, const Vec3& b, int material) {
  const Vec3 normal = normalized(cross(a, b));
  const double u = length(a), v = length(b);
  return {{{corner, normal, 0, 0},
           {corner + a, normal, u, 0},
           {corner + a + b, normal, u, v},
           {corner + b, normal, 0, v}},
          {{{0, 1, 2}, material}, {{0, 2, 3}, material}}};
}

Mesh box(const Vec3& size, int material) {
  const Vec3 h = size * 0.5, x{size.x, 0, 0}, y{0, size.y, 0}, z{0, 0, size.z};
  Mesh mesh;
  mesh.add(rectangle({-h.x, -h.y, -h.z}, x, z, material));
  mesh.add(rectangle({h.x, h.y, -h.z}, -x, z, material));
  mesh.add(rectangle({h.x, -h.y, -h.z}, y, z, material));
  mesh.add(rectangle({-h.x, h.y, -h.z}, -y, z, material));
  mesh.add(rectangle({-h.x, -h.y, h.z}, x, y, material));
  mesh.add(rectangle({-h.x, h.y, -h.z}, x, -y, material));
  return mesh;
}

Mesh cylinder(double radius, double top_radius, double height, int material, int sides) {
  Mesh mesh;
  const double lean = (radius - top_radius) / height;  // of the side's normal, upward
  const auto around = [&](int i) { return 2 * kPi * i / sides; };
  for (int i = 0; i <= sides; ++i) {
    const double c = cosine(around(i % sides)), s = sine(around(i % sides));
    const Vec3 normal = normalized({c, s, lean});
    mesh.vertices.push_back({{radius * c, radius * s, 0}, normal, around(i) * radius, 0});
    mesh.vertices.push_back(
        {{top_radius * c, top_radius * s, height}, normal, around(i) * radius, height});
  }
  for (uint32_t i = 0; i < static_cast<uint32_t>(sides); ++i) {
    const uint32_t a = 2 * i, b = 2 * i + 2;
    mesh.triangles.push_back({{a, b, b + 1}, material});
    if (top_radius > 0) mesh.triangles.push_back({{a, b + 1, a + 1}, material});
  }
  for (const bool top : {false, true}) {
    const double r = top ? top_radius : radius, z = top ? height : 0;
    if (r <= 0) continue;
    const auto first = static_cast<uint32_t>(mesh.vertices.size());
    for (int i = 0; i < sides; ++i) {
      const double x = r * cosine(around(i)), y = r * sine(around(i));
      mesh.vertices.push_back({{x, y, z}, {0, 0, top ? 1.0 : -1.0}, x + r, y + r});
    }
    for (uint32_t i = 1; i + 1 < static_cast<uint32_t>(sides); ++i) {
      const uint32_t b = first + (top ? i : i + 1), c = first + (top ? i + 1 : i);
      mesh.triangles.push_back({{first, b, c}, material});
    }
  }
  return mesh;
}

Mesh sphere(double radius, int material, int rings, double squeeze) {
  Mesh mesh;
  const int sides = 2 * rings;
  for (int i = 0; i <= rings; ++i) {
    const double latitude = kPi * i / rings, s = sine(latitude), c = -cosine(latitude);
    for (int j = 0; j <= sides; ++j) {
      const double longitude = 2 * kPi * j / sides, around = 2 * kPi * (j % sides) / sides;
      const Vec3 unit{s * cosine(around), s * sine(around), c};
      mesh.vertices.push_back({{radius * unit.x, radius * unit.y, radius * squeeze * unit.z},
                               normalized({unit.x, unit.y, unit.z / squeeze}),
                               longitude * radius,
                               latitude * radius});
    }
  }
  const auto row = static_cast<uint32_t>(sides + 1);
  for (uint32_t i = 0; i < static_cast<uint32_t>(rings); ++i) {
    for (uint32_t j = 0; j + 1 < row; ++j) {
      const uint32_t a = i * row + j, b = a + row;
      if (i > 0) mesh.triangles.push_back({{a, a + 1, b + 1}, material});
      if (i + 1 < static_cast<uint32_t>(rings)) {
        mesh.triangles.push_back({{a, b + 1, b}, material});
      }
    }
  }
  return mesh;
}

Mesh prism(const std::vector<std::array<double, 2>>& outline, double depth, int material) {
  Mesh mesh;
  const double h = depth / 2;
  const size_t n = outline.size();
  for (size_t i = 0; i < n; ++i) {
    const auto& [ax, az] = outline[i];
    const auto& [bx, bz] = outline[(i + 1) % n];
    mesh.add(rectangle({ax, -h, az}, {0, depth, 0}, {bx - ax, 0, bz - az}, material));
    // Counter-clockwise seen from -y: the outward side of an edge is on its right.
    Vec3 normal = normalized({bz - az, 0, ax - bx});
    const size_t last = mesh.vertices.size();
    for (size_t k = last - 4; k < last; ++k) mesh.vertices[k].normal = normal;
  }
  for (const double side : {-1.0, 1.0}) {
    const auto first = static_cast<uint32_t>(mesh.vertices.size());
    for (const auto& [x, z] : outline) {
      mesh.vertices.push_back({{x, side * h, z}, {0, side, 0}, x, z});
    }
    for (uint32_t i = 1; i + 1 < static_cast<uint32_t>(n); ++i) {
      mesh.triangles.push_back({{first, first + i, first + i + 1}, material});
    }
  }
  return mesh;
}

Mesh strip(const std::vector<Vec3>& middle, double width, int material) {
  Mesh mesh;
  double along = 0;
  for (size_t i = 0; i < middle.size(); ++i) {
    const Vec3& before = middle[i > 0 ? i - 1 : 0];
    const Vec3& after = middle[i + 1 < middle.size() ? i + 1 : i];
    const Vec3 forward = normalized(after - before);
    const Vec3 left{-forward.y * width / 2, forward.x * width / 2, 0};
    if (i > 0) along += length(middle[i] - before);
    mesh.vertices.push_back({middle[i] + left, {0, 0, 1}, along, width});
    mesh.vertices.push_back({middle[i] - left, {0, 0, 1}, along, 0});
    if (i == 0) continue;
    const auto k = static_cast<uint32_t>(2 * i);
    mesh.triangles.push_back({{k - 1, k + 1, k}, material});
    mesh.triangles.push_back({{k - 1, k, k - 2}, material});
  }
  return mesh;
}

}  // namespace momap::synthetic
