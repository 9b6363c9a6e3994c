// SPDX-License-Identifier: Apache-2.0
#include "invoke.h"

#include <fmt/format.h>
#include <momap/base/hash.h>
#include <momap/data/condition.h>
#include <momap/data/view.h>
#include <momap/stage/annotator.h>
#include <momap/stage/completer.h>
#include <momap/stage/encoding.h>
#include <momap/stage/extractor.h>
#include <momap/stage/inputs.h>
#include <momap/stage/metric.h>
#include <momap/stage/output.h>
#include <momap/stage/sampler.h>
#include <momap/stage/source.h>
#include <momap/stage/warper.h>

namespace momap {
namespace {

template <class Interface>
Interface& as(Stage* object) {
  return static_cast<Interface&>(*object);
}

// Values of all producers of one port, in order.
std::vector<const Datum*> flatten(const std::vector<const Data*>& producers) {
  std::vector<const Datum*> out;
  for (const Data* data : producers) {
    for (const auto& datum : *data) out.push_back(&datum);
  }
  return out;
}

// The inputs of call k out of `count`: one value repeats for all k.
class Broadcast {
 public:
  Broadcast(const Step& step, const std::vector<std::vector<const Data*>>& in) {
    for (size_t port = 0; port < in.size(); ++port) {
      values_.push_back(flatten(in[port]));
      const Port& info = step.inputs[port].port;
      many_.push_back(info.many);
      const size_t n = values_.back().size();
      if (info.many || n <= 1) continue;
      if (count_ > 1 && n != count_) {
        throw DataError(
            fmt::format("input '{}' holds {} values, another input {}; expected the same "
                        "number or 1",
                        info.name, n, count_));
      }
      count_ = n;
    }
  }

  size_t count() const { return count_; }

  const Datum* at(size_t port, size_t k) const {
    const auto& values = values_.at(port);
    return values.empty() ? nullptr : values[values.size() == 1 ? 0 : k];
  }

  template <class T>
  const T& get(size_t port, size_t k) const {
    return std::get<T>(*at(port, k));
  }

  Inputs inputs(const Step& step, size_t k) const {
    Inputs inputs;
    for (size_t port = 0; port < values_.size(); ++port) {
      const auto& name = step.inputs[port].port.name;
      if (many_[port]) {
        inputs.add(name, values_[port]);
      } else if (const Datum* datum = at(port, k)) {
        inputs.add(name, {datum});
      }
    }
    return inputs;
  }

 private:
  std::vector<std::vector<const Datum*>> values_;
  std::vector<bool> many_;
  size_t count_ = 1;
};

// One latent per sample, whether they came stacked or apart.
std::vector<Latent> unstacked(const std::vector<const Data*>& producers) {
  std::vector<Latent> out;
  for (const Datum* datum : flatten(producers)) {
    const auto& latent = std::get<Latent>(*datum);
    for (int64_t k = 0; k < latent.values.size(0); ++k) {
      out.push_back({latent.values.narrow(0, k, 1), latent.spec});
    }
  }
  return out;
}

Context for_future(const Context& context, size_t k, size_t count) {
  Context own = context;
  if (count > 1) own.seed = derived_seed(context.seed, std::to_string(k));
  return own;
}

CallResult decode(const Call& call, const Context& context) {
  CallResult result;
  auto& encoding = as<Encoding>(call.object);
  const auto condition = Condition::from(std::get<Clip>(*flatten(call.in[1]).at(0)));
  for (const auto& latent : unstacked(call.in[0])) {
    result.data.emplace_back(encoding.decode(latent, condition, context));
  }
  return result;
}

// One call of a stage whose result is a value.
Datum value_of(const Call& call, const Broadcast& in, size_t k, const Context& context) {
  Stage* object = call.object;
  const auto stage = call.step->plugin.stage();
  if (stage == "source") return as<Source>(object).sample(call.sample_index, context);
  if (stage == "annotation") return as<Annotator>(object).annotate(in.get<Clip>(0, k), context);
  if (stage == "extraction") return as<Extractor>(object).extract(in.get<Clip>(0, k), context);
  if (stage == "encoding") return as<Encoding>(object).encode(in.get<MoMap>(0, k), context);
  if (stage == "sampling") {
    const auto condition = Condition::from(in.get<Clip>(1, k));
    return as<Sampler>(object).sample(*call.backbone, condition, context);
  }
  if (stage == "warping") {
    const auto& momap = in.get<MoMap>(1, k);
    const Datum* view = in.at(2, k);
    return as<Warper>(object).warp(
        in.get<Clip>(0, k).image(0), momap,
        view ? View::from(std::get<Clip>(*view)) : View{momap.camera, std::nullopt}, context);
  }
  if (stage == "completion") {
    return as<Completer>(object).complete(in.get<PartialClip>(0, k), context);
  }
  if (stage == "metric") return as<Metric>(object).score(in.inputs(*call.step, k), context);
  throw std::logic_error(fmt::format("stage '{}' has no call", stage));
}

}  // namespace

CallResult invoke(const Call& call, const Context& context) {
  if (call.step->reverse) return decode(call, context);
  CallResult result;
  const Broadcast in(*call.step, call.in);
  for (size_t k = 0; k < in.count(); ++k) {
    const Context own = for_future(context, k, in.count());
    if (call.step->plugin.stage() == "output") {
      auto stem = call.stem;
      if (in.count() > 1) stem += fmt::format("-{}", k);
      result.files.push_back(as<Output>(call.object).write(in.inputs(*call.step, k), stem, own));
      continue;
    }
    Datum value = value_of(call, in, k, own);
    check(value, call.step->plugin.id);
    result.data.push_back(std::move(value));
  }
  return result;
}

}  // namespace momap
