// SPDX-License-Identifier: Apache-2.0
#include "plugin_checks.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <fmt/format.h>
#include <momap/base/text.h>
#include <momap/stage/completer.h>
#include <momap/stage/encoding.h>
#include <momap/stage/torch_threads.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <thread>

#include "behaviour.h"

namespace momap::contract {
namespace {

constexpr uint64_t kSeed = 7;

Context context_of(uint64_t seed = kSeed, int threads = 1) {
  Context context;
  context.seed = seed;
  context.sample = "contract";
  context.threads = threads;
  return context;
}

// What was thrown, with its class where the user would care.
std::string thrown_text(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const DataError& error) {
    return fmt::format("threw DataError: {}", error.what());
  } catch (const ConfigError& error) {
    return fmt::format("threw ConfigError: {}", error.what());
  } catch (const Broken& error) {
    return error.what();
  } catch (const std::exception& error) {
    return fmt::format("threw {}", error.what());
  } catch (...) {
    return "threw something that is not a std::exception";
  }
}

class PluginChecker {
 public:
  PluginChecker(const PluginLibrary& library, const PluginInfo& plugin, const Listener& listener)
      : library_(library), plugin_(plugin), listener_(listener), act_(act_of(plugin)) {}

  void run() {
    ask("schema is sane", [&] {
      const auto faults = schema_faults(plugin_);
      if (!faults.empty()) throw Broken(join(faults, "; "));
    });
    ask("an unknown key is refused", [&] {
      Problems problems;
      const Config with = Config::map({{"no_such_parameter_anywhere", {}, Config::scalar("1")}});
      check_params(plugin_.params, with, plugin_.id, {}, problems);
      if (problems.empty()) throw Broken("it was accepted");
    });
    for (const ParamInfo& info : plugin_.params) {
      if (!info.required) continue;
      listener_.ended({plugin_.id, "behaviour", false, true,
                       fmt::format("parameter '{}' has no default", info.name)});
      return;
    }
    if (!ask("can be made from its defaults",
             [&] { stage_ = made(default_values(plugin_.params)); })) {
      return;
    }
    check_behaviour();
  }

 private:
  // Runs one check and tells how it went; true when it passed.
  template <class Check>
  bool ask(const std::string& name, Check check) {
    listener_.begins(name);
    ContractResult result{plugin_.id, name, false, false, {}};
    try {
      check();
      result.passed = true;
    } catch (const NotAsked& reason) {
      result.skipped = true;
      result.detail = reason.what();
    } catch (...) {
      result.detail = thrown_text(std::current_exception());
    }
    listener_.ended(result);
    return result.passed;
  }

  std::shared_ptr<Stage> made(const ParamValues& values) const {
    auto stage = library_.make_stage(plugin_.id, values);
    if (!stage) throw Broken("its factory returned nothing");
    // A network without weights gets its first ones from its own seed.
    if (plugin_.stage() == "completion") static_cast<Completer&>(*stage).begin_training();
    if (plugin_.stage() == "encoding") {
      auto& encoding = static_cast<Encoding&>(*stage);
      if (encoding.needs_training()) {
        encoding.measure(standard_.clip.truth[0].motion);
        encoding.begin_training();
      }
    }
    if (plugin_.stage() != "backbone") return stage;
    auto& backbone = static_cast<Backbone&>(*stage);
    if (backbone.spec().channels == 0) {
      static constexpr int64_t kChannels = 4, kStride = 4;
      backbone.begin_training(foreign_latent(standard_).spec, kStride,
                              at::ones({kChannels}, at::kFloat));
    }
    return stage;
  }

  void check_behaviour() {
    if (!ask("right noun, shape and masks", [&] { first_ = called(*stage_, standard_); })) return;
    ask("same seed, same bytes", [&] {
      expect_same(called(*stage_, standard_), "the same object called again");
      expect_same(called(*made(default_values(plugin_.params)), standard_), "a fresh object");
    });
    ask("another seed matters only where declared", [&] {
      if (plugin_.uses_seed) throw NotAsked("it declares that its result depends on the seed");
      expect_same(act_(*stage_, standard_, context_of(kSeed + 1)), "another seed");
    });
    ask("same bytes for any number of threads", [&] {
      for (const int threads : {1, 2, 8}) {
        tbb::task_arena arena(threads);
        const int allowed = plugin_.concurrency == Concurrency::whole_machine ? threads : 1;
        TensorFile found;
        arena.execute([&] { found = act_(*stage_, standard_, context_of(kSeed, allowed)); });
        expect_same(found, fmt::format("an arena of {} threads", threads));
      }
    });
    ask("same bytes for calls at once", [&] { check_calls_at_once(); });
    if (plugin_.stage() != "source") {
      survive("1 x 1 px, one frame", make_probe(1, 1, 1));
      survive("23 x 17 px, three frames", make_probe(3, 17, 23));
    }
    if (plugin_.stage() == "completion") {
      survive("nothing covered", make_uncovered_probe(2, 16, 16));
    }
    const MakeStage make = [this](const ParamValues& values) { return made(values); };
    for (const Promise& promise : promises_of(plugin_, make)) {
      ask(promise.check, [&] { promise.keep(*stage_, context_of()); });
    }
  }

  // An annotator may need what the probe does not have; every other stage has to work on it.
  TensorFile called(Stage& stage, const Probe& probe) const {
    try {
      return act_(stage, probe, context_of());
    } catch (const DataError& error) {
      if (plugin_.stage() == "annotation") throw NotAsked(error.what());
      throw;
    }
  }

  void expect_same(const TensorFile& found, const std::string& how) const {
    if (const auto what = difference(first_, found)) {
      throw Broken(fmt::format("{}: {}", how, *what));
    }
  }

  void check_calls_at_once() const {
    if (plugin_.concurrency != Concurrency::parallel) {
      throw NotAsked("it declares that it is called one by one");
    }
    static constexpr size_t kCalls = 4;
    std::vector<TensorFile> found(kCalls);
    std::vector<std::exception_ptr> thrown(kCalls);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kCalls; ++i) {
      threads.emplace_back([&, i] {
        keep_torch_on_this_thread();
        const at::NoGradGuard no_grad;
        try {
          found[i] = act_(*stage_, standard_, context_of());
        } catch (...) {
          thrown[i] = std::current_exception();
        }
      });
    }
    for (auto& thread : threads) thread.join();
    for (size_t i = 0; i < kCalls; ++i) {
      if (thrown[i]) std::rethrow_exception(thrown[i]);
      expect_same(found[i], fmt::format("call {} of {} at once", i + 1, kCalls));
    }
  }

  void survive(const std::string& size, const Probe& probe) {
    ask(fmt::format("{}: a result or a DataError", size), [&] {
      try {
        act_(*stage_, probe, context_of());
      } catch (const DataError& error) {
        if (std::string_view(error.what()).empty())
          throw Broken("threw a DataError without a text");
      }
    });
  }

  const PluginLibrary& library_;
  const PluginInfo& plugin_;
  const Listener& listener_;
  Act act_;
  Probe standard_ = make_probe(6, 48, 64);
  std::shared_ptr<Stage> stage_;
  TensorFile first_;
};

}  // namespace

void check_plugin(const PluginLibrary& library, const PluginInfo& plugin,
                  const Listener& listener) {
  const at::NoGradGuard no_grad;
  PluginChecker(library, plugin, listener).run();
}

}  // namespace momap::contract
