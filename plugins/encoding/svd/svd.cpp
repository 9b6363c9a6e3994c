// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/hash.h>
#include <momap/data/tensor_file.h>
#include <momap/plugin/plugin.h>
#include <network/checkpoint_reader.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <optional>

#include "path_encoding.h"

namespace {

using momap::ConfigError;
using momap::DataError;
using momap::encoding::PathCodec;
using momap::encoding::PathParams;
using momap::encoding::TemporalBasis;

constexpr const char* kId = "encoding/svd";
constexpr uint32_t kVersion = 1;
constexpr const char* kFormat = "momap encoding/svd 1";
constexpr const char* kCurves = "curves";
constexpr const char* kEnergy = "energy";
constexpr int64_t kLongest = 1024;  // frames

/// Curves over time, the most telling first, with the share of all motion that each carries.
struct Learned {
  at::Tensor curves;  // f32 [T, T], orthonormal rows
  at::Tensor energy;  // f32 [T], sums to 1
};

Learned read(const std::string& path) {
  momap::network::CheckpointReader in(path, kId);
  const std::string format = in.text("format");
  in.expect(format == kFormat,
            fmt::format("metadata 'format' = '{}', expected '{}'", format, kFormat));
  const int64_t frames = in.number("frames", 1, kLongest);
  in.throw_if_wrong();
  Learned out{at::empty({frames, frames}), at::empty({frames})};
  in.tensor(kCurves, out.curves);
  in.tensor(kEnergy, out.energy);
  in.throw_if_wrong();
  const double skew =
      (out.curves.matmul(out.curves.t()) - at::eye(frames)).abs().max().item<double>();
  in.expect(skew < 1e-4, fmt::format("tensor '{}' has rows that are not orthonormal", kCurves));
  in.expect_nothing_left();
  in.throw_if_wrong();
  return out;
}

/// The curves over time that carry most of the motion of a training set: the leading singular
/// vectors of its displacements (principal components about zero, the path at rest).
class Svd final : public momap::encoding::PathEncoding {
 public:
  struct Params : PathParams {
    std::string weights;
    int curves = 6;

    static auto schema() {
      using momap::param;
      return std::tuple_cat(
          std::tuple{param("weights", &Params::weights,
                           "Curves (safetensors) that `momap train` wrote; empty: to be learned.")
                         .file(),
                     param("curves", &Params::curves,
                           "How many curves are kept, the most telling first; at most as many as "
                           "frames.")
                         .between(1, 256)},
          PathParams::schema());
    }
  };

  explicit Svd(const Params& params)
      : PathEncoding(kId, kVersion, params),
        curves_(params.curves),
        codec_(kId, {params.stride, params.deadband, false}) {
    if (!params.weights.empty()) use(read(params.weights));
  }

  bool needs_training() const override { return !learned_; }
  void measure(const momap::MoMap& momap) override;
  void begin_training() override;
  void save(const std::filesystem::path& path,
            const std::vector<std::pair<std::string, at::Tensor>>& parameters,
            const std::string& card) const override;

 protected:
  TemporalBasis basis(int64_t frames) const override;
  std::string basis_name() const override { return fmt::format("curves={} of {}", curves_, name_); }

 private:
  void use(Learned learned) {
    const at::Tensor& c = learned.curves;
    name_ = momap::content_hash({static_cast<const std::byte*>(c.data_ptr()), c.nbytes()})
                .substr(0, 12);
    learned_ = std::move(learned);
  }

  int64_t curves_;
  PathCodec codec_;
  std::optional<Learned> learned_;
  std::string name_ = "none";
  Eigen::MatrixXd products_;  // [T, T], displacements times displacements, summed while measuring
};

TemporalBasis Svd::basis(int64_t frames) const {
  if (!learned_) {
    throw ConfigError(fmt::format(
        "{}: parameter 'weights' is empty, so there are no curves yet; learn them with `momap "
        "train` (a recipe with  train: {{encoding: ..., condition: ...}})",
        kId));
  }
  const int64_t length = learned_->curves.size(0);
  if (frames != length) {
    throw DataError(
        fmt::format("{}: the motion map has {} frames, the curves were learned on {}; learn others",
                    kId, frames, length));
  }
  TemporalBasis out{curves_, frames, std::vector<double>(static_cast<size_t>(curves_ * frames))};
  const float* const from = learned_->curves.data_ptr<float>();
  std::copy_n(from, std::min(curves_, frames) * frames, out.values.begin());
  return out;
}

void Svd::measure(const momap::MoMap& momap) {
  const int64_t frames = momap.frames();
  if (frames > kLongest) {
    throw DataError(fmt::format("{}: the motion map has {} frames, at most {} are learned from",
                                kId, frames, kLongest));
  }
  if (products_.size() == 0) products_ = Eigen::MatrixXd::Zero(frames, frames);
  if (products_.rows() != frames) {
    throw DataError(fmt::format(
        "{}: the motion map has {} frames, those before it {}; all must be of one length", kId,
        frames, products_.rows()));
  }
  const at::Tensor paths =
      codec_.encode(momap, momap::encoding::instants(frames, frames), momap::Context{})
          .reshape({frames, -1})
          .to(at::kDouble);
  const at::Tensor product = paths.matmul(paths.t()).contiguous();
  products_ += Eigen::Map<const Eigen::MatrixXd>(product.data_ptr<double>(), frames, frames);
}

void Svd::begin_training() {
  if (products_.size() == 0 || !(products_.trace() > 0)) {
    throw ConfigError(fmt::format("{}: nothing moves in the maps to learn from", kId));
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(products_);
  const int64_t frames = products_.rows();
  Learned learned{at::empty({frames, frames}), at::empty({frames})};
  for (int64_t k = 0; k < frames; ++k) {  // ascending there
    Eigen::VectorXd curve = solver.eigenvectors().col(frames - 1 - k);
    Eigen::Index strongest = 0;
    curve.cwiseAbs().maxCoeff(&strongest);
    if (curve[strongest] < 0) curve = -curve;
    for (int64_t t = 0; t < frames; ++t) {
      learned.curves.data_ptr<float>()[k * frames + t] = static_cast<float>(curve[t]);
    }
    learned.energy.data_ptr<float>()[k] =
        static_cast<float>(std::max(0.0, solver.eigenvalues()[frames - 1 - k]) / products_.trace());
  }
  use(std::move(learned));
}

void Svd::save(const std::filesystem::path& path,
               const std::vector<std::pair<std::string, at::Tensor>>&,
               const std::string& card) const {
  if (!learned_) throw ConfigError(fmt::format("{}: there are no curves to save yet", kId));
  momap::TensorFile file;
  file.tensors = {{kCurves, learned_->curves}, {kEnergy, learned_->energy}};
  file.metadata = {
      {"format", kFormat}, {"frames", std::to_string(learned_->curves.size(0))}, {"card", card}};
  momap::write_safetensors(path, file);
}

}  // namespace

MOMAP_PLUGIN(Svd, "encoding/svd", 1,
             "Frustum-normalised displacements in the curves over time that a training set moves "
             "along.");
