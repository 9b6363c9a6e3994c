// SPDX-License-Identifier: Apache-2.0
#include "scripted.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

namespace momap::network {
namespace {

// What LibTorch says first; the rest is its own stack.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string shapes(const std::vector<at::Tensor>& tensors) {
  std::vector<std::string> all;
  for (const at::Tensor& tensor : tensors) all.push_back(fmt::format("f32 {}", tensor.sizes()));
  return join(all, ", ");
}

}  // namespace

struct Scripted::Module {
  torch::jit::Module module;
};

Scripted::Scripted(const std::string& path) : path_(path), module_(std::make_unique<Module>()) {
  check_exists(path, "model = " + shown(path));
  try {
    module_->module = torch::jit::load(path, at::kCPU);
    module_->module.eval();
  } catch (const std::exception& e) {
    throw ConfigError(fmt::format(
        "model = {}: cannot be read as TorchScript: {}; expected a file of torch.jit.save",
        shown(path), first_line(e.what())));
  }
}

Scripted::~Scripted() = default;

std::vector<at::Tensor> Scripted::run_all(const std::vector<at::Tensor>& inputs,
                                          const std::string& remedy) const {
  const at::NoGradGuard no_grad;
  at::IValue output;
  try {
    torch::jit::Module module = module_->module;  // a handle: forward is not const
    output = module.forward({inputs.begin(), inputs.end()});
  } catch (const std::exception& e) {
    throw ConfigError(fmt::format("model = {}: fails on {}: {}; {}", shown(path_), shapes(inputs),
                                  first_line(e.what()), remedy));
  }
  std::vector<at::Tensor> found;
  if (output.isTuple()) {
    for (const at::IValue& element : output.toTupleRef().elements()) {
      if (!element.isTensor()) break;
      found.push_back(element.toTensor());
    }
  } else if (output.isTensorList()) {
    found = output.toTensorVector();
  } else if (output.isTensor()) {
    found.push_back(output.toTensor());
  }
  if (!found.empty()) return found;
  throw ConfigError(fmt::format(
      "model = {}: gives {}; expected a tensor, or a tuple or list that begins with one",
      shown(path_), output.tagKind()));
}

}  // namespace momap::network
