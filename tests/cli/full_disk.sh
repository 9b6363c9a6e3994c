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
