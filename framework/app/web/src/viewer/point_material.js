// SPDX-License-Identifier: Apache-2.0
import { Color, ShaderMaterial, Vector2, Vector3 } from 'three';
import { RAMP } from './ramp.js';

export const COLOURS = { image: 0, direction: 1, speed: 2 };

// Between two frames points go straight. Hue of a direction: red right, then clockwise on the screen.
const vertexShader = /* glsl */ `
  attribute vec3 first, next;
  attribute vec3 rgb;
  attribute float moves, seen, spread;
  uniform vec3 least, grid, background;
  uniform vec2 focal;
  uniform float blend, fullShift, fullSpeed, footprint, pixels, ratio, middle;
  uniform vec3 stops[${RAMP.length}];
  uniform int colours;
  uniform bool dimStatic, onlySeen, hasImage;
  varying vec3 shade;

  vec3 metres(vec3 q) { return least + grid * q; }
  vec3 ramp(float x) {
    vec3 shade = stops[0];
    for (int i = 1; i < ${RAMP.length}; ++i)
      shade = mix(shade, stops[i], clamp(x * ${RAMP.length - 1}. - float(i - 1), 0., 1.));
    return shade;
  }
  vec3 hue(float turn) {
    return clamp(abs(fract(turn + vec3(0., 2. / 3., 1. / 3.)) * 6. - 3.) - 1., 0., 1.);
  }
  void main() {
    vec3 start = metres(first), from = metres(position), to = metres(next);
    vec3 p = mix(from, to, blend);
    vec3 grey = vec3(.45 + (hasImage ? .35 * dot(rgb, vec3(.299, .587, .114)) : .17));  // keeps shapes readable
    if (colours == 1) {
      vec2 shift = focal * (p.xy / p.z - start.xy / start.z);
      float turn = length(shift) > 0. ? atan(shift.y, shift.x) / 6.2831853 : 0.;
      shade = mix(grey, hue(turn), clamp(length(shift) / fullShift, 0., 1.));
    } else if (colours == 2) {
      shade = moves < .5 ? grey : ramp(clamp(length(to - from) / fullSpeed, 0., 1.));
    } else {
      shade = hasImage ? rgb : ramp(1. - start.z / (start.z + middle));
    }
    if (dimStatic && moves < .5) shade = mix(background, shade, .22);
    vec4 view = modelViewMatrix * vec4(p.x, -p.y, -p.z, 1.);
    gl_Position = projectionMatrix * view;
    float size = footprint * spread * start.z * projectionMatrix[1][1] * pixels * .5 / max(-view.z, 1e-4);
    gl_PointSize = clamp(1.2 * size, ratio, 32. * ratio);
    if (onlySeen && seen < .5) gl_Position = vec4(2., 2., 2., 1.);
  }`;

const fragmentShader = /* glsl */ `
  varying vec3 shade;
  void main() { gl_FragColor = vec4(shade, 1.); }`;

export function pointMaterial(data) {
  const value = (v) => ({ value: v });
  return new ShaderMaterial({
    vertexShader,
    fragmentShader,
    uniforms: {
      least: value(new Vector3(...data.least)),
      grid: value(new Vector3(...data.step)),
      background: value(new Color()),
      focal: value(new Vector2(data.camera.fx, data.camera.fy)),
      blend: value(0),
      fullShift: value(data.fullShift),
      fullSpeed: value(data.fullSpeed),
      footprint: value(data.footprint()),
      middle: value(data.depths),
      stops: value(RAMP.map((rgb) => new Vector3(...rgb))),
      pixels: value(1),
      ratio: value(1),
      colours: value(COLOURS.image),
      dimStatic: value(false),
      onlySeen: value(false),
      hasImage: value(data.rgb !== null),
    },
  });
}
