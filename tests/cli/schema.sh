# SPDX-License-Identifier: Apache-2.0
# The JSON Schema of graphs agrees with `momap validate`, on what ships and on small good and bad graphs.
python3 -c 'import jsonschema, yaml' 2>/dev/null || { echo "skipped: python3-jsonschema and python3-yaml are not installed"; exit 77; }
cat >check.py <<'EOF'
import json, sys, jsonschema, yaml
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
problems = list(jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load(open(sys.argv[2]))))
for problem in problems: print(problem.json_path, problem.message[:300])
sys.exit(2 if problems else 0)
EOF
momap schema graph --plugins "$MOMAP_BUILD/tests/probes" >graph.json
both() { # both CODE FILE: the schema and the program agree
  expect "$1" momap validate "$2" --plugins "$MOMAP_BUILD/tests/probes"
  expect "$1" python3 check.py graph.json "$2"
}
for file in "$MOMAP_SOURCE"/configs/graphs/*.yaml "$MOMAP_SOURCE"/configs/models/*/recipe.yaml; do both 0 "$file"; done

graph() { printf 'steps:\n  a: {use: source/probe%s}\n  b: {use: annotation/probe_pass%s}\n  s: {use: metric/probe_mean, in: {result: b}%s}\n' "$@" >g.yaml; }
graph '' ', in: a' ''; both 0 g.yaml
graph ', with: {samples: 3, file: }' ', in: [a], with: {fail_on: [1, 2], level: 2.5}' ''; both 0 g.yaml
graph ', with: {file: 2024}' ', in: {clip: a}, with: {level: "${seed}"}, seed: 3' ''; (echo 'seed: 4'; cat g.yaml) >seeded.yaml; both 0 seeded.yaml
graph '' ', in: a, with: {levle: 2}' ''; both 2 g.yaml
graph '' ', in: a, with: {level: 11}' ''; both 2 g.yaml
graph '' ', in: a, with: {level: high}' ''; both 2 g.yaml
graph '' ', in: a, with: {fail_on: 1}' ''; both 2 g.yaml
graph '' ', in: {clp: a}' ''; both 2 g.yaml
graph '' ', in: [a, a]' ''; both 2 g.yaml
graph ', in: b' ', in: a' ''; both 2 g.yaml
graph '' ', in: a' ', wiht: {}'; both 2 g.yaml
graph '' ', in: a, seed: -1' ''; both 2 g.yaml
printf 'steps:\n  a: {use: source/prob}\n' >g.yaml; both 2 g.yaml
printf 'steps:\n  a: {in: a}\n' >g.yaml; both 2 g.yaml
printf 'steps: {}\n' >g.yaml; both 2 g.yaml
printf 'sed: 1\nsteps:\n  a: {use: source/probe}\n' >g.yaml; both 2 g.yaml
expect 2 momap schema garph
