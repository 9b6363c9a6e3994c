#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes data_path.png from a run of configs/graphs/demo_video.yaml:   docs/images/data_path.sh RUN_FOLDER
set -euo pipefail
run=${1:?usage: data_path.sh RUN_FOLDER}
out=$(dirname "$0")/data_path.png
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
panel() { # name label file frame
  ffmpeg -v error -y -i "$3" -vf "select=eq(n\,$4),scale=380:-2,drawbox=h=26:color=black@0.6:t=fill,drawtext=text='$2':x=8:y=6:fontsize=15:fontcolor=white" \
    -frames:v 1 "$work/$1.png"
}
panel 1 'source\: frame 0' "$run"/input_mp4/*.mp4 0
panel 2 'annotation\: depth' "$run"/depth_png/*.png 0
panel 3 'extraction\: tracks' "$run"/tracks_mp4/*.mp4 23
panel 4 'encoding\: displacement' "$run"/displacement_png/*.png 0
panel 5 'warping\: frame 0 moved' "$run"/warped_mp4/*.mp4 23
panel 6 'completion\: holes filled' "$run"/result_mp4/*.mp4 23
cd "$work"
ffmpeg -v error -y -i 1.png -i 2.png -i 3.png -i 4.png -i 5.png -i 6.png \
  -filter_complex '[0][1][2]hstack=3[a];[3][4][5]hstack=3[b];[a][b]vstack' all.png
cd - >/dev/null
mv "$work/all.png" "$out"
