#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes view_in_3d.png from a run of configs/graphs/demo_video.yaml:   docs/images/view_in_3d.sh RUN_FOLDER [MOMAP]
set -euo pipefail
run=${1:?usage: view_in_3d.sh RUN_FOLDER [MOMAP]}
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${2:-$root/momap}" view "$run"
node "$root/tests/cli/browser/view_page.mjs" "$run/view.html" "$work"
ffmpeg -v error -y -i "$work/last_frame.png" \
  -vf "scale=1000:-1:flags=lanczos,split[a][b];[a]palettegen=192[p];[b][p]paletteuse=dither=none" \
  "$root/docs/images/view_in_3d.png"
