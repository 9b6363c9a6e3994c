// SPDX-License-Identifier: Apache-2.0
// The MoMap database against the machine's limits, interleaved in one process.
//   bench.database [--maps=FILE.safetensors ...]   maps: motion maps written by output/safetensors
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/random.h>
#include <momap/data/mapped_file.h>
#include <momap/data/tensor_file.h>
#include <momap/run/threads.h>
#include <momap/store/codec.h>
#include <momap/store/database.h>
#include <momap/store/writer.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>
#include <vector>

#include "catalogue.h"

namespace momap {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kSamples = 500;
constexpr int64_t kFrames = 24, kSide = 128;
constexpr int kRounds = 7;
constexpr int64_t kEntries = 1'000'000;

std::vector<std::string> map_files;  // from the command line

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Time of this thread on a core: what other programs of the machine do does not count.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Every byte, as a reader that uses all of it would.
uint64_t touch(const void* data, size_t bytes) {
  const auto* words = static_cast<const uint64_t*>(data);
  uint64_t sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= bytes / 8; i += 8) {
    for (size_t k = 0; k < 8; ++k) sums[k] += words[i + k];
  }
  uint64_t sum = 0;
  for (const uint64_t part : sums) sum += part;
  return sum;
}

// A slanted wall that sways, with a little noise: as compressible as clean extraction is.
MoMap synthetic_map(int seed) {
  MoMap map{.xyz = at::empty({kFrames, kSide, kSide, 3}, at::kFloat),
            .visible = at::ones({kFrames, kSide, kSide}, at::kBool),
            .valid = at::ones({kSide, kSide}, at::kBool),
            .camera = {.fx = 120, .fy = 120, .cx = 63.5, .cy = 63.5, .width = 128, .height = 128}};
  Random random(static_cast<uint64_t>(seed));
  float* out = map.xyz.data_ptr<float>();
  for (int64_t t = 0; t < kFrames; ++t) {
    const double sway = 0.2 * std::sin(0.3 * static_cast<double>(t) + seed);
    for (int64_t p = 0; p < kSide * kSide; ++p) {
      const auto x = static_cast<double>(p % kSide), y = static_cast<double>(p / kSide);
      const double z = 3 + 0.005 * y + sway * x / 128 + 2e-5 * random.normal();
      *out++ = static_cast<float>((x - 63.5) / 120 * z);
      *out++ = static_cast<float>((y - 63.5) / 120 * z);
      *out++ = static_cast<float>(z);
    }
  }
  return map;
}

Clip synthetic_clip(int seed) {
  Clip clip;
  clip.frames = at::empty({1, kSide, kSide, 3}, at::kByte).fill_(seed % 256);
  clip.fps = 25;
  clip.truth.push_back({.motion = synthetic_map(seed), .caption = "", .actions = {}});
  return clip;
}

Entry named(int i) {
  Entry entry;
  entry.id = fmt::format("clip_{:06}", i);
  entry.source = "synthetic";
  return entry;
}

void random_read(benchmark::State& state) {
  const TemporaryFolder folder("momap-bench");
  {
    const Clip clip = synthetic_clip(1);
    DatabaseWriter writer(folder.path(), {.codec = "raw"});
    for (int i = 0; i < kSamples; ++i) writer.append(clip, named(i), "");
    writer.finish();
  }
  const Database database(folder.path());
  std::map<std::string, std::unique_ptr<MappedFile>> mapped;
  std::vector<std::pair<const std::byte*, size_t>> ranges;
  database.for_each([&](const Entry& entry) {
    auto& file = mapped[entry.shard];
    if (!file) {
      file = std::make_unique<MappedFile>(folder.path() / (entry.shard + ".safetensors"));
    }
    ranges.emplace_back(file->bytes().data() + entry.offset, entry.size);
  });
  std::vector<int64_t> order(kSamples);
  for (int i = 0; i < kSamples; ++i) order[static_cast<size_t>(i)] = (i * 211) % kSamples;
  std::vector<double> ours, limit;
  double first = 0;
  uint64_t sum = 0;
  for (auto _ : state) {
    for (int round = -1; round < kRounds; ++round) {
      double bytes = 0;
      double start = cpu_seconds();
      for (const int64_t i : order) {
        const auto& [data, size] = ranges[static_cast<size_t>(i)];
        sum += touch(data, size);
        bytes += static_cast<double>(size);
      }
      const double limit_rate = bytes / (cpu_seconds() - start);
      bytes = 0;
      start = cpu_seconds();
      for (const int64_t i : order) {
        const Clip clip = database.read(database.entry(i));
        const MoMap& map = clip.truth[0].motion;
        for (const at::Tensor& tensor : {map.xyz, map.visible, map.valid, clip.frames}) {
          sum += touch(tensor.data_ptr(), tensor.nbytes());
          bytes += static_cast<double>(tensor.nbytes());
        }
      }
      const double rate = bytes / (cpu_seconds() - start);
      if (round < 0) {  // maps pages, compares checksums, looks at every value
        first = rate;
        continue;
      }
      limit.push_back(limit_rate);
      ours.push_back(rate);
    }
  }
  benchmark::DoNotOptimize(sum);
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / limit[i]);
  state.counters["GB_s"] = median(ours) / 1e9;
  state.counters["first_GB_s"] = first / 1e9;
  state.counters["mmap_GB_s"] = median(limit) / 1e9;
  state.counters["ratio"] = median(ratios);
}
BENCHMARK(random_read)->Iterations(1)->Unit(benchmark::kSecond);

void synced_write(benchmark::State& state) {
  constexpr int kWritten = 60;
  const TemporaryFolder folder("momap-bench");
  const Clip clip = synthetic_clip(1);
  const PackedSample packed = pack_sample(clip, {.codec = "raw"});
  std::vector<double> ours, disk;
  for (auto _ : state) {
    DatabaseWriter writer(folder.path() / "db", {.codec = "raw"});
    const int fd = ::open((folder.path() / "plain").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (int i = 0; i < kWritten; ++i) {
      auto start = Clock::now();
      const bool whole = ::write(fd, packed.bytes.data(), packed.bytes.size()) ==
                         static_cast<ssize_t>(packed.bytes.size());
      if (!whole || ::fdatasync(fd) != 0) state.SkipWithError("the disk cannot be written");
      disk.push_back(static_cast<double>(packed.bytes.size()) / seconds_since(start));
      start = Clock::now();
      writer.append(clip, named(i), "");
      ours.push_back(static_cast<double>(packed.bytes.size()) / seconds_since(start));
    }
    ::close(fd);
    writer.finish();
  }
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / disk[i]);
  state.counters["MB_s"] = median(ours) / 1e6;
  state.counters["disk_MB_s"] = median(disk) / 1e6;
  state.counters["ratio"] = median(ratios);
}
BENCHMARK(synced_write)->Iterations(1)->Unit(benchmark::kSecond);

// The peer: second-order differences over time of the whole tensor, zigzag, byte shuffle, zstd 1.
struct Peer {
  std::vector<uint8_t> packed;
  size_t count = 0, frame = 0;

  explicit Peer(const at::Tensor& half) : count(static_cast<size_t>(half.numel())) {
    frame = count / static_cast<size_t>(half.size(0));
    const auto* in = static_cast<const uint16_t*>(half.data_ptr());
    std::vector<uint8_t> bytes(2 * count);
    for (size_t i = 0; i < count; ++i) {
      const int before = i >= frame ? in[i - frame] : 0,
                earlier = i >= 2 * frame ? in[i - 2 * frame] : 0;
      const int expected = i < 2 * frame ? before : 2 * before - earlier;
      const auto d = static_cast<int16_t>(in[i] - expected);
      const auto z =
          static_cast<uint16_t>(static_cast<uint16_t>(d << 1) ^ static_cast<uint16_t>(d >> 15));
      bytes[i] = static_cast<uint8_t>(z);
      bytes[count + i] = static_cast<uint8_t>(z >> 8);
    }
    packed.resize(ZSTD_compressBound(bytes.size()));
    packed.resize(ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 1));
  }

  void decode(std::vector<uint8_t>& bytes, std::vector<uint16_t>& out) const {
    bytes.resize(2 * count);
    out.resize(count);
    ZSTD_decompress(bytes.data(), bytes.size(), packed.data(), packed.size());
    for (size_t i = 0; i < count; ++i) {
      const auto z = static_cast<uint16_t>(bytes[i] | bytes[count + i] << 8);
      const auto d = static_cast<uint16_t>((z >> 1) ^ static_cast<uint16_t>(-(z & 1)));
      const auto before = i >= frame ? out[i - frame] : uint16_t{0};
      const auto expected =
          i < 2 * frame ? before : static_cast<uint16_t>(2 * before - out[i - 2 * frame]);
      out[i] = static_cast<uint16_t>(d + expected);
    }
  }
};

// 128 x 128 pixels from the middle of a map, or the synthetic one.
MoMap map_of(int64_t index) {
  if (index == 0) return synthetic_map(1);
  const TensorFile file = read_safetensors(map_files.at(static_cast<size_t>(index - 1)));
  const at::Tensor& xyz = file.tensors.at("xyz");
  const int64_t h = std::min(kSide, xyz.size(1)), w = std::min(kSide, xyz.size(2));
  const int64_t y = (xyz.size(1) - h) / 2, x = (xyz.size(2) - w) / 2;
  return {.xyz = xyz.narrow(1, y, h).narrow(2, x, w).contiguous(),
          .visible = {},
          .valid = file.tensors.at("valid").narrow(0, y, h).narrow(1, x, w).contiguous(),
          .camera = {}};
}

void codecs(benchmark::State& state) {
  const MoMap map = map_of(state.range(0));
  const at::Tensor half = map.xyz.to(at::kHalf).contiguous();
  MapError error;
  const EncodedTensor full = encode_lossless(map.xyz), f16 = encode_lossless(half);
  const EncodedTensor lossy = encode_lossy(map.xyz, map.valid, 0.001, error);
  const Peer peer(half);
  std::vector<uint8_t> bytes;
  std::vector<uint16_t> words;
  peer.decode(bytes, words);
  if (std::memcmp(words.data(), half.data_ptr(), half.nbytes()) != 0) {
    state.SkipWithError("the peer does not give the map back");
  }
  std::map<std::string, std::vector<double>> rates;
  const auto timed = [&](const char* name, size_t size, const auto& body) {
    const double start = cpu_seconds();
    body();
    rates[name].push_back(static_cast<double>(size) / (cpu_seconds() - start) / 1e9);
  };
  for (auto _ : state) {
    for (int round = 0; round < 31; ++round) {
      timed("f32", map.xyz.nbytes(), [&] { decode(full, "bench", 1u << 30); });
      timed("f16", half.nbytes(), [&] { decode(f16, "bench", 1u << 30); });
      timed("lossy", map.xyz.nbytes(), [&] { decode(lossy, "bench", 1u << 30); });
      timed("peer", half.nbytes(), [&] { peer.decode(bytes, words); });
    }
  }
  const auto ratio = [](size_t plain, size_t packed) {
    return static_cast<double>(plain) / static_cast<double>(packed);
  };
  state.counters["f32_x"] = ratio(map.xyz.nbytes(), full.size());
  state.counters["f16_x"] = ratio(half.nbytes(), f16.size());
  state.counters["peer_x"] = ratio(half.nbytes(), peer.packed.size());
  state.counters["lossy_x"] = ratio(map.xyz.nbytes(), lossy.size());
  state.counters["lossy_rmse_mm"] = 1000 * error.rmse_m;
  for (const auto& [name, list] : rates) state.counters[name + "_GB_s"] = median(list);
  if (state.range(0) > 0) state.SetLabel(map_files.at(static_cast<size_t>(state.range(0) - 1)));
}

void catalogue_of_a_million(benchmark::State& state) {
  const TemporaryFolder folder("momap-bench");
  {
    Catalogue catalogue(folder.path(), Catalogue::Mode::write);
    for (int64_t i = 0; i < kEntries; ++i) {
      Entry entry = named(static_cast<int>(i));
      entry.shard = fmt::format("shard-{:05}", i / 500);
      entry.checksum = std::string(32, 'a');
      entry.split = i % 10 == 0 ? "test" : "train";
      entry.codec = "raw f32";
      entry.caption = "a ball rolls over the table";
      entry.quality = {{"valid_share", 0.9}, {"static_share", 0.5}};
      catalogue.add(entry, "provenance");
    }
    catalogue.settle();
  }
  std::vector<double> opening;
  for (int i = 0; i < 21; ++i) {
    const auto start = Clock::now();
    const Database database(folder.path());
    benchmark::DoNotOptimize(database.size());
    opening.push_back(seconds_since(start));
  }
  const Database database(folder.path());
  Random random(3);
  int64_t sum = 0;
  for (auto _ : state) sum += database.entry(random.below(kEntries)).number;
  std::vector<double> by_id;
  for (int round = 0; round < 21; ++round) {
    const auto start = Clock::now();
    for (int i = 0; i < 1000; ++i) {
      sum += database.find(named(static_cast<int>(random.below(kEntries))).id)->number;
    }
    by_id.push_back(seconds_since(start) / 1000);
  }
  benchmark::DoNotOptimize(sum);
  state.counters["open_ms"] = 1e3 * median(opening);
  state.counters["by_id_us"] = 1e6 * median(by_id);
  state.counters["file_MB"] =
      static_cast<double>(fs::file_size(Catalogue::file_in(folder.path()))) / 1e6;
}
BENCHMARK(catalogue_of_a_million)->Iterations(20000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace momap

int main(int argc, char** argv) {
  const momap::ThreadBudget budget(1);
  benchmark::Initialize(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    const std::string_view text = argv[i];
    if (!text.starts_with("--maps=")) {
      fmt::print(stderr, "unknown argument '{}'; expected --maps=FILE\n", text);
      return 2;
    }
    momap::map_files.emplace_back(text.substr(7));
  }
  benchmark::RegisterBenchmark("codecs", momap::codecs)
      ->DenseRange(0, static_cast<int64_t>(momap::map_files.size()))
      ->Iterations(1)
      ->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
}
