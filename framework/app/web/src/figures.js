// SPDX-License-Identifier: Apache-2.0
// A picture or video that the run left, under the name of its step.
export function figureOf({ step, url }) {
  const figure = document.createElement('figure');
  figure.className = 'panel';
  const video = /\.(mp4|webm)$/.test(url);
  const media = document.createElement(video ? 'video' : 'img');
  media.src = url;
  if (video) Object.assign(media, { controls: true, loop: true, muted: true, playsInline: true, preload: 'metadata' });
  else media.alt = step;
  media.setAttribute('aria-label', step);
  const caption = document.createElement('figcaption');
  caption.textContent = step;
  figure.append(media, caption);
  return figure;
}
