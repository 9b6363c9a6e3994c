// SPDX-License-Identifier: Apache-2.0
// A plot with its choice of score; drawn again when its width changes; saved as SVG.
import { element, titleOf } from './elements.js';

export class PlotPanel {
  /// `draw(score, width)` gives an SVG element or a figure that holds one, or null where there is nothing to draw.
  constructor(title, scores, draw) {
    this.title = title;
    this.draw = draw;
    this.scores = scores;
    this.place = element('div', { className: 'plot' });
    this.select = element('select', { attributes: { 'aria-label': `Score of: ${title}` } },
      ...scores.map((score, index) => element('option', { value: index }, titleOf(score))));
    this.select.addEventListener('change', () => this.refresh());
    const save = element('button', { type: 'button' }, 'Save SVG');
    save.addEventListener('click', () => this.save());
    this.root = element('div', { className: 'panel' },
      element('p', { className: 'tools' }, element('strong', {}, title), scores.length > 1 ? this.select : null, save), this.place);
  }

  watch() {
    new ResizeObserver(() => this.refresh()).observe(this.place);
  }

  refresh() {
    const width = Math.max(240, Math.floor(this.place.clientWidth));
    const wanted = `${width} ${this.select.value}`;
    if (wanted === this.drawn) return;
    this.drawn = wanted;
    const plot = this.draw(this.scores[Number(this.select.value) || 0], width);
    this.place.replaceChildren(plot ?? element('p', { className: 'soft' }, 'No row has both figures.'));
  }

  save() {
    const shown = this.place.querySelector('svg');
    if (!shown) return;
    const svg = shown.cloneNode(true);
    svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
    svg.setAttribute('color', '#000');
    svg.style.background = '#fff';
    svg.style.fontFamily = 'sans-serif';
    const url = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(svg)], { type: 'image/svg+xml' }));
    const name = `${this.title} ${this.scores[Number(this.select.value) || 0]?.key ?? ''}`.trim().replace(/[^\w.]+/g, '_');
    element('a', { href: url, download: `${name}.svg` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}
