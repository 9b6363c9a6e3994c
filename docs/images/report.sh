#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes report.png from a sweep of configs/sweeps/warping.yaml:   docs/images/report.sh [MOMAP]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
momap=${1:-$root/momap}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$momap" sweep run "$root/configs/sweeps/warping.yaml" -o "$work/warping" -q
"$momap" report "$work/warping"
chromium --headless --no-sandbox --hide-scrollbars --window-size=1280,1250 --virtual-time-budget=5000 \
  --screenshot="$work/page.png" "file://$work/warping/report.html" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
ffmpeg -v error -y -i "$work/page.png" \
  -vf "scale=1000:-1:flags=lanczos,split[a][b];[a]palettegen=96[p];[b][p]paletteuse=dither=none" \
  "$root/docs/images/report.png"
