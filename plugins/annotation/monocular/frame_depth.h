// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/clip.h>
#include <momap/params/params.h>
#include <momap/stage/stage.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace momap {

/// What a depth network wants to see and what its numbers mean: parameters that plugins for
/// exported networks share.
struct NetworkFormat {
  int64_t width = 0, height = 0;
  int64_t multiple = 32;
  std::vector<double> mean{0.485, 0.456, 0.406};       // of ImageNet, R, G, B
  std::vector<double> deviation{0.229, 0.224, 0.225};  // likewise
  std::string channels = "rgb";
  std::string output = "depth";
  double scale = 1;
  double shift = 0;

  static auto schema() {
    return std::tuple{
        param("width", &NetworkFormat::width,
              "Width the network wants; 0 = the frame's, rounded up to `multiple`.")
            .unit("px")
            .between(0, 8192),
        param("height", &NetworkFormat::height, "Height it wants; 0 = the frame's, rounded up.")
            .unit("px")
            .between(0, 8192),
        param("multiple", &NetworkFormat::multiple,
              "Sides that follow the frame are multiples of this.")
            .unit("px")
            .between(1, 512),
        param("mean", &NetworkFormat::mean,
              "Taken from colours in 0 to 1 (red, green, blue); the default is ImageNet's."),
        param("deviation", &NetworkFormat::deviation,
              "Colours are divided by this afterwards (red, green, blue)."),
        param("channels", &NetworkFormat::channels, "Order of the colours in the input.")
            .one_of({"rgb", "bgr"}),
        param("output", &NetworkFormat::output,
              "What the network gives: depth along z, or disparity (1 / depth).")
            .one_of({"depth", "disparity"}),
        param("scale", &NetworkFormat::scale,
              "depth = scale * (output + shift), or scale / (output + shift) for a disparity.")
            .unit("m")
            .above(0),
        param("shift", &NetworkFormat::shift, "See scale."),
    };
  }

  /// Throws ConfigError for lists that are not three colours.
  void check() const;
};

/// f32 [1, 3, h, w] -> f32 with h' x w' numbers, in any of the shapes [1, 1, h', w'], [1, h', w'],
/// [h', w']. Called from several threads at once.
using DepthNetwork = std::function<at::Tensor(const at::Tensor& input)>;

/// The depth of one frame u8 [H, W, 3]: f32 [H, W] in metres; 0 where the network gave nothing that
/// can be a depth. Throws DataError for an output of another shape, and for one without any depth.
at::Tensor frame_depth(const at::Tensor& frame, const NetworkFormat& format,
                       const DepthNetwork& network);

/// The clip with the depth of all its frames, brought to one scale by `align_scales` unless `align`
/// is "none". Throws DataError as `frame_depth` does, with the frame.
Clip with_depth(const Clip& clip, const NetworkFormat& format, const DepthNetwork& network,
                const std::string& align, const Context& context);

}  // namespace momap
