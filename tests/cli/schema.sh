# SPDX-License-Identifier: Apache-2.0
# The JSON Schemas of graphs, sweeps and boards agree with what reads them, on what ships and on small good and bad files.
python3 -c 'import jsonschema, yaml' 2>/dev/null || { echo "skipped: python3-jsonschema and python3-yaml are not installed"; exit 77; }
mkdir good bad
graph() { printf 'steps:\n  a: {use: source/probe%s}\n  b: {use: annotation/probe_pass%s}\n  s: {use: metric/probe_mean, in: {result: b}%s}\n' "${@:2}" >"$1.yaml"; }
graph good/plain '' ', in: a' ''
graph good/listed ', with: {samples: 3, file: }' ', in: [a], with: {fail_on: [1, 2], level: 2.5}' ''
graph good/named ', with: {file: 2024}' ', in: {clip: a}, with: {level: "${seed}"}, seed: 3' ''; echo 'seed: 4' >>good/named.yaml
graph bad/parameter '' ', in: a, with: {levle: 2}' ''
graph bad/range '' ', in: a, with: {level: 11}' ''
graph bad/type '' ', in: a, with: {level: high}' ''
graph bad/list '' ', in: a, with: {fail_on: 1}' ''
graph bad/port '' ', in: {clp: a}' ''
graph bad/ports '' ', in: [a, a]' ''
graph bad/source_input ', in: b' ', in: a' ''
graph bad/step_key '' ', in: a' ', wiht: {}'
graph bad/seed '' ', in: a, seed: -1' ''
printf 'steps:\n  a: {use: source/prob}\n' >bad/plugin.yaml
printf 'steps:\n  a: {in: a}\n' >bad/no_use.yaml
printf 'steps: {}\n' >bad/empty.yaml
printf 'sed: 1\nsteps:\n  a: {use: source/probe}\n  o: {use: output/probe_text, in: {value: a}}\n' >bad/key.yaml
for file in "$MOMAP_SOURCE"/configs/graphs/*.yaml; do cp "$file" "good/ships-$(basename "$file")"; done
for file in "$MOMAP_SOURCE"/configs/models/*/recipe.yaml; do cp "$file" "good/recipe-$(basename "$(dirname "$file")").yaml"; done

momap schema graph --plugins "$MOMAP_BUILD/tests/probes" >graph.json
# verdicts SCHEMA FOLDER: a line for each file, good or bad and why.
verdicts() { python3 - "$@" <<'EOF'
import glob, json, jsonschema, sys, yaml
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for file in sorted(glob.glob(sys.argv[2] + "*/*.yaml")):
    problem = next(validator.iter_errors(yaml.safe_load(open(file))), None)
    print(file, "bad" if problem else "good", problem.message[:200] if problem else "")
EOF
}
verdicts graph.json "" >verdicts
for file in */*.yaml; do
  expected=${file%%/*}
  grep -q "^$file $expected" verdicts || fail "schema: $(grep "^$file " verdicts)"
  expect $([[ $expected == good ]] && echo 0 || echo 2) momap validate "$file" --plugins "$MOMAP_BUILD/tests/probes"
done
(($(wc -l <verdicts) > 18)) || fail "too few graphs: $(cat verdicts)"
expect 2 momap schema garph

# Sweeps.
mkdir sweeps-good sweeps-bad
sweep() { printf 'base: ../good/plain.yaml\nsweep: %s\n' "$2" >"sweeps-$1.yaml"; }
sweep good/all '{grid: {b.with.level: [1, 2]}, zip: {seed: [1, 2], a.with.samples: [2, 3]}, seeds: [0, 1], show: [s.mean],
  when: [{if: {b.with.level: 1}, grid: {b.with.sleep_ms: [0, 1]}}], set: {a.with.samples: 2}, baseline: {b.with.level: 1},
  limits: {seconds: 5}, budget: {jobs: 0}, halving: {score: s.mean, samples: [1, 2]}}'
sweep good/drawn '{random: {points: 2, axes: {b.with.level: {uniform: [0, 1]}}}, list: [{b.with.sleep_ms: 0}]}'
sweep bad/key '{girds: {b.with.level: [1]}}'
sweep bad/grid '{grid: {b.with.level: 1}}'
sweep bad/limit '{limits: {seconds: -1}}'
sweep bad/limit_key '{limits: {second: 1}}'
sweep bad/drawn '{random: {points: 0, axes: {b.with.level: {uniform: [0, 1]}}}}'
sweep bad/axis '{random: {points: 1, axes: {b.with.level: {unform: [0, 1]}}}}'
sweep bad/seed '{seeds: [x]}'
printf 'sweep: {}\n' >sweeps-bad/base.yaml
momap schema sweep >sweep.json
verdicts sweep.json sweeps- >verdicts
for file in sweeps-*/*.yaml; do
  expected=${file%%/*}; expected=${expected#sweeps-}
  grep -q "^$file $expected" verdicts || fail "schema: $(grep "^$file " verdicts)"
  expect $([[ $expected == good ]] && echo 0 || echo 2) momap sweep run "$file" -o "out-${file//\//-}" --plugins "$MOMAP_BUILD/tests/probes"
done

# Boards: what ships, and slips in it.
mkdir boards-good boards-bad
for file in "$MOMAP_SOURCE"/configs/leaderboards/*.yaml; do cp "$file" boards-good; done
sed 's/rank_by/rankby/' boards-good/warping.yaml >boards-bad/key.yaml
sed 's/version: 1/version: 0/' boards-good/warping.yaml >boards-bad/version.yaml
sed 's/use: warping\/mesh/use: warping\/mush/' boards-good/warping.yaml >boards-bad/plugin.yaml
sed '/^steps/,$d' boards-good/warping.yaml >boards-bad/steps.yaml
momap schema board --plugins "$MOMAP_BUILD/tests/probes" >board.json
verdicts board.json boards- >verdicts
for file in boards-*/*.yaml; do
  expected=${file%%/*}; expected=${expected#boards-}
  grep -q "^$file $expected" verdicts || fail "schema: $(grep "^$file " verdicts)"
  [[ $expected == good ]] || expect 2 momap leaderboard run "$file" -o "out-${file//\//-}"
done
