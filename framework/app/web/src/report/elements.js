// SPDX-License-Identifier: Apache-2.0
export function element(tag, properties = {}, ...children) {
  const { attributes = {}, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// Four digits, as much as an interval lets one read.
export function number(value) {
  if (!Number.isFinite(value)) return '-';
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

// "21.3 +-0.4": the wider half of the interval.
export function withInterval([value, low, high]) {
  const half = Math.max(high - value, value - low);
  return half > 0 ? `${number(value)} \u00b1${Number(half.toPrecision(2))}` : number(value);
}

export const titleOf = (score) => `${score.key}${score.unit ? ` [${score.unit}]` : ''} ${score.higher ? '\u2191' : '\u2193'}`;

/// Of a row, with what sets it apart and no more: "point_splat, radius 2".
export function shortName(report, row) {
  if (!report.varying.length) return row.name;
  return report.varying.map((key) => {
    const value = row.settings?.[key] ?? '-';
    return key.endsWith('.use') ? value.split('/').pop() : `${key.split('.').pop()} ${value}`;
  }).join(', ');
}
