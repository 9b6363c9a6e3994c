# SPDX-License-Identifier: Apache-2.0
# Sweeps from the command line: kill -9 at any time and resume, nothing run twice, shared steps computed once, bad input.
probes=$MOMAP_BUILD/tests/probes
sweep() { momap sweep "$1" "${@:2}" --plugins "$probes" --format csv; }
begin() { (exec momap sweep "$@" --plugins "$probes") >log 2>&1 & }  # in the background, as one process to kill
cat >graph.yaml <<'YAML'
steps:
  a: {use: source/probe, with: {samples: 2}}
  n: {use: annotation/probe_noise, in: a}
  b: {use: annotation/probe_pass, in: n}
  s: {use: metric/probe_mean, in: {result: b}}
YAML
# 10 levels x 20 seeds.
cat >levels.yaml <<'YAML'
base: graph.yaml
sweep:
  grid: {b.with.level: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}
  seeds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]
  baseline: {b.with.level: 0}
YAML
expect 0 sweep run levels.yaml -o whole; says "200 jobs done, 0 failed, 0 not run"
scores() { cut -d, -f1-3 "$1/table.csv"; }  # the cost of a job differs from run to run

# Killed ten times at random points, resumed each time: the same table, and no job that was done has begun again.
begin run levels.yaml -o killed
for round in $(seq 10); do
  pid=$!
  sleep "0.$((RANDOM % 6 + 2))"
  kill -9 "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  { find killed/jobs -name job.json -printf '%P %T@\n' 2>/dev/null || true; } | sort >"done-$round"
  [[ -e killed/plan.json ]] || { rm -rf killed; begin run levels.yaml -o killed; continue; }
  begin resume killed
done
wait
expect 0 sweep resume killed; says "200 jobs done"
find killed/jobs -name job.json -printf '%P %T@\n' | sort >done-end
for round in $(seq 10); do
  [[ -z $(comm -23 "done-$round" done-end) ]] || fail "a finished job was run again after kill $round"
done
[[ $(wc -l <done-end) == 200 ]] || fail "$(wc -l <done-end) outcomes for 200 jobs"
diff <(scores whole) <(scores killed) || fail "the table differs after kills"
cp whole/table.csv kept.csv; expect 0 momap sweep status whole; says "200 done, 0 failed, 0 left, finished"

# Steps that jobs share are computed once, although jobs run at the same time: 2 samples, not 20.
rm -rf "$MOMAP_CACHE_DIR"
sed 's/seeds: .*/seeds: [0]/; s/baseline.*//' levels.yaml >once.yaml
expect 0 sweep run once.yaml -o once --jobs 4
computed=$(cat once/jobs/*/1/run/run.json | grep -A3 '"step": "n"' | sed -n 's/.*"computed": \([0-9]*\).*/\1/p' | awk '{ sum += $1 } END { print sum }')
[[ $computed == 2 ]] || fail "the shared step was computed for $computed samples; expected 2"

# A job that crashes, throws or fails is a row with its reason; the others are done; retry tries it again.
cat >bad.yaml <<'YAML'
base: graph.yaml
sweep:
  list: [{b.with.level: 1}, {b.with.level: 1.1, b.with.crash_on: [1]}, {b.with.level: 1.2, b.with.throw_on: [1]},
         {b.with.level: 1.3, b.with.fail_on: [1]}, {b.with.level: 1.4, b.with.sleep_ms: 100000}]
  limits: {seconds: 2}
YAML
expect 3 sweep run bad.yaml -o bad; says "1 jobs done, 4 failed"
says "segmentation fault"; says "told to throw"; says "told to fail"; says "longer than 2 s"
expect 3 sweep retry bad --failed; [[ $(ls -d bad/jobs/*/2 | wc -l) == 4 ]] || fail "retry began $(ls -d bad/jobs/*/2)"
expect 3 sweep run bad.yaml -o fast --fail-fast --jobs 1; says "go on with: momap sweep resume fast"

# Halving: all points on 1 sample, the better half on 2.
printf 'base: graph.yaml\nsweep:\n  grid: {b.with.level: [1, 2, 3, 4]}\n  halving: {score: s.mean, samples: [1, 2]}\n' >halving.yaml
expect 0 sweep run halving.yaml -o halving; says "6 jobs done"

# What is wrong is said before anything runs.
expect 2 sweep run whole/none.yaml; says "none.yaml"
expect 2 sweep run levels.yaml -o whole; says "never overwritten"; cmp whole/table.csv kept.csv
sed 's/with.level: /with.levle: /' levels.yaml >slip.yaml
expect 2 sweep run slip.yaml -o slip; says "nothing was started"; says "did you mean 'level'"; [[ ! -e slip ]]
printf 'base: graph.yaml\nsweep: {grid: {b.use: [annotation/none]}}\n' >none.yaml
expect 2 sweep run none.yaml -o none; says "no plugin 'annotation/none'"
expect 2 momap sweep resume nowhere; says "plan.json"
sleep_one=$(printf 'base: graph.yaml\nsweep: {set: {b.with.sleep_ms: 2000}, seeds: [1]}\n'); echo "$sleep_one" >slow.yaml
begin run slow.yaml -o slow; pid=$!
while [[ ! -e slow/jobs ]]; do sleep 0.05; done
expect 2 sweep resume slow; says "another process is working on it"
wait "$pid"
# A plugin that is built anew between two parts of a sweep.
mkdir mine; cp "$probes/probes.so" mine/; sed 's/seeds: .*/seeds: [0]\n  budget: {jobs: 3}/' levels.yaml >part.yaml
expect 0 momap sweep run part.yaml -o part --plugins mine; says "the budget of 3 jobs is used up"
printf 'x' >>mine/probes.so
expect 2 momap sweep resume part --plugins mine; says "results would be mixed"; says "source/probe"
