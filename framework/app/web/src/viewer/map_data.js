// SPDX-License-Identifier: Apache-2.0
// The points of one motion map as `momap view` writes them (docs/guides/view_in_3d.md).

// Against noise: a point is static while it stays this near to where it was in frame 0.
const STATIC_PX = 1;
const STATIC_DEPTH = 0.01;
const MOST_TRACKS = 400;
// Neighbours further apart than so many footprints of a pixel are taken to be on different surfaces.
const MOST_SPREAD = 8;

function bytes(base64) {
  const text = atob(base64);
  const out = new Uint8Array(text.length);
  for (let i = 0; i < out.length; ++i) out[i] = text.charCodeAt(i);
  return out;
}

function unpackBits(base64, count) {
  const packed = bytes(base64);
  const out = new Uint8Array(count);
  for (let i = 0; i < count; ++i) out[i] = (packed[i >> 3] >> (i & 7)) & 1;
  return out;
}

// The value that a share of the sorted values lies below.
function quantile(values, share) {
  const sorted = Float32Array.from(values).sort();
  return sorted.length ? sorted[Math.floor(share * (sorted.length - 1))] : 0;
}

export class MapData {
  constructor(raw) {
    Object.assign(this, raw.head);
    this.rgb = raw.rgb ? bytes(raw.rgb) : null;
    this.xyz = raw.xyz.map((frame) => new Uint16Array(bytes(frame).buffer));
    this.visible = raw.visible.map((frame) => unpackBits(frame, this.points));
    this.depths = quantile(Array.from({ length: this.points }, (_, i) => this.at(0, i)[2]), 0.5);
    this.measureMotion();
    this.measureSpread();
  }

  // Metres, reference camera: x right, y down, z forward.
  at(t, i) {
    const q = this.xyz[t];
    return [0, 1, 2].map((a) => this.least[a] + this.step[a] * q[3 * i + a]);
  }

  pixel([x, y, z]) {
    return [(this.camera.fx * x) / z, (this.camera.fy * y) / z];
  }

  measureMotion() {
    this.moves = new Uint8Array(this.points);
    const shifts = [];
    const speeds = [];
    for (let i = 0; i < this.points; ++i) {
      const start = this.at(0, i);
      const startPixel = this.pixel(start);
      let last = start;
      let metres = 0;
      let pixels = 0;
      let speed = 0;
      for (let t = 1; t < this.frames; ++t) {
        const now = this.at(t, i);
        const nowPixel = this.pixel(now);
        metres = Math.max(metres, Math.hypot(...now.map((v, a) => v - start[a])));
        pixels = Math.max(pixels, Math.hypot(nowPixel[0] - startPixel[0], nowPixel[1] - startPixel[1]));
        speed = Math.max(speed, Math.hypot(...now.map((v, a) => v - last[a])));
        last = now;
      }
      if (pixels <= STATIC_PX && metres <= STATIC_DEPTH * start[2]) continue;
      this.moves[i] = 1;
      shifts.push(pixels);
      speeds.push(speed);
    }
    this.moving = shifts.length;
    this.fullShift = quantile(shifts, 0.95) || 1;
    this.fullSpeed = quantile(speeds, 0.95) || 1;
  }

  // Width of a point at depth 1. Neighbours are whole pixels apart, so it is the widest gap of the lattice.
  footprint() {
    return Math.ceil(this.lattice_px) / this.camera.fx;
  }

  // How far the next points of the lattice are, in footprints: more than 1 on surfaces that are seen at a slant.
  measureSpread() {
    this.spread = new Float32Array(this.points).fill(1);
    const byCell = new Map();
    // Lattice line k stands at pixel floor(k * lattice_px).
    const line = (pixel) => Math.ceil(Math.round(pixel) / this.lattice_px - 1e-6);
    const cell = ([u, v]) => [line(u + this.camera.cx), line(v + this.camera.cy)];
    const key = (column, row) => row * 65536 + column;
    const cells = Array.from({ length: this.points }, (_, i) => cell(this.pixel(this.at(0, i))));
    cells.forEach((place, i) => byCell.set(key(...place), i));
    cells.forEach(([column, row], i) => {
      const here = this.at(0, i);
      const footprint = this.footprint() * here[2];
      const apart = (neighbour) => {
        const other = byCell.get(neighbour);
        return other === undefined ? Infinity : Math.hypot(...this.at(0, other).map((v, a) => v - here[a])) / footprint;
      };
      // The nearer of two opposite neighbours: at the edge of a surface the other one is on another surface.
      for (const [dx, dy] of [[1, 0], [0, 1]]) {
        const near = Math.min(apart(key(column + dx, row + dy)), apart(key(column - dx, row - dy)));
        if (near < MOST_SPREAD) this.spread[i] = Math.max(this.spread[i], near);
      }
    });
  }

  // Evenly spread over the moving points.
  tracks() {
    const moving = [];
    for (let i = 0; i < this.points; ++i) if (this.moves[i]) moving.push(i);
    const count = Math.min(MOST_TRACKS, moving.length);
    return Array.from({ length: count }, (_, k) => moving[Math.floor((k * moving.length) / count)]);
  }
}
