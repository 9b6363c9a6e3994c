// SPDX-License-Identifier: Apache-2.0
// node report_page.mjs PAGE FOLDER: uses the page of `momap report` as a person would; writes pictures of it to FOLDER.
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
const keep = async (name) => writeFileSync(resolve(folder, `${name}.png`), await browser.picture());
const results = 'section table:not(.samples)';
// Texts of a column of the results, as they stand now; the first column holds buttons.
const column = (index) => browser.evaluate(`[...document.querySelectorAll('${results} tbody tr')].filter((row) => !row.hidden)
  .map((row) => row.children[${index}].textContent)`);
const heading = (text) => browser.evaluate(`[...document.querySelectorAll('${results} .sort')].findIndex((b) => b.textContent.startsWith('${text}'))`);
const sort = (index) => browser.evaluate(`document.querySelectorAll('${results} .sort')[${index}].click()`);
const ready = () => browser.until("document.querySelectorAll('.plot svg').length >= 4", 'plots are drawn');

try {
  await browser.open(url, { width: 1280, height: 900 });
  await ready();
  await keep('start');

  const psnr = await heading('psnr.psnr_covered');
  await sort(psnr);
  const down = (await column(psnr + 1)).map(parseFloat);
  check(down.length === 6 && down.every((value, i) => i === 0 || value <= down[i - 1]), `sorted best first: ${down}`);
  await sort(psnr);
  const up = (await column(psnr + 1)).map(parseFloat);
  check(up.every((value, i) => i === 0 || value >= up[i - 1]), `sorted the other way: ${up}`);
  check(await browser.evaluate(`document.querySelector('${results} [aria-sort]').textContent.startsWith('psnr')`), 'aria-sort is set');

  await browser.evaluate(`(() => { const e = document.querySelector('input[type=search]'); e.value = 'mesh telea';
    e.dispatchEvent(new Event('input')); })()`);
  check((await column(1)).length === 1, `filtered: ${await column(1)}`);
  await keep('filtered');
  await browser.evaluate(`(() => { const e = document.querySelector('input[type=search]'); e.value = '';
    e.dispatchEvent(new Event('input')); })()`);

  await browser.evaluate("document.querySelector('button.more').click()");
  check(await browser.evaluate("document.querySelector('dialog').open && document.querySelector('dialog .graph').textContent.includes('steps:')"),
    'details show the graph');
  await keep('details');
  await browser.key('Escape', 'Escape', 27);
  await browser.until("!document.querySelector('dialog').open", 'Escape closes the details');

  const first = await browser.evaluate("document.querySelector('.plot').innerHTML");
  await browser.evaluate(`(() => { const e = document.querySelector('.panel select'); e.value = '1';
    e.dispatchEvent(new Event('change')); })()`);
  check(first !== await browser.evaluate("document.querySelector('.plot').innerHTML"), 'another score draws another plot');

  const worst = await browser.evaluate("[...document.querySelectorAll('table.samples tbody tr')].map((row) => parseFloat(row.children[1].textContent))");
  check(worst.length === 4 && worst.every((value, i) => i === 0 || value >= worst[i - 1]), `worst samples first: ${worst}`);

  const videos = () => browser.evaluate("document.querySelectorAll('video').length");
  const before = await videos();
  await browser.evaluate("[...document.querySelectorAll('details.sample')].find((fold) => !fold.open).querySelector('summary').click()");
  await browser.until(`document.querySelectorAll('video').length > ${before}`, 'an opened sample shows its videos');
  await browser.until("[...document.querySelectorAll('video')].every((video) => video.readyState >= 1 && video.videoWidth > 0)", 'videos can be played');
  await browser.evaluate("document.querySelector('details.sample').scrollIntoView()");
  await keep('samples');
  const { data } = await browser.send('Page.printToPDF', { printBackground: false });
  writeFileSync(resolve(folder, 'paper.pdf'), Buffer.from(data, 'base64'));

  await browser.open(url, { width: 390, height: 844, dark: true, touch: true });
  await ready();
  check(await browser.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'phone: the page is wider than the screen');
  await keep('phone_dark');
  await browser.evaluate("document.querySelector('.plots').scrollIntoView()");
  await keep('phone_plots');
} catch (error) {
  failures.push(error.stack);
}
await browser.finish(failures);
