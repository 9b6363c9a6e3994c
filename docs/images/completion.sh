#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes completion.jpg: holes in a photograph, filled by completion/background and by completion/pull_push.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/graph.yaml" <<'END'
seed: 1
steps:
  photograph: {use: source/image, with: {path: /usr/share/doc/opencv-doc/examples/data/fruits.jpg, width: 384}}
  ground: {use: annotation/ground_plane, in: photograph}
  still: {use: extraction/static, in: ground}
  holes: {use: warping/cutout, in: {image: photograph, momap: still}}
  background: {use: completion/background, in: holes}
  pull_push: {use: completion/pull_push, in: holes}
  a: {use: output/image, in: {value: holes}}
  b: {use: output/image, in: {value: background}}
  c: {use: output/image, in: {value: pull_push}}
END
./momap run "$work/graph.yaml" -o "$work/run"
ffmpeg -v error -y -i "$work/run/a/fruits.png" -i "$work/run/b/fruits.png" -i "$work/run/c/fruits.png" \
  -filter_complex hstack=inputs=3 -q:v 3 docs/images/completion.jpg
