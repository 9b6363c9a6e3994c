// SPDX-License-Identifier: Apache-2.0
// The page of `momap report`. It gets `momapReport` from the page (framework/app/report/report_page.cpp writes it).
import style from './report.css';
import { detailsOf } from './details.js';
import { costPlot, curvePlots, effectPlot, scorePlot } from './plots.js';
import { PlotPanel } from './plot_panel.js';
import { galleryOf, samplesOf } from './samples.js';
import { resultsTable } from './results_table.js';
import { element, shortName } from './elements.js';

const report = momapReport;

document.head.append(element('style', {}, style));
const page = element('main');
page.append(
  element('header', {}, element('p', { className: 'kind' }, `MoMap ${report.kind}`), element('h1', {}, report.title)),
  element('dl', { className: 'facts' },
    ...report.facts.flatMap(([label, text]) => [element('dt', {}, label), element('dd', {}, text)])));

function section(title, ...content) {
  const part = element('section', {}, element('h2', {}, title), ...content.filter(Boolean));
  page.append(part);
}

const scored = report.rows.filter((row) => Object.keys(row.scores).length > 0);
if (report.kind === 'run') {
  if (report.scores.length) section('Scores', resultsTable(report, null));
} else if (report.rows.length) {
  const details = detailsOf(report);
  page.append(details.dialog);
  section('Results', resultsTable(report, details.open));
}

const panels = [];
if (scored.length > 1) {
  panels.push(new PlotPanel('Accuracy against time', report.scores, (score, width) => costPlot(report, score, width)));
  panels.push(new PlotPanel('Each score', report.scores, (score, width) => scorePlot(report, score, width)));
  for (const key of report.varying) {
    panels.push(new PlotPanel(`Effect of ${key}`, report.scores,
      (score, width) => effectPlot(report, key, score, width)));
  }
}
for (const { title, draw } of curvePlots(report.curves)) panels.push(new PlotPanel(title, [], (_, width) => draw(width)));
if (panels.length) section('Plots', element('div', { className: 'plots' }, ...panels.map((panel) => panel.root)));

if (scored.length) section('Samples', ...samplesOf(report, scored));
for (const row of report.rows) {
  if (row.figures || row.view) section(report.rows.length > 1 ? `Seen: ${shortName(report, row)}` : 'Seen', ...galleryOf(row));
}
if (report.kind === 'run' && report.rows[0]) section('Do it again', ...detailsOf(report).content(report.rows[0]));
if (report.kind === 'training') section('Do it again', element('pre', {}, report.repeat));

document.body.append(page);
for (const panel of panels) panel.watch();
