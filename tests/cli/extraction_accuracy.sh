# SPDX-License-Identifier: Apache-2.0
# Extraction finds the true motion of synthetic worlds, with the true camera and with the estimated one.
expect 0 momap run "$MOMAP_SOURCE/configs/graphs/extraction_synthetic.yaml" --set world.with.split=test \
  --set world.with.count=4 --set "world.with.size=[128,128]" --set world.with.frames=12 -o scores
at_least() {
  awk -v step="$1" -v name="$2" -v least="$3" '$1 == step && $2 == name { found = 1; ok = $3 >= least }
    END { exit !(found && ok) }' <<<"$out" || { printf '%s\n' "$out" >&2; fail "$1 $2 is below $3"; }
}
at_least tapvid3d aj_3d_median 0.85
at_least tapvid3d apd_3d_median 0.90
at_least tapvid3d occlusion_accuracy 0.96
at_least tapvid3d_posed aj_3d_median 0.82
