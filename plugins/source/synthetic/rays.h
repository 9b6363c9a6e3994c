// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

// The only place that knows Embree (3 or 4). Embree says which triangle is first and whether
// something is in between; positions are computed from the triangle in double precision, so that
// they do not depend on Embree's rounding.

namespace momap::synthetic {

/// Up to eight rays side by side; a hit's distance counts in lengths of the direction.
struct RayPacket {
  static constexpr int kSize = 8;
  alignas(32) std::array<float, kSize> org_x, org_y, org_z, dir_x, dir_y, dir_z, near, far;
  alignas(32) std::array<int32_t, kSize> wanted;  // -1: cast it, 0: leave it out
};

class RayDevice {
 public:
  RayDevice();
  ~RayDevice();
  RayDevice(const RayDevice&) = delete;
  RayDevice& operator=(const RayDevice&) = delete;

 private:
  friend class RayScene;
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

/// A set of triangles to cast rays at.
class RayScene {
 public:
  /// `deforming`: vertices will change often, so building is quick and not thorough.
  RayScene(const RayDevice& device, size_t vertices, const std::vector<uint32_t>& indices,
           bool deforming);
  ~RayScene();
  RayScene(const RayScene&) = delete;
  RayScene& operator=(const RayScene&) = delete;

  bool empty() const { return triangles_ == 0; }
  /// Three floats for each vertex; write, then `commit`.
  float* vertices() { return vertices_; }
  void commit();

  /// The first triangle hit by each wanted ray, -1 for none.
  void first_hit(const RayPacket& rays, std::array<int32_t, RayPacket::kSize>& triangles) const;
  /// Whether anything is hit by each wanted ray.
  void any_hit(const RayPacket& rays, std::array<bool, RayPacket::kSize>& hit) const;

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
  float* vertices_ = nullptr;
  size_t triangles_ = 0;
  bool built_ = false;
};

}  // namespace momap::synthetic
