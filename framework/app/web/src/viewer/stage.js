// SPDX-License-Identifier: Apache-2.0
// The 3D view of one motion map. three.js has y up and looks along -z: y and z change their sign.
import {
  BufferAttribute, BufferGeometry, Color, ColorManagement, LinearSRGBColorSpace, LineBasicMaterial, LineSegments,
  PerspectiveCamera, Points, Scene, Spherical, Vector3, WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { COLOURS, pointMaterial } from './point_material.js';

// Colours of pictures are shown as they are.
ColorManagement.enabled = false;

const EARLY = new Color(0x3b82f6);
const LATE = new Color(0xf97316);
const KEY_TURN = Math.PI / 36;

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.renderer = new WebGLRenderer({ canvas, antialias: true });
    this.renderer.outputColorSpace = LinearSRGBColorSpace;
    this.scene = new Scene();
    this.camera = new PerspectiveCamera();
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.addEventListener('change', () => this.draw());
    canvas.addEventListener('keydown', (event) => this.onKey(event));
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
  }

  show(data) {
    for (const old of [this.points, this.lines]) {
      if (!old) continue;
      this.scene.remove(old);
      old.geometry.dispose();
      old.material.dispose();
    }
    this.data = data;
    this.points = new Points(this.pointGeometry(data), pointMaterial(data));
    this.lines = new LineSegments(this.trackGeometry(data), new LineBasicMaterial({ vertexColors: true }));
    for (const thing of [this.points, this.lines]) {
      thing.frustumCulled = false;  // points move in the shader
      this.scene.add(thing);
    }
    this.camera.near = data.depths / 200;
    this.camera.far = (Math.abs(data.least[2]) + data.step[2] * 65535) * 20;
    this.loaded = -1;
    this.resize();
    this.lookAround();
  }

  pointGeometry(data) {
    const geometry = new BufferGeometry();
    const frame = () => new BufferAttribute(new Uint16Array(3 * data.points), 3);
    geometry.setAttribute('position', frame());
    geometry.setAttribute('next', frame());
    geometry.setAttribute('first', new BufferAttribute(data.xyz[0], 3));
    geometry.setAttribute('rgb', new BufferAttribute(data.rgb ?? new Uint8Array(3 * data.points), 3, true));
    geometry.setAttribute('moves', new BufferAttribute(data.moves, 1));
    geometry.setAttribute('spread', new BufferAttribute(data.spread, 1));
    geometry.setAttribute('seen', new BufferAttribute(new Uint8Array(data.points), 1));
    return geometry;
  }

  // Frame after frame, so that a range from the start shows the paths up to a frame.
  trackGeometry(data) {
    const tracks = data.tracks();
    const places = [];
    const colours = [];
    for (let t = 0; t + 1 < data.frames; ++t) {
      for (const i of tracks) {
        for (const s of [t, t + 1]) {
          const [x, y, z] = data.at(s, i);
          places.push(x, -y, -z);
          colours.push(...EARLY.clone().lerp(LATE, s / (data.frames - 1)).toArray());
        }
      }
    }
    this.trackCount = tracks.length;
    const geometry = new BufferGeometry();
    geometry.setAttribute('position', new BufferAttribute(new Float32Array(places), 3));
    geometry.setAttribute('color', new BufferAttribute(new Float32Array(colours), 3));
    return geometry;
  }

  // `time` in frames; between frames points go straight.
  setTime(time) {
    const { data } = this;
    const t = Math.min(Math.floor(time), data.frames - 1);
    const after = Math.min(t + 1, data.frames - 1);
    if (t !== this.loaded) {
      const { position, next, seen } = this.points.geometry.attributes;
      position.array.set(data.xyz[t]);
      next.array.set(data.xyz[after]);
      seen.array.set(data.visible[t]);
      for (const attribute of [position, next, seen]) attribute.needsUpdate = true;
      this.lines.geometry.setDrawRange(0, 2 * this.trackCount * t);
      this.loaded = t;
    }
    this.points.material.uniforms.blend.value = time - t;
    this.draw();
  }

  setLook({ colours, tracks, dimStatic, onlySeen, background }) {
    const { uniforms } = this.points.material;
    uniforms.colours.value = COLOURS[colours];
    uniforms.dimStatic.value = dimStatic;
    uniforms.onlySeen.value = onlySeen;
    uniforms.background.value.set(background);
    this.lines.visible = tracks;
    this.scene.background = new Color(background);
    this.draw();
  }

  // As the reference camera sees it.
  lookAsReference() {
    this.controls.target.set(0, 0, -this.data.depths);
    this.camera.position.set(0, 0, 0);
    this.controls.update();
    this.draw();
  }

  // From aside and above, so that depth can be seen.
  lookAround() {
    this.lookAsReference();
    this.turn(-Math.PI / 12, -Math.PI / 16, 1.3);
  }

  turn(azimuth, polar, zoom = 1) {
    const { target } = this.controls;
    const arm = new Spherical().setFromVector3(new Vector3().subVectors(this.camera.position, target));
    arm.theta += azimuth;
    arm.phi += polar;
    arm.radius *= zoom;
    arm.makeSafe();
    this.camera.position.setFromSpherical(arm).add(target);
    this.controls.update();
    this.draw();
  }

  onKey(event) {
    const moves = {
      ArrowLeft: [KEY_TURN, 0], ArrowRight: [-KEY_TURN, 0], ArrowUp: [0, -KEY_TURN], ArrowDown: [0, KEY_TURN],
      '+': [0, 0, 0.9], '=': [0, 0, 0.9], '-': [0, 0, 1 / 0.9],
    };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.turn(...move);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas.parentElement;
    if (!this.data || width === 0 || height === 0) return;
    const { camera, size } = this.data;
    const tangent = Math.max(size[1] / 2 / camera.fy, (size[0] / 2 / camera.fx) * (height / width));
    this.camera.fov = (2 * Math.atan(tangent) * 180) / Math.PI;
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    const ratio = Math.min(window.devicePixelRatio, 2);
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(width, height, false);
    const { uniforms } = this.points.material;
    uniforms.pixels.value = height * ratio;
    uniforms.ratio.value = ratio;
    this.draw();
  }

  // At most once a frame of the screen.
  draw() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      if (this.data) this.renderer.render(this.scene, this.camera);
    });
  }
}
