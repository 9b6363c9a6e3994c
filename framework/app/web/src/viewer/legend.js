// SPDX-License-Identifier: Apache-2.0
// What the colours of point_material.js mean.
import { RAMP } from './ramp.js';

const gradient = RAMP.map((rgb) => `rgb(${rgb.map((x) => Math.round(255 * x))})`).join();

const rounded = (value) => Number(value.toPrecision(2));

function wheel(label) {
  return `<span class="wheel" aria-hidden="true"></span>
    <span>Direction in the reference picture, full colour from ${label} px</span>`;
}

function ramp(low, high) {
  return `<span>${low}</span>
    <span class="ramp" style="background:linear-gradient(90deg,${gradient})" aria-hidden="true"></span>
    <span>${high}</span>`;
}

export function legend(colours, data) {
  if (colours === 'direction') return wheel(rounded(data.fullShift));
  if (colours === 'speed') return ramp('Static: grey; moving: 0', `${rounded(data.fullSpeed)} m a frame or more`);
  if (!data.rgb) return ramp('far', 'near (the run has no picture of the reference view)');
  return '';
}
