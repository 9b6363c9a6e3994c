#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes synthetic_worlds.png: for each kind of object, frame 0 and the last frame of two scenes.
#   docs/images/synthetic.sh [MOMAP]      (default: ./momap beside this checkout's README)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
momap=${1:-$root/momap}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# kind, setting, first index
scenes=(door:room:0 drawer:room:2 lid:room:1 pendulum:table:3 ball:table:6 blocks:room:4 fan:room:2 car:street:1
        walker:street:4 flag:street:2 blocks:table:8 lid:table:5)
n=0
for scene in "${scenes[@]}"; do
  IFS=: read -r kind setting first <<<"$scene"
  "$momap" run "$root/configs/graphs/synthetic_contact.yaml" -o "$work/$n" -q \
    --set world.with.kinds="[$kind]" --set world.with.settings="[$setting]" \
    --set world.with.first="$first" --set world.with.count=1
  ffmpeg -v error -i "$work/$n"/first/*.png -i "$work/$n"/last/*.png -filter_complex \
    "[0][1]hstack,scale=400:-1,drawbox=h=20:color=black@0.55:t=fill,drawtext=text='$kind':x=6:y=4:fontsize=13:fontcolor=white" \
    -frames:v 1 "$work/$(printf %02d $n).png"
  n=$((n + 1))
done
ffmpeg -v error -y -i "$work/%02d.png" -vf "tile=3x4:padding=4:color=white,format=rgb24" -frames:v 1 "$work/all.png"
# 256 colours are enough for a page and a quarter of the bytes.
ffmpeg -v error -y -i "$work/all.png" -vf "split[a][b];[a]palettegen=256[p];[b][p]paletteuse=dither=bayer:bayer_scale=4" \
  "$root/docs/images/synthetic_worlds.png"
