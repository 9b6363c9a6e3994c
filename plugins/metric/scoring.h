// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>

#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the tests of metrics share.

namespace momap::metric::testing {

/// The values of a score, by name; also that each is defined or says why not.
class Values {
 public:
  explicit Values(const Score& score) {
    for (const ScoreValue& value : score.values) {
      EXPECT_EQ(value.value.has_value(), value.undefined_reason.empty()) << value.name;
      values_[value.name] = value;
    }
    check(Datum(score), "score");
  }

  const ScoreValue& at(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) throw std::out_of_range("no value '" + name + "'");
    return found->second;
  }
  double operator[](const std::string& name) const {
    const ScoreValue& value = at(name);
    if (!value.value) ADD_FAILURE() << name << " is undefined: " << value.undefined_reason;
    return value.value.value_or(std::nan(""));
  }
  const std::string& reason(const std::string& name) const { return at(name).undefined_reason; }
  const std::map<std::string, ScoreValue>& all() const { return values_; }

 private:
  std::map<std::string, ScoreValue> values_;
};

/// Scores with the metric under test; each port is given its values in order.
inline Score score_of(
    const std::string& id,
    const std::vector<std::pair<std::string_view, std::vector<const Datum*>>>& ports,
    const std::string& yaml = "{}") {
  Inputs inputs;
  for (const auto& [port, data] : ports) inputs.add(port, data);
  const auto metric = momap::testing::make_plugin<Metric>(id, yaml);
  return metric->score(inputs, momap::testing::context());
}

/// The usual pair of ports.
inline Values score_pair(const std::string& id, const Datum& result, const Datum& reference,
                         const std::string& yaml = "{}") {
  return Values(score_of(id, {{"result", {&result}}, {"reference", {&reference}}}, yaml));
}

/// K samples against a reference.
inline Values score_samples(const std::string& id, const std::vector<MoMap>& samples,
                            const Datum& reference, const std::string& yaml = "{}") {
  const std::vector<Datum> data(samples.begin(), samples.end());
  std::vector<const Datum*> pointers;
  for (const Datum& datum : data) pointers.push_back(&datum);
  return Values(score_of(id, {{"samples", pointers}, {"reference", {&reference}}}, yaml));
}

/// A motion map whose points rest 2 m in front of the pixels of a camera with fx = fy = 100 px and
/// the principal point at pixel (0, 0); all valid and visible.
inline MoMap resting(int64_t frames, int64_t height, int64_t width) {
  MoMap momap{at::zeros({frames, height, width, 3}, at::kFloat),
              at::ones({frames, height, width}, at::kBool),
              at::ones({height, width}, at::kBool),
              {.fx = 100, .fy = 100, .cx = 0, .cy = 0, .width = width, .height = height}};
  float* p = momap.xyz.data_ptr<float>();
  for (int64_t t = 0; t < frames; ++t) {
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x, p += 3) {
        p[0] = 0.02f * static_cast<float>(x), p[1] = 0.02f * static_cast<float>(y), p[2] = 2;
      }
    }
  }
  return momap;
}

inline float* point(MoMap& momap, int64_t t, int64_t y, int64_t x) {
  return momap.xyz.data_ptr<float>() + 3 * ((t * momap.height() + y) * momap.width() + x);
}

/// Moves pixel (y, x) in frame t by this much, metres.
inline void move(MoMap& momap, int64_t t, int64_t y, int64_t x, float dx, float dy, float dz) {
  float* p = point(momap, t, y, x);
  p[0] += dx, p[1] += dy, p[2] += dz;
}

/// A clip that knows these futures, the first of which its (black) frames stand for.
inline Clip clip_of(const std::vector<MoMap>& futures) {
  const MoMap& first = futures.front();
  Clip clip;
  clip.frames = at::zeros({first.frames(), first.height(), first.width(), 3}, at::kByte);
  clip.camera = first.camera;
  for (const MoMap& motion : futures) {
    clip.truth.push_back({.motion = motion, .caption = "", .actions = {}});
  }
  return clip;
}

}  // namespace momap::metric::testing
