// SPDX-License-Identifier: Apache-2.0
// Scores sample by sample, worst first, and what rows show of them.
import { figureOf } from '../figures.js';
import { element, number, shortName, titleOf } from './elements.js';

const MOST_LINES = 50;

// The values of a score, by a key that tells sample, future and seed.
const valuesOf = (row, score) => new Map((row.scores[score.key]?.samples ?? []).map(
  ([sample, future, seed, value]) => [JSON.stringify([sample, future, seed]), value]));

function nameOf(key, several) {
  const [sample, future, seed] = JSON.parse(key);
  return [sample, several.futures ? `future ${future + 1}` : '', several.seeds ? `seed ${seed}` : ''].filter(Boolean).join(', ');
}

/// A table of one score: a line a sample, a column a row; sorted by the values of a chosen row.
export function samplesOf(report, rows) {
  const shown = rows.slice(0, 8);
  const scoreSelect = element('select', { attributes: { 'aria-label': 'Score of the samples' } },
    ...report.scores.map((score, index) => element('option', { value: index }, titleOf(score))));
  const rowSelect = element('select', { attributes: { 'aria-label': 'Row whose worst samples come first' } },
    ...rows.map((row, index) => element('option', { value: index }, shortName(report, row))));
  const table = element('table', { className: 'samples' });
  const note = element('p', { className: 'soft' });

  function fill() {
    const score = report.scores[Number(scoreSelect.value)];
    const chosen = rows[Number(rowSelect.value)];
    const columns = shown.includes(chosen) ? shown : [chosen, ...shown.slice(0, 7)];
    const values = new Map(columns.map((row) => [row, valuesOf(row, score)]));
    const own = values.get(chosen);
    const keys = [...own.keys()].sort((a, b) => (score.higher ? own.get(a) - own.get(b) : own.get(b) - own.get(a)));
    const parts = keys.map((key) => JSON.parse(key));
    const several = { futures: parts.some((part) => part[1] > 0), seeds: new Set(parts.map((part) => part[2])).size > 1 };
    const heading = element('tr', {}, element('th', { attributes: { scope: 'col' } }, 'sample'),
      ...columns.map((row) => element('th', { attributes: { scope: 'col' }, className: row === chosen ? 'chosen' : '' }, shortName(report, row))));
    const lines = keys.slice(0, MOST_LINES).map((key) => {
      const line = columns.map((row) => values.get(row).get(key));
      const known = line.filter((value) => value !== undefined);
      const best = known.length > 1 ? (score.higher ? Math.max(...known) : Math.min(...known)) : undefined;
      return element('tr', {},
        element('th', { attributes: { scope: 'row' } }, nameOf(key, several)),
        ...line.map((value) => element('td', { className: value !== undefined && value === best ? 'best' : '' },
          value === undefined ? '-' : number(value))));
    });
    table.replaceChildren(element('thead', {}, heading), element('tbody', {}, ...lines));
    note.textContent = keys.length > MOST_LINES ? `The worst ${MOST_LINES} of ${keys.length}; all are in scores.jsonl of the run.`
      : keys.length ? 'Worst first.' : 'This row has no value of this score.';
  }
  scoreSelect.addEventListener('change', fill);
  rowSelect.addEventListener('change', fill);
  fill();
  return [
    element('p', { className: 'tools' }, report.scores.length > 1 ? scoreSelect : null,
      rows.length > 1 ? element('label', {}, 'worst of ', rowSelect) : null),
    note, element('div', { className: 'scroll', tabIndex: 0 }, table)];
}

// A figure that takes a whole line when it is much wider than high: things side by side.
function fittedFigure(figure) {
  const made = figureOf(figure);
  const media = made.firstChild;
  const fit = () => made.classList.toggle('wide', (media.videoWidth || media.naturalWidth) > 2 * (media.videoHeight || media.naturalHeight));
  media.addEventListener(media.tagName === 'VIDEO' ? 'loadedmetadata' : 'load', fit);
  return made;
}

/// Pictures and videos of a row, sample by sample, and the way to its 3D view.
export function galleryOf(row) {
  const parts = [];
  if (row.view) parts.push(element('p', {}, element('a', { href: row.view }, 'Motion maps in 3D')));
  const bySample = new Map();
  for (const figure of row.figures ?? []) {
    const list = bySample.get(figure.sample) ?? [];
    list.push({ step: figure.name === figure.sample ? figure.step : `${figure.step} ${figure.name.slice(figure.sample.length)}`, url: figure.url });
    bySample.set(figure.sample, list);
  }
  let first = true;
  for (const [sample, figures] of bySample) {
    const scores = Object.entries(row.scores).flatMap(([key, score]) =>
      (score.samples ?? []).filter(([name]) => name === sample).slice(0, 1).map(([, , , value]) => `${key} ${number(value)}`));
    const inside = element('div', { className: 'figures' });
    const fold = element('details', { className: 'sample' },
      element('summary', {}, element('strong', {}, sample), element('span', { className: 'soft' }, ` ${scores.slice(0, 4).join(', ')}`)), inside);
    // Videos of closed samples are not loaded.
    fold.addEventListener('toggle', () => {
      if (fold.open && !inside.childElementCount) inside.append(...figures.map(fittedFigure));
    });
    fold.open = first;
    first = false;
    parts.push(fold);
  }
  return parts;
}
