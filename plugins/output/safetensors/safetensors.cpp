// SPDX-License-Identifier: Apache-2.0
#include <momap/data/archive.h>
#include <momap/plugin/plugin.h>

namespace {

namespace fs = std::filesystem;

/// The value at a port, whatever its kind among Kinds.
template <class... Kinds>
momap::Datum datum_at(const momap::Inputs& inputs, std::string_view port) {
  momap::Datum datum;
  const auto take = [&](const auto* value) {
    if (value) datum = *value;
  };
  (take(inputs.get<Kinds>(port)), ...);
  return datum;
}

class SafetensorsOutput final : public momap::Output {
 public:
  static constexpr const char* kInputs = "value: clip | momap | latent | partial_clip | score";

  struct Params {
    static auto schema() { return std::tuple{}; }
  };

  explicit SafetensorsOutput(Params) {}

  fs::path write(const momap::Inputs& inputs, const fs::path& stem,
                 const momap::Context&) override {
    fs::path path = stem;
    path += ".safetensors";
    momap::write_safetensors(
        path,
        momap::to_archive(
            datum_at<momap::Clip, momap::MoMap, momap::Latent, momap::PartialClip, momap::Score>(
                inputs, "value")));
    return path;
  }
};

}  // namespace

MOMAP_PLUGIN(SafetensorsOutput, "output/safetensors", 1,
             "Writes a value without loss as named tensors that Python and other programs read.");
