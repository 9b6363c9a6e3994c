// SPDX-License-Identifier: Apache-2.0
#include "frame.h"

#include <algorithm>
#include <cmath>

namespace momap::warping {
namespace {

/// Bilinear mix with weights in 1/256 of a pixel and those beside, along and across from it.
uint32_t mix(uint32_t here, uint32_t beside, uint32_t along, uint32_t across, float s, float t) {
  const auto wx = static_cast<uint32_t>(std::min(std::abs(s), 1.0f) * 256 + 0.5f);
  const auto wy = static_cast<uint32_t>(std::min(std::abs(t), 1.0f) * 256 + 0.5f);
  const uint32_t w11 = (wx * wy + 128) >> 8;
  // Three channels in one word, 16 bits each.
  const auto wide = [](uint32_t c) {
    return (c & 0xff00ff) | static_cast<uint64_t>(c & 0xff00) << 24;
  };
  const uint64_t sum = wide(here) * (256 - wx - wy + w11) + wide(beside) * (wx - w11) +
                       wide(along) * (wy - w11) + wide(across) * w11 + 0x8000800080;
  return static_cast<uint32_t>((sum >> 8 & 0xff00ff) | (sum >> 32 & 0xff00));
}

}  // namespace

FramePainter::FramePainter(const Reference& reference, const Limits& limits, int64_t columns,
                           int64_t rows)
    : reference_(reference),
      limits_(limits),
      size_{static_cast<int32_t>(columns), static_cast<int32_t>(rows)},
      window_(3, SurfaceRow(reference.width)),
      footprints_(reference.width),
      u_(reference.width),
      v_(reference.width),
      fates_(reference.width),
      rest_(reference),
      canvas_(columns, rows, reference.height * reference.width) {}

void FramePainter::draw(const FramePoints& points, const Projection& projection, float lone_x,
                        float lone_y, float* depth, int64_t* dropped) {
  lone_x_ = lone_x;
  lone_y_ = lone_y;
  placed_ = 0;
  rest_.compare(points.xyz, points.first);
  canvas_.begin(depth);
  cut_below(row(-1));
  enter(0, points, projection, dropped);
  for (int64_t y = 0; y < reference_.height; ++y) {
    if (y + 1 < reference_.height) {
      enter(y + 1, points, projection, dropped);
    } else {
      cut_below(row(y));
    }
    draw_row(y, dropped);
  }
  dropped[static_cast<int64_t>(DropReason::hidden)] += placed_ - canvas_.visible_points();
}

void FramePainter::cut_below(SurfaceRow& last) const {
  for (PaddedRow<int32_t>* link : {&last.down, &last.cell, &last.twist}) {
    std::fill_n(link->data(), reference_.width, 0);
  }
}

void FramePainter::enter(int64_t y, const FramePoints& points, const Projection& projection,
                         int64_t* dropped) {
  SurfaceRow& entered = row(y);
  for (const Range part : rest_.placed(y)) {
    const int64_t first = y * reference_.width + part.begin, count = part.end - part.begin;
    project({points.xyz + 3 * first, points.valid + first,
             points.visible ? points.visible + first : nullptr},
            count, projection, 2 * limits_.max_footprint_px + 1,
            {u_.data() + part.begin, v_.data() + part.begin, entered.z.data() + part.begin,
             fates_.data() + part.begin});
    count_fates(fates_.data() + part.begin, count, dropped);
    snap(u_.data(), v_.data(), part, entered);
  }
  const uint8_t* const links = reference_.links.data() + y * reference_.width;
  for (const Range part : rest_.placed(y)) {
    join_right(links, limits_, part, entered);
    if (y > 0) join_down(links - reference_.width, limits_, part, entered, row(y - 1));
  }
}

void FramePainter::draw_row(int64_t y, int64_t* dropped) {
  for (const Range part : rest_.drawn(y)) draw_part(y, part, dropped);
  show_calm(y, dropped);
}

void FramePainter::show_calm(int64_t y, int64_t* dropped) {
  const int64_t row = y * reference_.width;
  for (const Range part : rest_.calm(y)) {
    const int64_t first = row + part.begin, count = part.end - part.begin;
    canvas_.put_in_place(first, count, reference_.depth.data() + first,
                         reference_.colours(y) + part.begin);
    placed_ += rest_.points(y, part);
    for (int64_t x = part.begin; x < part.end; x += Rest::kSegment) {
      if (rest_.is_placed(y, x)) continue;  // their fates were counted then
      const int64_t end = std::min(x + Rest::kSegment, part.end);
      dropped[static_cast<int64_t>(DropReason::invalid)] += end - x - rest_.points(y, {x, end});
    }
  }
}

void FramePainter::draw_part(int64_t y, Range part, int64_t* dropped) {
  const int64_t first = y * reference_.width;
  const ColourRows colours{reference_.colours(std::max<int64_t>(y - 1, 0)), reference_.colours(y),
                           reference_.colours(std::min(y + 1, reference_.height - 1))};
  const Tally tally =
      footprints(row(y - 1), row(y), row(y + 1), colours, reference_.depth.data() + first, lone_x_,
                 lone_y_, limits_, part, size_, footprints_);
  placed_ += tally.single;
  dropped[static_cast<int64_t>(DropReason::outside)] += tally.outside;
  dropped[static_cast<int64_t>(DropReason::too_small)] += tally.too_small;

  const int32_t* const work = footprints_.work.data();
  const int32_t* const pixels = footprints_.pixel.data();
  const float* const depths = footprints_.depth.data();
  const uint32_t* const colour = footprints_.colour.data();
  for (int64_t x = part.begin; x < part.end; ++x) {
    if (work[x] == 1) {
      canvas_.put(pixels[x], depths[x], colour[x], first + x);
    } else if (work[x] == 2) {
      draw_box(y, x, dropped);
    }
  }
}

void FramePainter::draw_box(int64_t y, int64_t x, int64_t* dropped) {
  const FootprintRow& f = footprints_;
  const int64_t point = y * reference_.width + x;
  const uint32_t* const here = reference_.colours(y) + x;
  bool any = false;
  for (int32_t j = 0; j < f.rows[x]; ++j) {
    for (int32_t i = 0; i < f.columns[x]; ++i) {
      const auto column = static_cast<float>(i), line = static_cast<float>(j);
      const float ds = column * f.s_per_column[x] + line * f.s_per_row[x];
      const float dt = column * f.t_per_column[x] + line * f.t_per_row[x];
      const float s = f.s[x] + ds, t = f.t[x] + dt;
      if (!(s >= -f.s_low[x] && s <= f.s_high[x] && t >= -f.t_low[x] && t <= f.t_high[x])) continue;
      any = true;
      const int dx = s < 0 ? -1 : 1, dy = t < 0 ? -1 : 1;
      const auto [beside, along, across] = neighbours(row(y - 1), row(y), x, dx, dy);
      const uint32_t c10 = beside ? here[dx] : here[0];
      const uint32_t c01 = along ? here[dy * reference_.width] : here[0];
      const uint32_t c11 = across ? here[dy * reference_.width + dx] : beside ? c10 : c01;
      canvas_.put(f.pixel[x] + j * canvas_.width + i,
                  f.depth[x] + ds * f.depth_per_s[x] + dt * f.depth_per_t[x],
                  mix(here[0], c10, c01, c11, s, t), point);
    }
  }
  if (any) {
    ++placed_;
  } else {
    ++dropped[static_cast<int64_t>(DropReason::too_small)];
  }
}

}  // namespace momap::warping
