// SPDX-License-Identifier: Apache-2.0
#include "tensorboard.h"

#include <fmt/format.h>
#include <momap/base/files.h>

#include <boost/crc.hpp>
#include <chrono>
#include <cstring>

// An event file is a TFRecord file of `Event` messages (tensorboard/compat/proto/event.proto and
// summary.proto). Only the fields that scalars need are written.

namespace momap {
namespace {

namespace fs = std::filesystem;

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof value];  // little-endian, as this machine
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// Wire types of protocol buffers.
enum class Wire { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void put_key(std::string& out, uint32_t field, Wire wire) {
  put_varint(out, field << 3 | static_cast<uint32_t>(wire));
}

void put_bytes(std::string& out, uint32_t field, const std::string& bytes) {
  put_key(out, field, Wire::bytes);
  put_varint(out, bytes.size());
  out += bytes;
}

// CRC-32C, turned and shifted as TFRecord wants it.
uint32_t masked_crc(const std::string& bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  const auto sum = static_cast<uint32_t>(crc.checksum());
  return (sum >> 15 | sum << 17) + 0xa282ead8u;
}

class EventFile {
 public:
  explicit EventFile(double wall_time) : wall_time_(wall_time) {
    std::string event = head(0);
    put_bytes(event, 3, "brain.Event:2");  // file_version
    add_record(event);
  }

  void add(const std::string& tag, double step, double value) {
    std::string scalar;
    put_bytes(scalar, 1, tag);
    put_key(scalar, 2, Wire::fixed32);
    put(scalar, static_cast<float>(value));
    std::string summary;
    put_bytes(summary, 1, scalar);
    std::string event = head(static_cast<uint64_t>(step));
    put_bytes(event, 5, summary);
    add_record(event);
  }

  void write(const fs::path& folder) const {
    write_file(folder / "events.out.tfevents.0000000000.momap", records_);
  }

 private:
  std::string head(uint64_t step) const {
    std::string event;
    put_key(event, 1, Wire::fixed64);
    put(event, wall_time_);
    put_key(event, 2, Wire::varint);
    put_varint(event, step);
    return event;
  }

  void add_record(const std::string& event) {
    std::string length;
    put(length, static_cast<uint64_t>(event.size()));
    records_ += length;
    put(records_, masked_crc(length));
    records_ += event;
    put(records_, masked_crc(event));
  }

  double wall_time_;  // s since 1970
  std::string records_;
};

std::string folder_name(const std::string& row) {
  std::string name = row;
  for (char& c : name) {
    if (c == '/' || c == '\0') c = '_';
  }
  return name;
}

}  // namespace

void write_tensorboard(const Report& report, const fs::path& folder) {
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  if (!report.curves.empty()) {
    EventFile curves(now);
    for (const ReportCurve& curve : report.curves) {
      for (const auto& [step, value] : curve.points) curves.add(curve.name, step, value);
    }
    curves.write(folder / "curves");
  }
  for (const ReportRow& row : report.rows) {
    EventFile scores(now);
    bool any = false;
    for (const ScoreInfo& score : report.scores) {
      const auto values = row.result.values.find(score.key);
      if (values == row.result.values.end() || values->second.empty()) continue;
      scores.add(score.key, 0, mean_of(values->second).value);
      any = true;
    }
    if (any) scores.write(folder / folder_name(row.name));
  }
}

}  // namespace momap
