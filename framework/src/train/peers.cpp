// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>
#include <momap/train/peers.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>

#if defined(MOMAP_HAVE_GLOO) && defined(USE_C10D_GLOO)
#define MOMAP_GLOO
#endif

#ifdef MOMAP_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif

namespace momap {
namespace {

constexpr int kUsualPort = 29500;

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (!value || !*value) return std::nullopt;
  return value;
}

int number(const char* name, const std::string& text, int lowest, int highest) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (end == text.c_str() || *end != '\0' || value < lowest || value > highest) {
    throw ConfigError(fmt::format("environment variable {} = '{}' is not a number from {} to {}",
                                  name, printable(text), lowest, highest));
  }
  return static_cast<int>(value);
}

struct Place {
  int rank, count;
  std::string address;
  int port;
};

[[maybe_unused]] std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// Nothing: alone.
std::optional<Place> place_from_environment() {
  const auto address = variable("MASTER_ADDR");
  if (!address) {
    const auto size = variable("WORLD_SIZE");
    if (size && number("WORLD_SIZE", *size, 1, 1 << 20) > 1) {
      throw ConfigError(fmt::format(
          "environment variable WORLD_SIZE = {}, but MASTER_ADDR, where rank 0 runs, is not set",
          printable(*size)));
    }
    return std::nullopt;
  }
  const char* const rank_name = variable("RANK") ? "RANK" : "SLURM_PROCID";
  const char* const count_name = variable("WORLD_SIZE") ? "WORLD_SIZE" : "SLURM_NTASKS";
  const auto rank = variable(rank_name), count = variable(count_name);
  if (!rank || !count) {
    throw ConfigError(fmt::format(
        "environment variable MASTER_ADDR = '{}' says that several processes train together, but "
        "RANK and WORLD_SIZE (or SLURM_PROCID and SLURM_NTASKS) are not set; set them, or unset "
        "MASTER_ADDR to train alone",
        printable(*address)));
  }
  const int processes = number(count_name, *count, 1, 1 << 20);
  const auto port = variable("MASTER_PORT");
  return Place{number(rank_name, *rank, 0, processes - 1), processes, *address,
               port ? number("MASTER_PORT", *port, 1, 65535) : kUsualPort};
}

}  // namespace

#ifdef MOMAP_GLOO

struct Peers::Group {
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
};

std::unique_ptr<Peers> Peers::from_environment() {
  const auto place = place_from_environment();
  if (!place || place->count == 1) return nullptr;
  // Longer than a validation that rank 0 runs while the others wait for it.
  static constexpr std::chrono::minutes kPatience{60};
  static constexpr std::chrono::minutes kStart{5};
  try {
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(place->port);
    options.isServer = place->rank == 0;
    options.numWorkers = static_cast<std::size_t>(place->count);
    options.timeout = kStart;
    // Later versions of LibTorch ask for libuv, which Debian's is built without.
    [](auto& later) {
      if constexpr (requires { later.useLibUV; }) later.useLibUV = false;
    }(options);
    auto store = c10::make_intrusive<c10d::TCPStore>(place->address, options);
    auto gloo = c10d::ProcessGroupGloo::Options::create(kPatience);
    gloo->devices = {c10d::ProcessGroupGloo::createDefaultDevice()};
    gloo->threads = 1;
    auto group = std::make_unique<Group>();
    group->gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(std::move(store), place->rank,
                                                              place->count, std::move(gloo));
    return std::unique_ptr<Peers>(new Peers(std::move(group), place->rank, place->count));
  } catch (const std::exception& error) {
    throw ConfigError(fmt::format(
        "rank {} of {} found no way to the others by {}:{}: {}; start all of them, and check that "
        "the port is free and can be reached",
        place->rank, place->count, printable(place->address), place->port,
        first_line(error.what())));
  }
}

void Peers::sum(const std::vector<at::Tensor>& tensors) {
  try {
    // In one message.
    std::vector<at::Tensor> flat;
    flat.reserve(tensors.size());
    for (const at::Tensor& tensor : tensors) flat.push_back(tensor.reshape(-1));
    std::vector<at::Tensor> all{at::cat(flat)};
    group_->gloo->allreduce(all)->wait();
    int64_t from = 0;
    for (const at::Tensor& tensor : tensors) {
      tensor.copy_(all[0].narrow(0, from, tensor.numel()).view(tensor.sizes()));
      from += tensor.numel();
    }
  } catch (const std::exception& error) {
    throw ConfigError(fmt::format("rank {} of {} lost one of the others: {}", rank_, count_,
                                  first_line(error.what())));
  }
}

#else

struct Peers::Group {};

std::unique_ptr<Peers> Peers::from_environment() {
  const auto place = place_from_environment();
  if (!place || place->count == 1) return nullptr;
  throw ConfigError(fmt::format(
      "environment variables ask for {} processes that train together, which this build cannot: "
      "install Gloo's headers (Debian: libgloo-dev) beside a LibTorch with c10d, and build again",
      place->count));
}

void Peers::sum(const std::vector<at::Tensor>&) {}

#endif

void Peers::meet() { sum({at::zeros({1}, at::kFloat)}); }

Peers::Peers(std::unique_ptr<Group> group, int rank, int count)
    : group_(std::move(group)), rank_(rank), count_(count) {}

Peers::~Peers() = default;

}  // namespace momap
