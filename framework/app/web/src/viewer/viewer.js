// SPDX-License-Identifier: Apache-2.0
// The page of `momap view`. It gets `momapRun` from the page and points from scripts beside it: a page that was
// opened from disk may load scripts but nothing else.
import style from './viewer.css';
import { figureOf } from '../figures.js';
import { legend } from './legend.js';
import { MapData } from './map_data.js';
import { Stage } from './stage.js';

const FRAMES_A_SECOND = 10;

document.head.append(Object.assign(document.createElement('style'), { textContent: style }));
document.body.insertAdjacentHTML('beforeend', `
  <div class="view">
    <header><h1></h1><span class="soft about" role="status"></span>
      <label hidden>Sample <select class="maps"></select></label></header>
    <div class="columns">
      <main class="panel">
        <div class="scene"><canvas tabindex="0" role="img" aria-label="Points of the motion map in 3D. Arrow keys turn the
          view, plus and minus zoom."></canvas><div class="legend"></div><div class="trouble" role="alert"></div></div>
        <div class="bar"><button type="button" class="play">Play</button>
          <input class="time" type="range" min="0" value="0" step="1" aria-label="Frame">
          <output class="frame"></output></div>
        <div class="bar">
          <label>Colour <select class="colours"><option value="image">image</option>
            <option value="direction">displacement direction</option><option value="speed">speed</option></select></label>
          <label><input type="checkbox" class="tracks" checked> Tracks</label>
          <label><input type="checkbox" class="dim"> Dim static points</label>
          <label><input type="checkbox" class="seen"> Only points that are seen</label>
          <button type="button" class="reference">Reference view</button>
          <button type="button" class="around">View from aside</button></div>
        <div class="bar soft">Drag or one finger: orbit. Wheel or two fingers: zoom. Right button or two fingers: move.
          Arrow keys, + and - on the picture; space: play.</div>
      </main>
      <aside><div class="figures"></div></aside>
    </div>
  </div>`);

const find = (name) => document.querySelector(name);
const scene = find('canvas');
const slider = find('.time');
let stage;
let data;
let wanted = 0;
let time = 0;
let playing = false;
let lastTick = 0;

function complain(text) {
  find('.trouble').textContent = text;
}

function applyLook() {
  const colours = find('.colours').value;
  stage.setLook({
    colours,
    tracks: find('.tracks').checked,
    dimStatic: find('.dim').checked,
    onlySeen: find('.seen').checked,
    background: getComputedStyle(document.documentElement).getPropertyValue('--scene').trim(),
  });
  find('.legend').innerHTML = legend(colours, data);
}

function showTime(value) {
  time = value;
  const frame = Math.floor(value);
  slider.value = frame;
  find('.frame').textContent = `frame ${frame} of ${data.frames - 1}`;
  stage.setTime(value);
}

function tick(now) {
  if (!playing) return;
  const next = time + ((now - lastTick) / 1000) * FRAMES_A_SECOND;
  lastTick = now;
  showTime(next >= data.frames - 1 ? 0 : next);
  requestAnimationFrame(tick);
}

function play(on) {
  playing = on && data !== undefined && data.frames > 1;
  find('.play').textContent = playing ? 'Pause' : 'Play';
  if (!playing) return;
  lastTick = performance.now();
  requestAnimationFrame(tick);
}

function showMap(raw) {
  data = new MapData(raw);
  complain('');
  slider.max = data.frames - 1;
  stage.show(data);
  applyLook();
  showTime(0);
  find('.about').textContent = `${data.frames} frames, ${data.size.join(' x ')} px; ${data.points.toLocaleString('en')} of `
    + `${data.valid.toLocaleString('en')} valid points, ${data.moving.toLocaleString('en')} of them move`;
}

function select(index) {
  const map = momapRun.maps[index];
  wanted = index;
  play(false);
  find('.figures').replaceChildren(...map.figures.map(figureOf));
  find('.columns').classList.toggle('alone', map.figures.length === 0);
  complain('Loading points ...');
  const script = Object.assign(document.createElement('script'), { src: map.script });
  script.onload = () => script.remove();
  script.onerror = () => complain(`${map.script} is not beside this page. Copy the folder view.data with view.html.`);
  document.head.append(script);
}

window.momapPoints = (index, raw) => {
  if (index === wanted) showMap(raw);
};

function connect() {
  slider.addEventListener('input', () => { play(false); showTime(Number(slider.value)); });
  find('.play').addEventListener('click', () => play(!playing));
  for (const name of ['.colours', '.tracks', '.dim', '.seen']) find(name).addEventListener('change', applyLook);
  find('.reference').addEventListener('click', () => stage.lookAsReference());
  find('.around').addEventListener('click', () => stage.lookAround());
  find('.maps').addEventListener('change', (event) => select(Number(event.target.value)));
  scene.addEventListener('keydown', (event) => {
    if (event.key !== ' ') return;
    event.preventDefault();
    play(!playing);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => data && applyLook());
}

find('h1').textContent = momapRun.name;
find('.maps').append(...momapRun.maps.map((map, i) => new Option(`${map.name} (${map.step})`, i)));
find('header label').hidden = momapRun.maps.length < 2;
try {
  stage = new Stage(scene);
} catch {
  complain('This browser shows no 3D: WebGL is off or not there. The pictures of the run are below.');
  find('.figures').replaceChildren(...momapRun.maps[0].figures.map(figureOf));
}
if (stage) {
  connect();
  select(0);
}
