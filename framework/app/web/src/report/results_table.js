// SPDX-License-Identifier: Apache-2.0
// The table of rows: sorted by any column, filtered by words.
import { element, number, titleOf, withInterval } from './elements.js';

// What a column shows of a row, and by what it sorts; `best` says which end is good.
function columnsOf(report) {
  const columns = [];
  if (report.kind === 'leaderboard') {
    columns.push({ title: 'rank', text: (row) => row.rank ?? '-', by: (row) => row.rank ?? Infinity });
  }
  if (report.varying.length) {
    for (const key of report.varying) {
      const value = (row) => row.settings?.[key] ?? '-';
      columns.push({ title: key, text: value, by: (row) => (value(row) !== '-' && !isNaN(value(row)) ? Number(value(row)) : value(row)) });
    }
  } else {
    columns.push({ title: report.kind === 'leaderboard' ? 'entry' : 'name', text: (row) => row.name, by: (row) => row.name });
  }
  for (const score of report.scores) {
    const of = (row) => row.scores[score.key];
    columns.push({
      title: titleOf(score),
      best: score.higher ? 1 : -1,
      by: (row) => of(row)?.mean?.[0],
      text: (row) => {
        const found = of(row);
        if (!found) return '-';
        const missing = found.undefined ? ` (${found.undefined} undefined)` : '';
        return found.mean ? withInterval(found.mean) + missing : 'undefined';
      },
    });
  }
  const interval = (key) => ({
    by: (row) => row[key]?.[0],
    text: (row) => (row[key] ? withInterval(row[key]) : '-'),
  });
  columns.push({ title: report.cost, best: -1, ...interval('seconds') });
  if (report.rows.some((row) => row.ratio)) columns.push({ title: 'time ratio', ...interval('ratio') });
  if (report.rows.some((row) => row.gib !== undefined)) {
    columns.push({ title: 'GiB', by: (row) => row.gib, text: (row) => (row.gib === undefined ? '-' : number(row.gib)) });
  }
  if (report.rows.some((row) => row.remarks || row.failure)) {
    const text = (row) => [...(row.remarks ?? []), ...(row.failure ? [`failed: ${row.failure}`] : [])].join(', ');
    columns.push({ title: 'remarks', text, by: text, words: true });
  }
  return columns;
}

function compare(a, b) {
  const missing = (value) => value === undefined || value === null || Number.isNaN(value);
  if (missing(a) || missing(b)) return missing(a) - missing(b);
  return typeof a === 'string' || typeof b === 'string' ? String(a).localeCompare(String(b), undefined, { numeric: true }) : a - b;
}

/// `open(row)` shows a row's details; null: rows have none.
export function resultsTable(report, open) {
  const columns = columnsOf(report);
  const best = columns.map((column) => {
    if (!column.best || report.rows.length < 2) return undefined;
    const values = report.rows.map(column.by).filter(Number.isFinite);
    return values.length ? column.best * Math.max(...values.map((value) => column.best * value)) : undefined;
  });
  const body = element('tbody');
  const headings = columns.map((column, index) => {
    const button = element('button', { type: 'button', className: 'sort' }, column.title);
    button.addEventListener('click', () => sortBy(index));
    return element('th', { attributes: { scope: 'col' } }, button);
  });
  const rows = report.rows.map((row) => {
    const line = element('tr', { className: row.failure ? 'failed' : '' });
    if (open) {
      const button = element('button', { type: 'button', className: 'more', attributes: { 'aria-label': `Details of ${row.name}` } }, 'Details');
      button.addEventListener('click', () => open(row));
      line.append(element('td', {}, button));
    }
    columns.forEach((column, index) => {
      const text = String(column.text(row));
      const isBest = best[index] !== undefined && column.by(row) === best[index];
      const cell = element('td', { className: [column.words ? 'words' : '', isBest ? 'best' : ''].join(' ').trim() }, text);
      if (isBest) cell.title = 'best of the column';
      line.append(cell);
    });
    return { row, line, text: line.textContent.toLowerCase() };
  });

  let order = { index: -1, down: false };
  function sortBy(index) {
    const down = order.index === index ? !order.down : columns[index].best === 1;
    order = { index, down };
    headings.forEach((heading, i) => {
      if (i === index) heading.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      else heading.removeAttribute('aria-sort');
    });
    const by = columns[index].by;
    const value = (entry) => by(entry.row);
    rows.sort((a, b) => {
      const forward = compare(value(a), value(b));
      const known = value(a) !== undefined && value(b) !== undefined;
      return down && known ? -forward : forward;
    });
    body.append(...rows.map((entry) => entry.line));
  }
  body.append(...rows.map((entry) => entry.line));

  const table = element('table', {}, element('thead', {}, element('tr', {}, open ? element('th') : null, ...headings)), body);
  const scroll = element('div', { className: 'scroll', tabIndex: 0 }, table);
  if (report.rows.length < 2) return scroll;
  const filter = element('input', { type: 'search', placeholder: 'Filter rows', attributes: { 'aria-label': 'Filter rows' } });
  const count = element('span', { className: 'soft', role: 'status' });
  filter.addEventListener('input', () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { line, text } of rows) {
      line.hidden = !words.every((word) => text.includes(word));
      shown += line.hidden ? 0 : 1;
    }
    count.textContent = words.length ? `${shown} of ${rows.length}` : '';
  });
  return element('div', {}, element('p', { className: 'tools' }, filter, count), scroll);
}
