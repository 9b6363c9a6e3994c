// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The stages in flow order. This list decides the order of the build, `momap plugins list`, the
// docs and leaderboards.

namespace momap {

/// What flows along an edge of a graph.
enum class Kind { clip, momap, latent, backbone, partial_clip, score, file };

inline constexpr std::array kKindNames{"clip",         "momap", "latent", "backbone",
                                       "partial_clip", "score", "file"};

inline constexpr std::string_view name_of(Kind kind) {
  return kKindNames[static_cast<size_t>(kind)];
}
std::optional<Kind> kind_from_name(std::string_view name);

/// One input of a step.
struct Port {
  std::string name;
  std::vector<Kind> kinds;  ///< any of these fits
  bool optional = false;    ///< "name: kind?"
  bool many = false;        ///< "name: kind*": receives all K samples at once instead of one by one

  bool accepts(Kind kind) const;
  std::string text() const;  ///< "image: clip"
};

/// Reads "result: clip | partial_clip, reference: clip?". Throws std::invalid_argument.
std::vector<Port> parse_ports(std::string_view signature);

struct StageInfo {
  std::string_view name;
  std::string_view inputs;  ///< signature; empty = none, "*" = each plugin declares its own
  Kind output;
  std::string_view purpose;  ///< one line, for `plugins list` and the docs
};

inline constexpr std::array kStages{
    StageInfo{"source", "", Kind::clip, "reads or makes clips, one per sample"},
    StageInfo{"annotation", "clip: clip", Kind::clip,
              "adds depth, camera, poses or segments to a clip"},
    StageInfo{"extraction", "clip: clip", Kind::momap,
              "measures the 3D path of every pixel of frame 0"},
    StageInfo{"encoding", "momap: momap", Kind::latent, "turns motion maps into latents and back"},
    StageInfo{"backbone", "", Kind::backbone, "predicts from a noisy latent and a condition"},
    StageInfo{"sampling", "backbone: backbone, condition: clip", Kind::latent,
              "draws K latents from a backbone"},
    StageInfo{"warping", "image: clip, momap: momap, view: clip?", Kind::partial_clip,
              "moves frame 0 along a motion map, seen from its camera or that of a view"},
    StageInfo{"completion", "partial: partial_clip", Kind::clip, "fills what warping left open"},
    StageInfo{"metric", "*", Kind::score, "scores a result against a reference"},
    StageInfo{"output", "*", Kind::file, "writes results for people and other programs"},
};

/// The inputs of a step that runs an encoding backwards: `{reverse: encode, in: [latent, clip]}`
/// shares the object and parameters of step `encode`; `{use: encoding/dct, reverse: true, ...}` has
/// its own.
inline constexpr std::string_view kReverseInputs = "latent: latent, condition: clip";

/// nullptr when there is no such stage.
const StageInfo* find_stage(std::string_view name);

/// Position in flow order; kStages.size() for an unknown name.
size_t stage_order(std::string_view name);

}  // namespace momap
