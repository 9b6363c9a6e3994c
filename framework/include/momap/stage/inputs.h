// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/datum.h>

#include <string_view>
#include <utility>
#include <vector>

namespace momap {

/// The inputs of a metric or an output, by the port names of its `kInputs`.
class Inputs {
 public:
  void add(std::string_view port, std::vector<const Datum*> data) {
    ports_.emplace_back(port, std::move(data));
  }

  /// The value at the port as a T, or nullptr when it is absent or of another kind.
  template <class T>
  const T* get(std::string_view port) const {
    for (const auto& [name, data] : ports_) {
      if (name == port && !data.empty()) return std::get_if<T>(data[0]);
    }
    return nullptr;
  }

  /// All K values of a port declared with `*`.
  template <class T>
  std::vector<const T*> all(std::string_view port) const {
    std::vector<const T*> out;
    for (const auto& [name, data] : ports_) {
      if (name != port) continue;
      for (const Datum* datum : data) out.push_back(std::get_if<T>(datum));
    }
    return out;
  }

 private:
  std::vector<std::pair<std::string_view, std::vector<const Datum*>>> ports_;
};

}  // namespace momap
