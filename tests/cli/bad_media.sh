# SPDX-License-Identifier: Apache-2.0
# Bad images and videos: exit code 2 (cannot be opened) or 3 (bad content), a reason, and no file under its final name.
video() { printf 'steps: {v: {use: source/video, with: {path: "%s"}}, o: {use: output/video, in: {value: v}}}\n' "$1" >v.yaml; }
photo() { printf 'steps: {p: {use: source/image, with: {path: "%s"}}, o: {use: output/image, in: {value: p}}}\n' "$1" >p.yaml; }
bad_video() { video "$1"; rm -rf out; expect "$2" momap run v.yaml -o out; says "$3"; no_results; }
bad_photo() { photo "$1"; rm -rf out; expect "$2" momap run p.yaml -o out; says "$3"; no_results; }
no_results() { [[ ! -e out/o ]] || [[ -z $(ls -A out/o) ]] || fail "results were left: $(ls -A out/o)"; nothing_left out; }

bad_video nowhere.mp4 2 nowhere.mp4
mkdir folder; bad_video folder 2 folder
: >zero.mp4; bad_video zero.mp4 3 zero.mp4
echo "not a video" >text.mp4; bad_video text.mp4 3 text.mp4
ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=10 -t 10 -pix_fmt yuv420p whole.mp4
head -c 3000 whole.mp4 >cut.mp4; bad_video cut.mp4 3 cut.mp4
ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=10 -t 10 -c:v mjpeg whole.avi
head -c $(($(stat -c %s whole.avi) / 2)) whole.avi >cut.avi
video cut.avi; rm -rf out; expect 3 momap run v.yaml -o out; says "found"; nothing_left out

bad_photo nowhere.png 2 nowhere.png
: >zero.png; bad_photo zero.png 3 zero.png
echo "not a picture" >text.png; bad_photo text.png 3 text.png
ffmpeg -v error -i whole.mp4 -frames:v 1 whole.png
head -c 300 whole.png >cut.png; bad_photo cut.png 3 cut.png

# Paths with spaces and bytes that are not UTF-8 work.
cp whole.png 'with space.png'; photo 'with space.png'; rm -rf out; expect 0 momap run p.yaml -o out
odd=$(printf 'odd\xff.png'); cp whole.png "$odd"
photo x; rm -rf out; MOMAP_ODD=$odd; export MOMAP_ODD
printf 'steps: {p: {use: source/image, with: {path: "${env:MOMAP_ODD}"}}, o: {use: output/image, in: {value: p}}}\n' >p.yaml
expect 0 momap run p.yaml -o out

# One pixel and odd sizes go through the whole chain or are refused by name; they never crash.
for size in 1x1 1x7 17x23; do
  ffmpeg -v error -y -f lavfi -i color=gray:size=64x64:rate=10 -t 1 -vf "scale=${size/x/:}" -c:v png -f avi tiny.avi
  code=0; out=$(momap run "$MOMAP_SOURCE/configs/graphs/demo_video.yaml" --set video.with.path=tiny.avi \
    --set video.with.start=0 --set video.with.frames=5 -o "out-$size" 2>&1) || code=$?
  [[ $code == 0 || $code == 3 ]] || { echo "$out" >&2; fail "$size: exit code $code"; }
done

# A folder that cannot be written. Root may write anywhere, so it is only meaningful for others.
expect 2 momap run p.yaml -o /proc/momap; says "/proc/momap"
# A run folder that holds something is never overwritten.
mkdir used; echo mine >used/file; expect 2 momap run p.yaml -o used; says "never overwritten"; [[ $(cat used/file) == mine ]]
