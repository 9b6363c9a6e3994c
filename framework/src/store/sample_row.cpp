// SPDX-License-Identifier: Apache-2.0
#include "sample_row.h"

#include <fmt/format.h>
#include <momap/base/hash.h>

#include <nlohmann/json.hpp>

namespace momap {
namespace {

using nlohmann::json;

// Numbers as text that is read back to the same bits.
std::string camera_text(const std::optional<Camera>& camera) {
  if (!camera) return "";
  return json{camera->fx, camera->fy, camera->cx, camera->cy, camera->width, camera->height}.dump();
}

std::string row_checksum(const Entry& e, const std::string& camera, const std::string& quality) {
  return content_hash(fmt::format(
      "{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}"
      "\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}",
      e.number, e.id, e.shard, e.offset, e.size, e.checksum, e.source, e.frames, e.height, e.width,
      e.fps, e.caption, camera, quality, e.split, e.provenance, e.codec, e.rmse_bound_m, e.rmse_m,
      e.max_error_m));
}

}  // namespace

bool read_row(SQLite::Statement& row, Entry& e) {
  const auto text = [&](int column) { return row.getColumn(column).getString(); };
  const auto whole = [&](int column) { return row.getColumn(column).getInt64(); };
  const auto real = [&](int column) { return row.getColumn(column).getDouble(); };
  e.number = whole(0);
  e.id = text(1);
  e.shard = text(2);
  e.offset = static_cast<uint64_t>(whole(3));
  e.size = static_cast<uint64_t>(whole(4));
  e.checksum = text(5);
  e.source = text(6);
  e.frames = whole(7);
  e.height = whole(8);
  e.width = whole(9);
  e.fps = real(10);
  e.caption = text(11);
  const std::string camera = text(12), quality = text(13);
  e.split = text(14);
  e.provenance = text(15);
  e.codec = text(16);
  e.rmse_bound_m = real(17);
  e.rmse_m = real(18);
  e.max_error_m = real(19);
  e.camera.reset();
  e.quality.clear();
  try {
    if (!camera.empty()) {
      const json c = json::parse(camera);
      e.camera = Camera{.fx = c.at(0),
                        .fy = c.at(1),
                        .cx = c.at(2),
                        .cy = c.at(3),
                        .width = c.at(4),
                        .height = c.at(5)};
    }
    if (!quality.empty()) e.quality = json::parse(quality).get<std::map<std::string, double>>();
  } catch (const json::exception&) {
    return false;
  }
  return text(20) == row_checksum(e, camera, quality);
}

void bind_row(SQLite::Statement& insert, const Entry& entry) {
  const std::string camera = camera_text(entry.camera);
  const std::string quality = json(entry.quality).dump();
  int column = 0;
  const auto bind = [&](const auto& value) { insert.bind(++column, value); };
  bind(entry.number);
  bind(entry.id);
  bind(entry.shard);
  bind(static_cast<int64_t>(entry.offset));
  bind(static_cast<int64_t>(entry.size));
  bind(entry.checksum);
  bind(entry.source);
  bind(entry.frames);
  bind(entry.height);
  bind(entry.width);
  bind(entry.fps);
  bind(entry.caption);
  bind(camera);
  bind(quality);
  bind(entry.split);
  bind(entry.provenance);
  bind(entry.codec);
  bind(entry.rmse_bound_m);
  bind(entry.rmse_m);
  bind(entry.max_error_m);
  bind(row_checksum(entry, camera, quality));
}

}  // namespace momap
