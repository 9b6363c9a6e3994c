// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/params/params.h>
#include <momap/run/single_sample.h>
#include <momap/train/encoding.h>

#include <functional>
#include <string>

namespace momap {

/// The part of a recipe's `train:` section that says which motion maps are examples.
struct MapExampleOptions {
  int64_t futures = 1;
  int64_t measured = 256;

  static auto schema() {
    return std::tuple{
        param("futures", &MapExampleOptions::futures,
              "True futures of each clip that are examples of their own, with their captions; more "
              "than 1 needs motion made from the clip's truth (extraction/oracle), because the "
              "frames show only the first.")
            .between(1, 256),
        param("measured", &MapExampleOptions::measured,
              "Samples from which scales (and the basis of encoding/svd) are measured before "
              "training starts.")
            .between(1, 1e9),
    };
  }
};

/// The examples of a recipe that teaches an encoding. Motion maps are large: each is computed from
/// the graph whenever it is asked for, and none is kept.
class MapExamples final : public MapSet {
 public:
  /// Steps of the graph that give the map and the clip it belongs to.
  MapExamples(const Graph& graph, size_t momap, size_t condition, const MapExampleOptions& options,
              const std::function<bool()>* cancelled)
      : samples_(graph, {momap, condition}), options_(options), cancelled_(cancelled) {}

  int64_t size() const override { return samples_.size() * options_.futures; }
  MapExample example(int64_t i) const override;

  /// Hands the maps of `measured` samples, spread evenly over the set, to `measure` in their order.
  /// Those that cannot be made are told to `failed`.
  void measure(const std::function<void(const MoMap&)>& measure,
               const std::function<void(const std::string& why)>& failed) const;

 private:
  SingleSamples samples_;
  MapExampleOptions options_;
  const std::function<bool()>* cancelled_;
};

}  // namespace momap
