// SPDX-License-Identifier: Apache-2.0
// What a row is made of and how to get it again.
import { element } from './elements.js';

function copyButton(text) {
  const button = element('button', { type: 'button' }, 'Copy');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Select and copy by hand';
    }
  });
  return button;
}

export function detailsOf(report) {
  const heading = element('h2');
  const inside = element('div');
  const close = element('button', { type: 'button', className: 'close' }, 'Close');
  const dialog = element('dialog', {}, close, heading, inside);
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });

  function content(row) {
    const parts = [];
    if (row.failure) parts.push(element('p', { className: 'failed' }, `Failed: ${row.failure}`));
    if (row.settings) {
      const set = Object.entries(row.settings).map(([key, value]) => `--set ${key}=${value}`);
      if (set.length) parts.push(element('h3', {}, 'Settings'), element('pre', {}, set.join('\n')));
    }
    parts.push(element('h3', {}, 'All of them again'), element('pre', {}, report.repeat));
    if (row.graph) {
      parts.push(
        element('h3', {}, 'This one again'),
        element('p', {}, 'Save the graph as graph.yaml, then: ', element('code', {}, `momap run graph.yaml${report.samples ? ` --samples ${report.samples}` : ''} -o again`)),
        element('p', {}, copyButton(row.graph)), element('pre', { className: 'graph' }, row.graph));
    }
    if (row.stepSeconds) {
      parts.push(element('h3', {}, 'Seconds a sample, by step'), element('pre', {},
        Object.entries(row.stepSeconds).map(([step, seconds]) => `${step}: ${Number(seconds.toPrecision(3))}`).join('\n')));
    }
    if (row.plugins) {
      parts.push(element('h3', {}, 'Plugin libraries (hash)'), element('pre', {},
        Object.entries(row.plugins).map(([id, hash]) => `${id}: ${hash}`).join('\n')));
    }
    return parts;
  }

  return {
    dialog,
    content,
    open(row) {
      heading.textContent = row.name;
      inside.replaceChildren(...content(row));
      dialog.showModal();
    },
  };
}
