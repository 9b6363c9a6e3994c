// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/archive.h>
#include <momap/data/tensor_file.h>
#include <momap/store/example_file.h>

#include <algorithm>
#include <charconv>

namespace momap {
namespace {

constexpr const char* kLatents = "training.latents";
constexpr const char* kValid = "training.valid";
constexpr const char* kPrefix = "training.";

}  // namespace

void write_example(const std::filesystem::path& path, const ExampleFile& example) {
  TensorFile file = to_archive(example.reference);
  file.tensors[kLatents] = example.latents;
  file.tensors[kValid] = example.valid;
  const auto say = [&](const char* name, std::string value) {
    file.metadata[std::string(kPrefix).append(name)] = std::move(value);
  };
  for (size_t m = 0; m < example.captions.size(); ++m)
    say(fmt::format("caption.{}", m).c_str(), example.captions[m]);
  say("encoding", example.spec.encoding);
  say("version", std::to_string(example.spec.version));
  say("normalization", example.spec.normalization);
  say("frames", std::to_string(example.spec.frames));
  say("stride", std::to_string(example.stride));
  say("key", example.key);
  write_safetensors(path, file);
}

ExampleFile read_example(const std::filesystem::path& path) {
  TensorFile file = read_safetensors(path);
  const auto fail = [&](const std::string& what) {
    throw ConfigError(
        fmt::format("{}: {}; expected an example file of `momap train`", shown(path), what));
  };
  const auto text = [&](const std::string& name) {
    const auto found = file.metadata.find(kPrefix + name);
    if (found == file.metadata.end())
      fail(fmt::format("metadata '{}{}' is missing", kPrefix, name));
    return found->second;
  };
  const auto number = [&](const char* name) {
    const std::string value = text(name);
    int64_t out = 0;
    const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), out);
    if (error != std::errc{} || stop != value.data() + value.size() || out < 0 || out > UINT32_MAX)
      fail(fmt::format("metadata '{}{}' is not a number", kPrefix, name));
    return out;
  };
  const auto take = [&](const char* name, int64_t dim) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end() || found->second.dim() != dim ||
        found->second.scalar_type() != at::kFloat)
      fail(fmt::format("tensor '{}' is missing or not f32 of {} dimensions", name, dim));
    at::Tensor out = found->second;
    file.tensors.erase(found);
    return out;
  };
  ExampleFile out;
  out.latents = take(kLatents, 4);
  out.valid = take(kValid, 3);
  if (out.valid.size(0) != out.latents.size(0) || out.valid.size(1) != out.latents.size(2) ||
      out.valid.size(2) != out.latents.size(3))
    fail(fmt::format("'{}' and '{}' are not of one size", kLatents, kValid));
  for (int64_t m = 0; m < out.latents.size(0); ++m)
    out.captions.push_back(text(fmt::format("caption.{}", m)));
  out.stride = std::max<int64_t>(1, number("stride"));
  out.key = text("key");
  const std::string encoding = text("encoding"), normalization = text("normalization");
  const int64_t version = number("version"), frames = number("frames");
  try {
    out.reference = std::get<Clip>(from_archive(file));
  } catch (const DataError& error) {
    fail(error.what());
  } catch (const std::bad_variant_access&) {
    fail("it holds no clip");
  }
  out.spec = {encoding, static_cast<uint32_t>(version), normalization,
              frames,   out.reference.height(),         out.reference.width()};
  return out;
}

std::vector<std::filesystem::path> example_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".safetensors") out.push_back(it->path());
  }
  if (error || out.empty()) {
    throw ConfigError(
        fmt::format("{}: {}; name the 'examples' folder of a `momap train` run", shown(folder),
                    error ? error.message() : std::string("holds no example (*.safetensors)")));
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace momap
