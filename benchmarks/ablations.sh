#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What each choice of a training is worth: trains configs/ablations/recipe.yaml with one of them changed at a time, for
# some seeds, scores each network with configs/ablations/evaluate.yaml and keeps the table in docs/results/ablations.md.
# About a minute a training on two quiet cores; what is done already in WORK is not done again.
#   benchmarks/ablations.sh [WORK_FOLDER] [SEEDS]
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(realpath -m "${1:-runs/ablations}") seeds=${2:-2}
momap=${MOMAP:-./momap}
# name | what changes | keys of the recipe that are set
variants='
base|x0, scale over moving cells|
v|velocity|steps.unet.with.prediction=v
epsilon|noise|steps.unet.with.prediction=epsilon
flow|flow matching|steps.unet.with.prediction=flow
l1|+ L1 of the clean latent|train.l1=0.3
decoded_l1|+ L1 of decoded motion|train.decoded_l1=0.1
perceptual|+ perceptual distance of decoded motion|train.perceptual=0.1
'
mkdir -p "$work/examples"
cp configs/ablations/recipe.yaml "$work/recipe.yaml"
sed -e 's|^  unet:|  seen: {use: encoding/vae, in: truth, with: {weights: "${share:models/vae/model.safetensors}"}}\n  unet:|' \
  -e 's|^  latent: encode|  latent: encode\n  perceptual_network: seen|' "$work/recipe.yaml" >"$work/recipe.perceptual.yaml"
while IFS='|' read -r name _ keys; do
  [[ -n $name ]] || continue
  for seed in $(seq "$seeds"); do
    run=$work/$name.$seed
    [[ -e $run/scores/run.json ]] && continue
    rm -rf "$run"
    mkdir -p "$run"
    ln -s ../examples "$run/examples"
    recipe=$work/recipe.yaml
    [[ $name == perceptual ]] && recipe=$work/recipe.perceptual.yaml
    sets=(--set "steps.unet.with.seed=$seed" --set "seed=$seed")
    for key in $keys; do sets+=(--set "$key"); done
    "$momap" train "$recipe" -o "$run" "${sets[@]}" -q
    "$momap" run configs/ablations/evaluate.yaml -o "$run/scores" --set "unet.with.weights=$run/model.safetensors" -q >/dev/null
  done
done <<<"$variants"

# A line a variant: the mean over the seeds of each score's mean over the scenes, and the largest difference between seeds.
{
  printf '# Ablations\n\nMade by `benchmarks/ablations.sh`: a small training with one thing changed at a time, %s seeds each, scored on 48\n' "$seeds"
  printf 'worlds it has never seen with 8 samples against 8 true futures (`configs/ablations`). In brackets: the difference between the\nseeds. '
  printf 'Lower is better for the energy score and leakage, higher for agreement (DQS); a motion ratio of 1 is right.\n\n'
  printf '| | energy score, mm | DQS | motion ratio | leakage, mm |\n|---|---|---|---|---|\n'
  while IFS='|' read -r name text _; do
    [[ -n $name ]] || continue
    TEXT=$text /usr/bin/python3 - "$work/$name".*/scores/scores.jsonl <<'PY'
import collections, json, os, sys

sums = collections.defaultdict(dict)
for path in sys.argv[1:]:
    values = collections.defaultdict(list)
    for line in open(path):
        for score in json.loads(line)["scores"]:
            if score.get("value") is not None:
                values[score["name"]].append(score["value"])
    for name, found in values.items():
        sums[name][path] = sum(found) / len(found)
cells = []
for name, scale, digits in (("energy_score", 1000, 1), ("dqs", 1, 3), ("motion_ratio", 1, 2), ("leakage", 1000, 1)):
    means = [scale * v for v in sums[name].values()]
    cells.append(f"{sum(means) / len(means):.{digits}f} ({max(means) - min(means):.{digits}f})")
print("| " + " | ".join([os.environ["TEXT"], *cells]) + " |")
PY
  done <<<"$variants"
} >"$work/table.md"
cp "$work/table.md" docs/results/ablations.md
cat "$work/table.md"
