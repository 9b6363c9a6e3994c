// SPDX-License-Identifier: Apache-2.0
#include "rows.h"

#include <momap/base/clones.h>
#include <projection/branchless.h>

#include <bit>

namespace momap::warping {
namespace {

constexpr int32_t kPointUnit = 256;  // per px
constexpr int32_t kBoxBits = 10;     // bounding boxes are worked out in 1/1024 px
constexpr int32_t kBoxUnit = 1 << kBoxBits;
constexpr int32_t kPointsToBox = kBoxUnit / kPointUnit;
// So near to the border of a footprint, source px, counts as inside.
constexpr float kRounding = 1e-4f;
// Colours and depths are continued by no more than this, source px.
constexpr float kFarthest = 1.0f;

MOMAP_INLINE int32_t near_in_depth(float a, float b, float tolerance) {
  return (magnitude(a - b) <= tolerance * smaller(a, b)) & (a > 0);
}
/// First pixel centre at or after a place in box units.
MOMAP_INLINE int32_t pixel_from(int32_t place) { return (place + kBoxUnit - 1) >> kBoxBits; }

}  // namespace

FootprintRow::FootprintRow(int64_t width)
    : work(width),
      pixel(width),
      columns(width),
      rows(width),
      s(width),
      t(width),
      s_per_column(width),
      t_per_column(width),
      s_per_row(width),
      t_per_row(width),
      s_low(width),
      s_high(width),
      t_low(width),
      t_high(width),
      depth(width),
      depth_per_s(width),
      depth_per_t(width),
      colour(width) {}

MOMAP_CLONES void snap(const float* u, const float* v, Range part, SurfaceRow& row) {
  int32_t* const x = row.x.data();
  int32_t* const y = row.y.data();
#pragma GCC ivdep
  for (int64_t i = part.begin; i < part.end; ++i) {
    x[i] = in_256ths(u[i]);
    y[i] = in_256ths(v[i]);
  }
}

MOMAP_CLONES void join_right(const uint8_t* links, const Limits& limits, Range part,
                             SurfaceRow& row) {
  const int32_t* const x = row.x.data();
  const int32_t* const y = row.y.data();
  const float* const z = row.z.data();
  int32_t* const right = row.right.data();
  const float tolerance = limits.edge_tolerance;
  const auto farthest = static_cast<int32_t>(limits.max_footprint_px * kPointUnit);
  // Bytes are widened apart: loops over one width of element keep within the registers.
  for (int64_t i = part.begin; i < part.end; ++i) right[i] = links[i] & kRight;
#pragma GCC ivdep
  for (int64_t i = part.begin; i < part.end; ++i) {
    const int32_t stretched = larger(distance(x[i], x[i + 1]), distance(y[i], y[i + 1]));
    right[i] &= near_in_depth(z[i], z[i + 1], tolerance) & (stretched <= farthest);
  }
}

MOMAP_CLONES void join_down(const uint8_t* links, const Limits& limits, Range part,
                            const SurfaceRow& lower, SurfaceRow& upper) {
  const int32_t* const x = upper.x.data();
  const int32_t* const y = upper.y.data();
  const float* const z = upper.z.data();
  const int32_t* const next_x = lower.x.data();
  const int32_t* const next_y = lower.y.data();
  const float* const next_z = lower.z.data();
  int32_t* const down = upper.down.data();
  const float tolerance = limits.edge_tolerance;
  const auto farthest = static_cast<int32_t>(limits.max_footprint_px * kPointUnit);
  for (int64_t i = part.begin; i < part.end; ++i) down[i] = links[i] >> 1;
#pragma GCC ivdep
  for (int64_t i = part.begin; i < part.end; ++i) {
    const int32_t stretched = larger(distance(x[i], next_x[i]), distance(y[i], next_y[i]));
    down[i] &= near_in_depth(z[i], next_z[i], tolerance) & (stretched <= farthest);
  }
  const int32_t* const right = upper.right.data();
  const int32_t* const next_right = lower.right.data();
  int32_t* const cell = upper.cell.data();
  int32_t* const twist = upper.twist.data();
#pragma GCC ivdep
  for (int64_t i = part.begin; i < part.end; ++i) {
    cell[i] = right[i] & next_right[i] & down[i] & down[i + 1];
    const int32_t bent = larger(distance(x[i] + next_x[i + 1], x[i + 1] + next_x[i]),
                                distance(y[i] + next_y[i + 1], y[i + 1] + next_y[i]));
    twist[i] = cell[i] ? bent : 0;
  }
}

MOMAP_CLONES Tally footprints(const SurfaceRow& above, const SurfaceRow& here,
                              const SurfaceRow& below, const ColourRows& colours,
                              const float* reference_depth, float lone_x, float lone_y,
                              const Limits& limits, Range part, Size image, FootprintRow& out) {
  const int32_t* const xs_above = above.x.data();
  const int32_t* const ys_above = above.y.data();
  const int32_t* const xs = here.x.data();
  const int32_t* const ys = here.y.data();
  const int32_t* const xs_below = below.x.data();
  const int32_t* const ys_below = below.y.data();
  const float* const zs_above = above.z.data();
  const float* const zs = here.z.data();
  const float* const zs_below = below.z.data();
  const int32_t* const links_right = here.right.data();
  const int32_t* const links_up = above.down.data();
  const int32_t* const links_down = here.down.data();
  const int32_t* const cells_above = above.cell.data();
  const int32_t* const cells_below = here.cell.data();
  const int32_t* const twists_above = above.twist.data();
  const int32_t* const twists_below = here.twist.data();
  const uint32_t* const colour_above = colours.above;
  const uint32_t* const colour_here = colours.here;
  const uint32_t* const colour_below = colours.below;
  int32_t* const out_work = out.work.data();
  int32_t* const out_pixel = out.pixel.data();
  int32_t* const out_columns = out.columns.data();
  int32_t* const out_rows = out.rows.data();
  float* const out_s = out.s.data();
  float* const out_t = out.t.data();
  float* const out_s_per_column = out.s_per_column.data();
  float* const out_t_per_column = out.t_per_column.data();
  float* const out_s_per_row = out.s_per_row.data();
  float* const out_t_per_row = out.t_per_row.data();
  float* const out_s_low = out.s_low.data();
  float* const out_s_high = out.s_high.data();
  float* const out_t_low = out.t_low.data();
  float* const out_t_high = out.t_high.data();
  float* const out_depth = out.depth.data();
  float* const out_depth_per_s = out.depth_per_s.data();
  float* const out_depth_per_t = out.depth_per_t.data();
  uint32_t* const out_colour = out.colour.data();
  const float lone_side_x = lone_x * kPointUnit, lone_side_y = lone_y * kPointUnit;
  const float longest_side = limits.max_footprint_px * kPointUnit;
  const int32_t last_x = (image.columns - 1) * kBoxUnit, last_y = (image.rows - 1) * kBoxUnit;
  int32_t singles = 0, beside_image = 0, small = 0;
#pragma GCC ivdep
  for (int64_t i = part.begin; i < part.end; ++i) {
    const int32_t x = xs[i], y = ys[i];
    const float z = zs[i];
    const int32_t to_right = links_right[i], to_left = links_right[i - 1];
    const int32_t to_below = links_down[i], to_above = links_up[i];

    // Steps to the four neighbours, 1/256 px; a missing one continues that on the other side.
    const float scale = reference_depth[i] / z;
    const auto lone_ax = static_cast<int32_t>(smaller(scale * lone_side_x, longest_side));
    const auto lone_by = static_cast<int32_t>(smaller(scale * lone_side_y, longest_side));
    const int32_t forth_x = xs[i + 1] - x, back_x = x - xs[i - 1];
    const int32_t forth_y = ys[i + 1] - y, back_y = y - ys[i - 1];
    const int32_t right_x = choose(to_right, forth_x, choose(to_left, back_x, lone_ax));
    const int32_t left_x = choose(to_left, back_x, choose(to_right, forth_x, lone_ax));
    const int32_t right_y = choose(to_right, forth_y, choose(to_left, back_y, 0));
    const int32_t left_y = choose(to_left, back_y, choose(to_right, forth_y, 0));
    const int32_t lower_x = xs_below[i] - x, upper_x = x - xs_above[i];
    const int32_t lower_y = ys_below[i] - y, upper_y = y - ys_above[i];
    const int32_t down_x = choose(to_below, lower_x, choose(to_above, upper_x, 0));
    const int32_t up_x = choose(to_above, upper_x, choose(to_below, lower_x, 0));
    const int32_t down_y = choose(to_below, lower_y, choose(to_above, upper_y, lone_by));
    const int32_t up_y = choose(to_above, upper_y, choose(to_below, lower_y, lone_by));
    // The sides of the footprint, twice: a along the row, b down.
    const int32_t ax = right_x + left_x, ay = right_y + left_y;
    const int32_t bx = down_x + up_x, by = down_y + up_y;

    // How far the half-way points may lie outside the parallelogram of a and b, 1/1024 px: with
    // second differences e_xx, e_yy and that of the cell, e_xy, it is |e_xx + e_yy + e_xy| / 4.
    const int32_t twist = larger(larger(twists_above[i - 1], twists_above[i]),
                                 larger(twists_below[i - 1], twists_below[i]));
    const int32_t bend = twist + larger(distance(right_x, left_x) + distance(down_x, up_x),
                                        distance(right_y, left_y) + distance(down_y, up_y));

    const int32_t half_x = distance(ax, 0) + distance(bx, 0) + bend;
    const int32_t half_y = distance(ay, 0) + distance(by, 0) + bend;
    const int32_t left = kPointsToBox * x - half_x, right = kPointsToBox * x + half_x;
    const int32_t top = kPointsToBox * y - half_y, bottom = kPointsToBox * y + half_y;
    const int32_t outside = (right < 0) | (left > last_x) | (bottom < 0) | (top > last_y);
    // Pixel centres in [left, right) x [top, bottom).
    const int32_t u0 = larger(pixel_from(left), 0), v0 = larger(pixel_from(top), 0);
    const int32_t columns = smaller(pixel_from(right), image.columns) - u0;
    const int32_t rows = smaller(pixel_from(bottom), image.rows) - v0;

    const auto fax = static_cast<float>(ax), fay = static_cast<float>(ay);
    const auto fbx = static_cast<float>(bx), fby = static_cast<float>(by);
    const float per_area = 0.5f / (fax * fby - fbx * fay);
    const float s_per_x = fby * per_area, s_per_y = -fbx * per_area;  // per 1/1024 px
    const float t_per_x = -fay * per_area, t_per_y = fax * per_area;
    const auto dx = static_cast<float>(u0 * kBoxUnit - kPointsToBox * x);
    const auto dy = static_cast<float>(v0 * kBoxUnit - kPointsToBox * y);
    const float s = dx * s_per_x + dy * s_per_y;
    const float t = dx * t_per_x + dy * t_per_y;
    const auto bent = static_cast<float>(bend);
    const float reach_s = 0.5f + kRounding + bent * (magnitude(s_per_x) + magnitude(s_per_y));
    const float reach_t = 0.5f + kRounding + bent * (magnitude(t_per_x) + magnitude(t_per_y));
    const float joined_s = smaller(reach_s, kFarthest), joined_t = smaller(reach_t, kFarthest);
    constexpr float kEnd = 0.5f + kRounding;  // no further where the surface ends
    const float s_low = to_left ? joined_s : kEnd, s_high = choose(to_right, joined_s, kEnd);
    const float t_low = to_above ? joined_t : kEnd, t_high = choose(to_below, joined_t, kEnd);

    const int32_t drawable = z > 0;
    const int32_t some = (columns > 0) & (rows > 0);
    const int32_t one = (columns == 1) & (rows == 1);
    const int32_t hit = (s >= -s_low) & (s <= s_high) & (t >= -t_low) & (t <= t_high);
    const int32_t single = drawable & one & hit;
    const int32_t many = drawable & some & (one ^ 1);
    singles += single;
    beside_image += drawable & outside;
    small += drawable & (outside ^ 1) & (single ^ 1) & (many ^ 1);

    const float depth_right = zs[i + 1] - z, depth_left = z - zs[i - 1];
    const float depth_down = zs_below[i] - z, depth_up = z - zs_above[i];
    const float depth_s =
        0.5f * ((choose(to_right, depth_right, choose(to_left, depth_left, 0.0f))) +
                (choose(to_left, depth_left, choose(to_right, depth_right, 0.0f))));
    const float depth_t = 0.5f * ((choose(to_below, depth_down, choose(to_above, depth_up, 0.0f))) +
                                  (choose(to_above, depth_up, choose(to_below, depth_down, 0.0f))));
    out_work[i] = single + 2 * many;
    out_pixel[i] = v0 * image.columns + u0;
    out_columns[i] = columns;
    out_rows[i] = rows;
    out_s[i] = s;
    out_t[i] = t;
    out_s_per_column[i] = s_per_x * kBoxUnit;
    out_t_per_column[i] = t_per_x * kBoxUnit;
    out_s_per_row[i] = s_per_y * kBoxUnit;
    out_t_per_row[i] = t_per_y * kBoxUnit;
    out_s_low[i] = s_low;
    out_s_high[i] = s_high;
    out_t_low[i] = t_low;
    out_t_high[i] = t_high;
    out_depth[i] = z + s * depth_s + t * depth_t;
    out_depth_per_s[i] = depth_s;
    out_depth_per_t[i] = depth_t;

    // Bilinear colour with weights in 1/256, red and blue in one word. Colours of another surface
    // are left out.
    const int32_t leftward = s < 0, upward = t < 0;
    const uint32_t c00 = colour_here[i];
    const uint32_t left_here = colour_here[i - 1], right_here = colour_here[i + 1];
    const uint32_t left_above = colour_above[i - 1], right_above = colour_above[i + 1];
    const uint32_t left_below = colour_below[i - 1], right_below = colour_below[i + 1];
    const uint32_t middle_above = colour_above[i], middle_below = colour_below[i];
    const int32_t cell_left = upward ? cells_above[i - 1] : cells_below[i - 1];
    const int32_t cell_right = upward ? cells_above[i] : cells_below[i];
    const int32_t with_across = choose(leftward, cell_left, cell_right);
    const int32_t with_beside = choose(leftward, to_left, to_right);
    const int32_t with_along = choose(upward, to_above, to_below);
    const uint32_t side_above = choose(leftward, left_above, right_above);
    const uint32_t side_below = choose(leftward, left_below, right_below);
    const uint32_t side_here = choose(leftward, left_here, right_here);
    const uint32_t across = choose(upward, side_above, side_below);
    const uint32_t along = choose(upward, middle_above, middle_below);
    const uint32_t c10 = choose(with_beside, side_here, c00);
    const uint32_t c01 = choose(with_along, along, c00);
    const uint32_t c11 = choose(with_across, across, choose(with_beside, c10, c01));
    const auto wx = static_cast<uint32_t>(
        static_cast<int32_t>(smaller(magnitude(s), kFarthest) * 256.0f + 0.5f));
    const auto wy = static_cast<uint32_t>(
        static_cast<int32_t>(smaller(magnitude(t), kFarthest) * 256.0f + 0.5f));
    const uint32_t w11 = (wx * wy + 128) >> 8;
    const uint32_t w10 = wx - w11, w01 = wy - w11, w00 = 256 - wx - wy + w11;
    const uint32_t red_blue = (c00 & 0xff00ff) * w00 + (c10 & 0xff00ff) * w10 +
                              (c01 & 0xff00ff) * w01 + (c11 & 0xff00ff) * w11 + 0x800080;
    const uint32_t green = (c00 >> 8 & 0xff) * w00 + (c10 >> 8 & 0xff) * w10 +
                           (c01 >> 8 & 0xff) * w01 + (c11 >> 8 & 0xff) * w11 + 0x80;
    out_colour[i] = (red_blue >> 8 & 0xff00ff) | (green & 0xff00);
  }
  return {singles, beside_image, small};
}

}  // namespace momap::warping
