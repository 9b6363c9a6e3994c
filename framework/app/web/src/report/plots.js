// SPDX-License-Identifier: Apache-2.0
import { axisX, axisY, barX, dot, line, plot, ruleX, ruleY, text } from '@observablehq/plot';
import { number, shortName, titleOf } from './elements.js';

const ACCENT = 'var(--accent)';
const style = { background: 'transparent', overflow: 'visible', fontSize: '12px' };

// Rows that have the score, with what plots need of them.
function pointsOf(report, score) {
  return report.rows.filter((row) => row.scores[score.key]?.mean).map((row) => {
    const [value, low, high] = row.scores[score.key].mean;
    return { row, name: shortName(report, row), value, low, high, seconds: row.seconds?.[0] };
  });
}

const cut = (name, most) => (name.length > most ? `${name.slice(0, most - 1)}\u2026` : name);

// Points that no other beats in one without losing in the other.
export function paretoFront(points, higher) {
  const better = (a, b) => (higher ? a.value > b.value : a.value < b.value);
  const noWorse = (a, b) => a.value === b.value || better(a, b);
  return points.filter((p) => !points.some((q) => q !== p && noWorse(q, p) && q.seconds <= p.seconds &&
    (better(q, p) || q.seconds < p.seconds))).sort((a, b) => a.seconds - b.seconds);
}

/// The score over time, intervals and the Pareto front.
export function costPlot(report, score, width) {
  const points = pointsOf(report, score).filter((p) => p.seconds > 0);
  if (points.length < 2) return null;
  const front = paretoFront(points, score.higher);
  const seconds = points.map((p) => p.seconds);
  // Names of all where there is room, else of the front.
  const named = points.length <= 4 ? points : front;
  const room = 14 + 6.5 * Math.max(...named.map((p) => cut(p.name, 24).length));
  return plot({
    width, height: 320, style, marginLeft: 64, marginRight: Math.min(room, width / 3), marginBottom: 40,
    x: { type: Math.max(...seconds) > 4 * Math.min(...seconds) ? 'log' : 'linear', label: `${report.cost} \u2192`, labelAnchor: 'right', nice: true, tickFormat: (value) => number(value) },
    y: { label: titleOf(score), grid: true, nice: true },
    marks: [
      line(front, { x: 'seconds', y: 'value', stroke: ACCENT, strokeOpacity: 0.5, curve: 'step-after' }),
      ruleX(points, { x: 'seconds', y1: 'low', y2: 'high', strokeOpacity: 0.5 }),
      dot(points, { x: 'seconds', y: 'value', r: 4.5, fill: (p) => (front.includes(p) ? ACCENT : 'currentColor'), tip: true, title: tipOf(report, score) }),
      text(named, { x: 'seconds', y: 'value', text: (p) => cut(p.name, 24), dx: 8, textAnchor: 'start', lineAnchor: 'bottom', fill: 'currentColor' }),
    ],
  });
}

const tipOf = (report, score) => (p) => `${p.name}\n${score.key}: ${number(p.value)} (${number(p.low)} to ${number(p.high)})${
  p.seconds ? `\n${report.cost}: ${number(p.seconds)}` : ''}`;

/// A bar a row with its interval, best first.
export function scorePlot(report, score, width) {
  const points = pointsOf(report, score).sort((a, b) => (score.higher ? b.value - a.value : a.value - b.value));
  if (!points.length) return null;
  const most = Math.floor(width / 2.4 / 6.5);
  const labels = new Map(points.map((p) => [p.row, cut(p.name, most)]));
  const margin = 16 + 6.5 * Math.max(...[...labels.values()].map((label) => label.length));
  const fromZero = points.every((p) => p.low >= 0) && Math.min(...points.map((p) => p.low)) < 0.6 * Math.max(...points.map((p) => p.high));
  const shared = {
    width, height: 50 + 24 * points.length, style,
    marginLeft: margin, marginRight: 20, marginBottom: 34,
    x: { label: titleOf(score), grid: true, nice: true, ...(fromZero ? { domain: [0, Math.max(...points.map((p) => p.high))] } : {}) },
    y: { label: null, domain: points.map((p) => p.row) },
  };
  // A bar says "from zero"; where zero is far away a dot is honest.
  const body = fromZero
    ? barX(points, { x1: 0, x2: 'value', y: 'row', fill: ACCENT, fillOpacity: 0.55, insetTop: 3, insetBottom: 3 })
    : dot(points, { x: 'value', y: 'row', r: 4.5, fill: ACCENT });
  return plot({
    ...shared,
    marks: [
      axisX({ anchor: 'bottom' }), axisY({ anchor: 'left', label: null, tickFormat: (row) => labels.get(row) }),
      body,
      ruleY(points, { y: 'row', x1: 'low', x2: 'high', strokeWidth: 1.5 }),
      dot(points, { x: 'value', y: 'row', r: 0, tip: 'y', title: tipOf(report, score) }),
    ],
  });
}

/// What a key does: a dot a row, and the mean of the rows of each value.
export function effectPlot(report, key, score, width) {
  const points = pointsOf(report, score).map((p) => ({ ...p, key: p.row.settings?.[key] ?? '-' }));
  if (!points.length) return null;
  const names = [...new Set(points.map((p) => p.key))];
  const numeric = names.every((name) => name !== '-' && name.trim() !== '' && !isNaN(name));
  if (numeric) for (const p of points) p.key = Number(p.key);
  const keys = numeric ? names.map(Number).sort((a, b) => a - b) : names;
  const means = keys.map((value) => {
    const own = points.filter((p) => p.key === value);
    return { key: value, value: own.reduce((sum, p) => sum + p.value, 0) / own.length };
  });
  const spread = numeric && keys[0] > 0 && keys[keys.length - 1] > 20 * keys[0];
  const x = numeric
    ? { type: spread ? 'log' : 'linear', label: key, nice: true, ticks: keys.length <= 8 ? keys : undefined, tickFormat: (value) => number(value) }
    : { type: 'point', label: key, domain: keys, padding: 0.5 };
  return plot({
    width, height: 260, style, marginLeft: 64, marginRight: 24, marginBottom: 42, x,
    y: { label: titleOf(score), grid: true, nice: true },
    marks: [
      numeric ? line(means, { x: 'key', y: 'value', stroke: ACCENT, strokeWidth: 2 }) : null,
      dot(points, { x: 'key', y: 'value', r: 3.5, fill: 'currentColor', fillOpacity: 0.55, tip: true, title: tipOf(report, score) }),
      dot(means, { x: 'key', y: 'value', r: 6, stroke: ACCENT, strokeWidth: 2 }),
    ],
  });
}

// Mean of the points around each, so that the trend of a noisy curve shows.
function smoothed(points) {
  const half = Math.floor(points.length / 60);
  if (half < 2) return null;
  return points.map(([step], i) => {
    const window = points.slice(Math.max(0, i - half), i + half + 1);
    return [step, window.reduce((sum, [, value]) => sum + value, 0) / window.length];
  });
}

/// One plot a curve.
export function curvePlots(curves) {
  return curves.map(({ name, points }) => ({
    title: name,
    draw(width) {
      const trend = smoothed(points);
      const positive = points.every(([, value]) => value > 0);
      const values = points.map(([, value]) => value);
      const wide = positive && Math.max(...values) > 10 * Math.min(...values);
      return plot({
        width, height: 240, style, marginLeft: 64, marginRight: 24, marginBottom: 36,
        x: { label: 'step \u2192' }, y: { label: name, grid: true, type: wide ? 'log' : 'linear', tickFormat: (value) => number(value) },
        marks: [
          line(points, { x: '0', y: '1', stroke: 'currentColor', strokeOpacity: trend ? 0.3 : 1, tip: !trend }),
          trend ? line(trend, { x: '0', y: '1', stroke: ACCENT, strokeWidth: 2, tip: true }) : null,
        ],
      });
    },
  }));
}
