// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>
#include <momap/data/archive.h>
#include <momap/store/sample.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

namespace momap {
namespace {

using nlohmann::json;

constexpr const char* kEncoded = "momap.encoded";    // metadata: names of encoded tensors
constexpr const char* kPadding = "padding";          // fills the sample up to a multiple of 8 bytes
constexpr size_t kSmall = 1024;                      // bytes below which encoding is not worth it
constexpr uint64_t kMostBytes = uint64_t{16} << 30;  // of one decoded tensor

at::Tensor as_tensor(const EncodedTensor& bytes) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(bytes.size())}, at::kByte);
  std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

bool is_map(const std::string& name) {
  return name.starts_with("truth.") && name.ends_with(".xyz");
}

void keep_worst(MapError& worst, const MapError& error) {
  worst.rmse_m = std::max(worst.rmse_m, error.rmse_m);
  worst.max_m = std::max(worst.max_m, error.max_m);
}

at::Tensor to_half(const at::Tensor& xyz, const at::Tensor& valid, MapError& worst) {
  at::Tensor half = xyz.to(at::kHalf);
  const MapError error = map_error(half.to(at::kFloat), xyz, valid);
  if (!(error.max_m < 1e9)) {
    throw DataError(
        "motion map: a coordinate is beyond 65504 m, which f16 cannot hold; use precision: f32");
  }
  keep_worst(worst, error);
  return half;
}

// Makes the bytes of the tensors a multiple of 8, so that the next sample is aligned.
void pad(TensorFile& file) {
  size_t bytes = 0;
  for (const auto& [name, tensor] : file.tensors) bytes += tensor.nbytes();
  if (bytes % 8 != 0) {
    file.tensors[kPadding] = at::zeros({static_cast<int64_t>(8 - bytes % 8)}, at::kByte);
  }
}

}  // namespace

PackedSample pack_sample(const Clip& clip, const StorageOptions& options) {
  const TensorFile archive = to_archive(clip);
  TensorFile file{.tensors = {}, .metadata = archive.metadata};
  PackedSample packed;
  json encoded = json::array();
  for (const auto& [name, plain] : archive.tensors) {
    at::Tensor& kept = file.tensors[name] = plain;
    EncodedTensor bytes;
    if (is_map(name)) {
      const at::Tensor& valid = archive.tensors.at(name.substr(0, name.size() - 3) + "valid");
      if (options.codec == "lossy") {
        MapError error;
        bytes = encode_lossy(plain, valid, options.max_rmse_m, error);
        keep_worst(packed.error, error);
      } else if (options.precision == "f16") {
        kept = to_half(plain, valid, packed.error);
      }
    }
    const bool small = kept.itemsize() > 4 || kept.nbytes() < kSmall;
    if (options.codec != "raw" && !small && bytes.empty()) bytes = encode_lossless(kept);
    if (bytes.empty() || bytes.size() >= kept.nbytes()) continue;
    kept = as_tensor(bytes);
    encoded.push_back(name);
  }
  if (!encoded.empty()) file.metadata[kEncoded] = encoded.dump();
  pad(file);
  packed.bytes = safetensors_bytes(file);
  packed.codec = options.codec == "lossy" ? "lossy" : options.codec + " " + options.precision;
  packed.rmse_bound_m = options.codec == "lossy" ? options.max_rmse_m : packed.error.rmse_m;
  return packed;
}

namespace {

// Shapes inside a clip that agree with each other: plugins rely on them.
void check_shapes(const Clip& clip, const std::string& owner) {
  const auto require = [&](const at::Tensor& tensor, const char* name, at::ScalarType type,
                           std::vector<int64_t> sizes) {
    bool agrees =
        tensor.scalar_type() == type && tensor.dim() == static_cast<int64_t>(sizes.size());
    for (size_t d = 0; agrees && d < sizes.size(); ++d) {
      agrees = sizes[d] < 0 || tensor.sizes()[d] == sizes[d];
    }
    if (!agrees) {
      throw ConfigError(fmt::format("{}: '{}' is {} [{}]; expected {} [{}] (-1: any)", owner, name,
                                    c10::toString(tensor.scalar_type()),
                                    fmt::join(tensor.sizes().vec(), ", "), c10::toString(type),
                                    fmt::join(sizes, ", ")));
    }
  };
  require(clip.frames, "frames", at::kByte, {-1, -1, -1, 3});
  const int64_t t = clip.length(), h = clip.height(), w = clip.width();
  if (clip.depth) require(*clip.depth, "depth", at::kFloat, {t, h, w});
  if (clip.cam_from_world) require(*clip.cam_from_world, "cam_from_world", at::kDouble, {t, 4, 4});
  if (clip.segments) require(*clip.segments, "segments", at::kInt, {h, w});
  if (clip.covered) require(*clip.covered, "covered", at::kBool, {t, h, w});
  if (clip.flow) require(*clip.flow, "flow", at::kFloat, {t - 1, h, w, 2});
  if (clip.occluded) require(*clip.occluded, "occluded", at::kBool, {t - 1, h, w});
  for (const auto& future : clip.truth) {
    const MoMap& map = future.motion;
    require(map.xyz, "truth.xyz", at::kFloat, {-1, h, w, 3});
    require(map.visible, "truth.visible", at::kBool, {map.frames(), h, w});
    require(map.valid, "truth.valid", at::kBool, {h, w});
  }
  if (clip.tracks) {
    require(clip.tracks->xyz, "tracks.xyz", at::kFloat, {-1, -1, 3});
    const int64_t frames = clip.tracks->frames(), count = clip.tracks->count();
    require(clip.tracks->visible, "tracks.visible", at::kBool, {frames, count});
    require(clip.tracks->valid, "tracks.valid", at::kBool, {frames, count});
    require(clip.tracks->queries, "tracks.queries", at::kDouble, {count, 3});
  }
}

}  // namespace

Clip unpack_sample(const std::shared_ptr<MappedFile>& file, uint64_t offset, uint64_t size,
                   const std::string& owner, ValueCheck values) {
  TensorFile content = read_safetensors(file, offset, size, owner, values);
  if (const auto list = content.metadata.find(kEncoded); list != content.metadata.end()) {
    std::vector<std::string> names;
    try {
      names = json::parse(list->second).get<std::vector<std::string>>();
    } catch (const json::exception&) {
      throw ConfigError(fmt::format("{}: metadata '{}' is not a list of names", owner, kEncoded));
    }
    for (const auto& name : names) {
      const auto found = content.tensors.find(name);
      if (found == content.tensors.end() || found->second.scalar_type() != at::kByte) {
        throw ConfigError(
            fmt::format("{}: encoded tensor '{}' is missing or not U8", owner, printable(name)));
      }
      const at::Tensor bytes = found->second.contiguous();
      found->second = decode({static_cast<const std::byte*>(bytes.data_ptr()), bytes.nbytes()},
                             fmt::format("{}: tensor '{}'", owner, printable(name)), kMostBytes);
    }
  }
  for (auto& [name, tensor] : content.tensors) {
    if (is_map(name) && tensor.scalar_type() == at::kHalf) tensor = tensor.to(at::kFloat);
  }
  try {
    Datum datum = from_archive(content, values);
    if (auto* clip = std::get_if<Clip>(&datum)) {
      check_shapes(*clip, owner);
      return std::move(*clip);
    }
  } catch (const DataError& error) {
    throw ConfigError(fmt::format("{}: {}", owner, error.what()));
  }
  throw ConfigError(fmt::format("{}: holds no clip", owner));
}

}  // namespace momap
