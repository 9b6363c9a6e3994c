# SPDX-License-Identifier: Apache-2.0
# `momap generate` takes any photograph and any prompt: grey, with transparency, of one pixel, far too long.
command -v ffmpeg >/dev/null || { echo "skipped: ffmpeg is absent (apt install ffmpeg)"; exit 77; }
picture() { ffmpeg -v error -f lavfi -i "$1" -frames:v 1 -pix_fmt "$2" -y "$3"; }
picture testsrc=size=90x60 gray grey.png
picture testsrc=size=90x60 rgba clear.png
picture color=red:size=2x2 rgb24 tiny.png
for file in grey clear tiny; do
  expect 0 momap generate --image $file.png --prompt "people walk" --samples 1 --set photo.with.width=96 -o $file
  ls $file/video_mp4/* >/dev/null || fail "$file: no video"
done
long=$(printf 'дверь 门 باب %.0s' $(seq 700))
expect 0 momap generate --image grey.png --prompt "$long" --samples 1 --set photo.with.width=96 -o long
expect 2 momap generate --image none.png --prompt "x" -o none; says none.png
echo "no picture" >text.png
expect 3 momap generate --image text.png --prompt "x" -o text; says text.png
nothing_left .
