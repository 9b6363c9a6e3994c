// SPDX-License-Identifier: Apache-2.0
// Makes viewer.bundle.js and report.bundle.js, which are checked in so that a build of MoMap needs no npm.
import { build } from 'esbuild';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { sourceHash } from './hash.mjs';

// The packages whose code went into a bundle.
function packagesIn(metafile) {
  const packages = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const name = /node_modules\/((@[^/]+\/)?[^/]+)\//.exec(input);
    if (name) packages.add(name[1]);
  }
  return [...packages].sort();
}

function licenceOf(name) {
  const folder = `node_modules/${name}/`;
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${JSON.parse(readFileSync(`${folder}package.json`, 'utf8')).version}\n\n${
    readFileSync(folder + file, 'utf8').trim()}`;
}

for (const page of ['viewer', 'report']) {
  const result = await build({
    entryPoints: [`src/${page}/${page}.js`],
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2021',
    charset: 'ascii',
    loader: { '.css': 'text' },
    legalComments: 'none',
    metafile: true,
    write: false,
  });
  const notice = `/* Made by build.mjs from src; sources ${sourceHash()}
SPDX-License-Identifier: Apache-2.0 AND ISC AND MIT AND BSD-3-Clause
Contains:

${packagesIn(result.metafile).map(licenceOf).join('\n\n')}
*/
`;
  writeFileSync(`${page}.bundle.js`, notice + result.outputFiles[0].text);
}
