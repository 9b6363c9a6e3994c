// SPDX-License-Identifier: Apache-2.0
// node view_page.mjs PAGE FOLDER: uses the page of `momap view` as a person would; writes pictures of it to FOLDER.
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Browser } from './chromium.mjs';

const [page, folder] = process.argv.slice(2);
const url = pathToFileURL(resolve(page)).href;
const failures = [];
const check = (ok, what) => { if (!ok) failures.push(what); };

mkdirSync(folder, { recursive: true });
const browser = new Browser(resolve(folder, 'profile'));
const keep = async (name) => {
  writeFileSync(resolve(folder, `${name}.png`), await browser.picture());
  return browser.picture('.scene');
};
const frame = () => browser.evaluate("document.querySelector('.frame').textContent");
const click = (name) => browser.evaluate(`document.querySelector('${name}').click()`);
const set = (name, value) => browser.evaluate(`(() => { const e = document.querySelector('${name}');
  e.value = ${JSON.stringify(value)}; e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change')); })()`);
const loaded = () => browser.until("/ of .* move$/.test(document.querySelector('.about')?.textContent ?? '')", 'points are shown');
// Whether an action changes what is drawn.
const changes = async (name, before, action) => {
  await action();
  const after = await keep(name);
  check(!after.equals(before), `${name}: nothing changed on the screen`);
  return after;
};

try {
  await browser.open(url, { width: 1280, height: 860 });
  await loaded();
  const [x, y] = await browser.evaluate(`(() => { const r = document.querySelector('canvas').getBoundingClientRect();
    return [r.x + r.width / 2, r.y + r.height / 2]; })()`);
  let last = await keep('start');
  check((await keep('start')).equals(last), 'start: two pictures of the same differ');
  last = await changes('orbit', last, async () => {
    await browser.mouse('mousePressed', x, y, { clickCount: 1 });
    for (let k = 1; k <= 5; ++k) await browser.mouse('mouseMoved', x + 25 * k, y + 6 * k, { buttons: 1 });
    await browser.mouse('mouseReleased', x + 125, y + 30, { clickCount: 1 });
  });
  last = await changes('zoom', last, () => browser.mouse('mouseWheel', x, y, { button: 'none', deltaX: 0, deltaY: -240 }));
  await click('.around');
  last = await keep('around');
  const most = Number(await browser.evaluate("document.querySelector('.time').max"));
  last = await changes('last_frame', last, () => set('.time', most));
  check((await frame()) === `frame ${most} of ${most}`, `slider: says '${await frame()}'`);
  last = await changes('without_tracks', last, () => click('.tracks'));
  last = await changes('direction', last, () => set('.colours', 'direction'));
  last = await changes('speed', last, async () => { await set('.time', 1); await set('.colours', 'speed'); });
  last = await changes('static_dimmed', last, async () => { await set('.colours', 'image'); await click('.dim'); });
  await click('.dim');
  last = await changes('reference', last, () => click('.reference'));
  await browser.evaluate("document.querySelector('canvas').focus()");
  last = await changes('arrow_key', last, () => browser.key('ArrowLeft', 'ArrowLeft', 37));
  await browser.key(' ', 'Space', 32);
  await browser.until("document.querySelector('.play').textContent === 'Pause' && Number(document.querySelector('.time').value) !== 1",
    'space plays');
  await click('.play');
  if (await browser.evaluate("document.querySelector('.maps').options.length > 1")) {
    await changes('second_map', last, async () => { await set('.maps', '1'); await loaded(); });
  }

  await browser.open(url, { width: 390, height: 844, dark: true, touch: true });
  await loaded();
  check(await browser.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'phone: the page is wider than the screen');
  last = await keep('phone_dark');
  await changes('phone_orbit', last, async () => {
    await browser.touch('touchStart', [[190, 250]]);
    for (let k = 1; k <= 4; ++k) await browser.touch('touchMove', [[190 + 20 * k, 250]]);
    await browser.touch('touchEnd', []);
  });
} catch (error) {
  failures.push(error.stack);
}
await browser.finish(failures);
