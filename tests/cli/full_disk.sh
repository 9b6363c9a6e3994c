# SPDX-License-Identifier: Apache-2.0
# A disk that fills up while results are written: exit code 2, the reason, nothing half-written under a final name.
[[ $EUID == 0 ]] || { echo "skipped: needs root to mount a small tmpfs"; exit 77; }
[[ -e $street ]] || { echo "skipped: $street is absent (apt install opencv-doc)"; exit 77; }
mkdir small
mount -t tmpfs -o size=64k tmpfs small 2>/dev/null || { echo "skipped: mounting a tmpfs is not allowed here"; exit 77; }
trap 'umount small; rm -rf "$sandbox"' EXIT
printf 'steps:\n  v: {use: source/video, with: {path: %s, frames: 24, clips: 1}}\n  o: {use: output/safetensors, in: {value: v}}\n  m: {use: output/video, in: {value: v}}\n' "$street" >g.yaml
expect 2 momap run g.yaml -o small/out
says "No space left on device"
[[ -z $(find small -name '*.safetensors' -o -name '*.mp4') ]] || fail "a half-written result has its final name: $(find small)"
nothing_left small
# With the cache on the full disk the run goes through and says so.
printf 'steps:\n  v: {use: source/video, with: {path: %s, frames: 24, clips: 1}}\n  p: {use: annotation/camera_pose, in: v}\n  o: {use: output/video, in: {value: p}}\n' "$street" >g.yaml
MOMAP_CACHE_DIR=$PWD/small/cache expect 0 momap run g.yaml -o out
says "results are not affected"

# A database on a disk that fills up keeps what it has, and goes on when there is room.
cat >street.yaml <<'EOF'
steps:
  clips: {use: source/clips, with: {width: 96, fov_degrees: 36}}
  depth: {use: annotation/ground_plane, in: clips, with: {camera_height_m: 6.25, pitch_degrees: 16, max_depth_m: 80}}
  extract: {use: extraction/chained_flow, in: depth, with: {preset: ultrafast, redetect: false}}
db: {clip: depth, momap: extract, frames: 8, max_clips: 8}
EOF
expect 0 momap db build street.yaml "$street" -o whole; says "8 samples added"
rm -rf small/*; mount -o remount,size=$(($(du -sk whole | cut -f1) * 6 / 10))k small
expect 2 momap db build street.yaml "$street" -o small/db
says small/db; says "free some space"
kept=$(momap db info small/db --json | sed -n 's/ *"samples": \([0-9]*\),/\1/p' | head -1)
((kept >= 1 && kept < 8)) || fail "the full disk holds $kept samples; expected some of 8"
expect 0 momap db verify small/db; says "$kept samples"
mount -o remount,size=20m small
expect 0 momap db build street.yaml "$street" -o small/db; says "$((8 - kept)) samples added"
expect 0 momap db verify small/db; says "8 samples"; says sound

# A disk that may only be read serves databases and takes none.
mount -o remount,ro small
expect 0 momap db verify small/db; says sound
expect 0 momap db info small/db
expect 2 momap db build street.yaml "$street" -o small/db; says small/db; says "can be written"
expect 2 momap db merge small/db -o small/other; says small/other; says "can be written"
expect 2 momap db export small/db -o small/plain; says small/plain
mount -o remount,rw small
