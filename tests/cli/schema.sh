# SPDX-License-Identifier: Apache-2.0
# The JSON Schema of graphs agrees with `momap validate`, on what ships and on small good and bad graphs.
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
python3 - >verdicts <<'EOF'
import glob, json, jsonschema, yaml
schema = json.load(open("graph.json"))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for file in sorted(glob.glob("*/*.yaml")):
    problem = next(validator.iter_errors(yaml.safe_load(open(file))), None)
    print(file, "bad" if problem else "good", problem.message[:200] if problem else "")
EOF
for file in */*.yaml; do
  expected=${file%%/*}
  grep -q "^$file $expected" verdicts || fail "schema: $(grep "^$file " verdicts)"
  expect $([[ $expected == good ]] && echo 0 || echo 2) momap validate "$file" --plugins "$MOMAP_BUILD/tests/probes"
done
(($(wc -l <verdicts) > 18)) || fail "too few graphs: $(cat verdicts)"
expect 2 momap schema garph
