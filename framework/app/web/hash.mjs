// SPDX-License-Identifier: Apache-2.0
// What the bundles were made from. `node hash.mjs` fails when one is older than its sources.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = new URL('.', import.meta.url);
const read = (name) => readFileSync(new URL(name, here), 'utf8');

export function sourceHash() {
  const hash = createHash('sha256');
  const sources = readdirSync(new URL('src/', here), { recursive: true }).filter((name) => /\.(js|css)$/.test(name));
  for (const name of ['package.json', 'package-lock.json', 'build.mjs', ...sources.sort().map((name) => `src/${name}`)]) {
    hash.update(`${name}\0${read(name)}\0`);
  }
  return hash.digest('hex');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const bundle of ['viewer.bundle.js', 'report.bundle.js']) {
    if (read(bundle).includes(`sources ${sourceHash()}`)) continue;
    console.error(`${bundle} is older than its sources; run: npm ci && npm run build`);
    process.exit(1);
  }
}
