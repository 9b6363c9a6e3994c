// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

namespace momap::network {

/// A network that somebody exported with torch.jit.save. Thread-safe.
class Scripted {
 public:
  /// Throws ConfigError for a file that is absent or no TorchScript; `model` is the parameter that
  /// named it.
  explicit Scripted(const std::string& path);
  ~Scripted();

  /// What forward gives: a tensor, or the first of a tuple or list. Throws ConfigError when it
  /// fails or gives something else; `remedy` says what to look at.
  at::Tensor run(const std::vector<at::Tensor>& inputs, const std::string& remedy) const {
    return run_all(inputs, remedy).front();
  }

  /// All tensors that begin what it gives, at least one.
  std::vector<at::Tensor> run_all(const std::vector<at::Tensor>& inputs,
                                  const std::string& remedy) const;

 private:
  struct Module;
  std::string path_;
  std::unique_ptr<Module> module_;
};

}  // namespace momap::network
