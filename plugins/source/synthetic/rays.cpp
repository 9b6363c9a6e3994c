// SPDX-License-Identifier: Apache-2.0
#include "rays.h"

#if __has_include(<embree4/rtcore.h>)
#include <embree4/rtcore.h>
#else
#include <embree3/rtcore.h>
#endif

#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace momap::synthetic {
namespace {

#if RTC_VERSION_MAJOR >= 4
void intersect(const int* wanted, RTCScene scene, RTCRayHit8& rays) {
  RTCIntersectArguments arguments;
  rtcInitIntersectArguments(&arguments);
  arguments.flags = RTC_RAY_QUERY_FLAG_COHERENT;
  rtcIntersect8(wanted, scene, &rays, &arguments);
}
void occluded(const int* wanted, RTCScene scene, RTCRay8& rays) {
  RTCOccludedArguments arguments;
  rtcInitOccludedArguments(&arguments);
  arguments.flags = RTC_RAY_QUERY_FLAG_COHERENT;
  rtcOccluded8(wanted, scene, &rays, &arguments);
}
#else
void intersect(const int* wanted, RTCScene scene, RTCRayHit8& rays) {
  RTCIntersectContext context;
  rtcInitIntersectContext(&context);
  context.flags = RTC_INTERSECT_CONTEXT_FLAG_COHERENT;
  rtcIntersect8(wanted, scene, &context, &rays);
}
void occluded(const int* wanted, RTCScene scene, RTCRay8& rays) {
  RTCIntersectContext context;
  rtcInitIntersectContext(&context);
  context.flags = RTC_INTERSECT_CONTEXT_FLAG_COHERENT;
  rtcOccluded8(wanted, scene, &context, &rays);
}
#endif

// Embree's kernels for one instruction set on every machine that has it: two sets round
// differently, which can move a ray from one side of an edge to the other.
const char* device_options() {
  return __builtin_cpu_supports("avx2") ? "isa=avx2,verbose=0" : "isa=sse2,verbose=0";
}

void load(const RayPacket& from, RTCRay8& to) {
  const auto copy = [](float* out, const std::array<float, RayPacket::kSize>& in) {
    std::memcpy(out, in.data(), sizeof in);
  };
  copy(to.org_x, from.org_x);
  copy(to.org_y, from.org_y);
  copy(to.org_z, from.org_z);
  copy(to.dir_x, from.dir_x);
  copy(to.dir_y, from.dir_y);
  copy(to.dir_z, from.dir_z);
  copy(to.tnear, from.near);
  copy(to.tfar, from.far);
  std::fill_n(to.time, RayPacket::kSize, 0.0F);
  std::fill_n(to.mask, RayPacket::kSize, ~0U);
  std::fill_n(to.flags, RayPacket::kSize, 0U);
}

}  // namespace

struct RayDevice::Handle {
  RTCDevice device = nullptr;
};

RayDevice::RayDevice() : handle_(std::make_unique<Handle>()) {
  handle_->device = rtcNewDevice(device_options());
  if (!handle_->device) {
    throw std::runtime_error(fmt::format("Embree gives no device (error {})",
                                         static_cast<int>(rtcGetDeviceError(nullptr))));
  }
}

RayDevice::~RayDevice() { rtcReleaseDevice(handle_->device); }

struct RayScene::Handle {
  RTCScene scene = nullptr;
  RTCGeometry geometry = nullptr;
  tbb::task_arena alone{1};
};

RayScene::RayScene(const RayDevice& device, size_t vertices, const std::vector<uint32_t>& indices,
                   bool deforming)
    : handle_(std::make_unique<Handle>()), triangles_(indices.size() / 3) {
  if (empty()) return;
  RTCDevice embree = device.handle_->device;
  handle_->scene = rtcNewScene(embree);
  // Robust: no ray slips through the edge between two triangles.
  rtcSetSceneFlags(handle_->scene, deforming ? RTC_SCENE_FLAG_ROBUST | RTC_SCENE_FLAG_DYNAMIC
                                             : RTC_SCENE_FLAG_ROBUST);
  if (deforming) rtcSetSceneBuildQuality(handle_->scene, RTC_BUILD_QUALITY_LOW);
  handle_->geometry = rtcNewGeometry(embree, RTC_GEOMETRY_TYPE_TRIANGLE);
  if (deforming) rtcSetGeometryBuildQuality(handle_->geometry, RTC_BUILD_QUALITY_REFIT);
  vertices_ =
      static_cast<float*>(rtcSetNewGeometryBuffer(handle_->geometry, RTC_BUFFER_TYPE_VERTEX, 0,
                                                  RTC_FORMAT_FLOAT3, 3 * sizeof(float), vertices));
  void* out = rtcSetNewGeometryBuffer(handle_->geometry, RTC_BUFFER_TYPE_INDEX, 0, RTC_FORMAT_UINT3,
                                      3 * sizeof(uint32_t), triangles_);
  if (!vertices_ || !out) throw std::bad_alloc();
  std::memcpy(out, indices.data(), indices.size() * sizeof(uint32_t));
  rtcAttachGeometry(handle_->scene, handle_->geometry);
}

RayScene::~RayScene() {
  if (empty()) return;
  rtcReleaseGeometry(handle_->geometry);
  rtcReleaseScene(handle_->scene);
}

void RayScene::commit() {
  if (empty()) return;
  if (built_) rtcUpdateGeometryBuffer(handle_->geometry, RTC_BUFFER_TYPE_VERTEX, 0);
  rtcCommitGeometry(handle_->geometry);
  // One thread: the same tree every time, and no foreign task is taken up meanwhile.
  handle_->alone.execute([&] { rtcCommitScene(handle_->scene); });
  built_ = true;
}

void RayScene::first_hit(const RayPacket& rays,
                         std::array<int32_t, RayPacket::kSize>& triangles) const {
  triangles.fill(-1);
  if (empty()) return;
  RTCRayHit8 query;
  load(rays, query.ray);
  std::fill_n(query.hit.geomID, RayPacket::kSize, RTC_INVALID_GEOMETRY_ID);
  intersect(rays.wanted.data(), handle_->scene, query);
  for (size_t k = 0; k < RayPacket::kSize; ++k) {
    if (rays.wanted[k] != 0 && query.hit.geomID[k] != RTC_INVALID_GEOMETRY_ID) {
      triangles[k] = static_cast<int32_t>(query.hit.primID[k]);
    }
  }
}

void RayScene::any_hit(const RayPacket& rays, std::array<bool, RayPacket::kSize>& hit) const {
  hit.fill(false);
  if (empty()) return;
  RTCRay8 query;
  load(rays, query);
  occluded(rays.wanted.data(), handle_->scene, query);
  for (size_t k = 0; k < RayPacket::kSize; ++k) {
    hit[k] = rays.wanted[k] != 0 && query.tfar[k] < 0;
  }
}

}  // namespace momap::synthetic
