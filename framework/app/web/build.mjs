// SPDX-License-Identifier: Apache-2.0
// Makes viewer.bundle.js, which is checked in so that a build of MoMap needs no npm.
import { build } from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';
import { sourceHash } from './hash.mjs';

const result = await build({
  entryPoints: ['src/viewer.js'],
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2021',
  charset: 'ascii',
  loader: { '.css': 'text' },
  legalComments: 'none',
  write: false,
});
const licence = readFileSync('node_modules/three/LICENSE', 'utf8').trim();
const notice = `/* Made by build.mjs from src; sources ${sourceHash()}
SPDX-License-Identifier: Apache-2.0 AND MIT
Contains three.js:

${licence}
*/
`;
writeFileSync('viewer.bundle.js', notice + result.outputFiles[0].text);
