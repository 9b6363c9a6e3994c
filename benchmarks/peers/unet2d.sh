#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench.diffusion_unet against unet2d.py, as installed and tuned, in turn; ratios of the medians over the rounds, ours to
# theirs.   benchmarks/peers/unet2d.sh BUILD_FOLDER [ROUNDS] [SIZE:TASK ...]
set -euo pipefail
build=$(realpath "${1:?usage: unet2d.sh BUILD_FOLDER [ROUNDS] [SIZE:TASK ...]}") rounds=${2:-3}
cd "$(dirname "$0")"
shift $(($# < 2 ? $# : 2))
(($#)) || set -- small:inference small:training sd32:inference
python=${PYTHON:-/usr/bin/python3}
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
printf '%-16s %9s %9s %9s %9s %9s %9s %9s\n' 'network:task' ours installed tuned 'to inst.' 'to tuned' 'MiB' 'tuned MiB'
for what in "$@"; do
  size=${what%:*} task=${what#*:}
  work=$(mktemp -d)
  for _ in $(seq "$rounds"); do
    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 "$build/bin/bench.diffusion_unet" "$size" "$task" 3 >>"$work/ours"
    "$python" unet2d.py "$size" "$task" 3 >>"$work/installed"
    "$python" unet2d.py "$size" "$task" 3 --tuned >>"$work/tuned"
  done
  ours=$(median <"$work/ours") installed=$(median <"$work/installed") tuned=$(median <"$work/tuned")
  mib=$(awk '{ print $3 }' "$work/ours" | median) theirs=$(awk '{ print $3 }' "$work/tuned" | median)
  awk -v w="$what" -v o="$ours" -v i="$installed" -v t="$tuned" -v m="$mib" -v n="$theirs" 'BEGIN {
    printf "%-16s %9.3f %9.3f %9.3f %9.2f %9.2f %9d %9d\n", w, o, i, t, o / i, o / t, m, n }'
  rm -r "$work"
done
