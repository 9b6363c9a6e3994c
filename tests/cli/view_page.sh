# SPDX-License-Identifier: Apache-2.0
# The page of `momap view` in a browser: orbit, zoom, time, tracks, colours, keys, a phone; nothing on the console.
# MOMAP_VIEW_PICTURES=DIR keeps the pictures.
for program in node chromium; do
  command -v "$program" >/dev/null || { echo "skipped: no $program"; exit 77; }
done
cat >graph.yaml <<'END'
seed: 1
steps:
  world: {use: source/synthetic, with: {split: val, count: 2, size: [96, 96], frames: 8}}
  truth: {use: extraction/oracle, in: world}
  movie: {use: output/video, in: {value: world}}
  map: {use: output/safetensors, in: {value: truth}}
END
expect 0 momap run graph.yaml -o run -q
expect 0 momap view run
expect 0 node "$MOMAP_SOURCE/tests/cli/browser/view_page.mjs" run/view.html "${MOMAP_VIEW_PICTURES:-pictures}"
