# SPDX-License-Identifier: Apache-2.0
# `--launcher slurm` on a real Slurm of one node: same table as here, crash, cancelled and requeued tasks, kill -9 of
# the program that submitted them.
source "$MOMAP_SOURCE/tests/cli/slurm_cluster.sh"
missing=$(slurm_missing)
[[ -z $missing ]] || { echo "skipped: $missing"; exit 77; }
sandbox_trap=$(trap -p EXIT | sed "s/^trap -- '//; s/' EXIT$//")
trap 'stop_slurm; eval "$sandbox_trap"' EXIT
start_slurm || fail "Slurm does not start"

probes=$MOMAP_BUILD/tests/probes
sweep() { momap sweep "$1" "${@:2}" --plugins "$probes" --format csv; }
by_slurm() { sweep "$@" --launcher slurm; }
scores() { cut -d, -f1-3 "$1/table.csv"; }
running() { # waits until COUNT tasks run
  local tries
  for ((tries = 0; tries < 150; ++tries)); do
    (($(squeue -h -r -t RUNNING | wc -l) >= $1)) && return
    sleep 0.2
  done
  squeue >&2; fail "no $1 tasks are running"
}
cat >graph.yaml <<'YAML'
steps:
  a: {use: source/probe, with: {samples: 2}}
  b: {use: annotation/probe_pass, in: a}
  s: {use: metric/probe_mean, in: {result: b}}
YAML
# Done, failed, crashed, too long: the same table as here.
cat >mixed.yaml <<'YAML'
base: graph.yaml
sweep:
  list: [{b.with.level: 1}, {b.with.level: 2}, {b.with.level: 3, b.with.fail_on: [1]}, {b.with.level: 4, b.with.crash_on: [1]},
         {b.with.level: 5, b.with.sleep_ms: 100000}]
  limits: {seconds: 4, memory_gib: 2}
YAML
expect 3 sweep run mixed.yaml -o here
expect 3 by_slurm run mixed.yaml -o there --sbatch=--comment=momap
says "2 jobs done, 3 failed, 0 not run"; says "told to fail"; says "segmentation fault"; says "longer than 4 s"
diff <(scores here) <(scores there) || fail "the table differs"

# While two tasks wait inside their jobs, the program that submitted them is killed and one task is requeued (without
# Slurm's two minutes of grace). Resuming waits for what is in the queue and submits nothing twice.
cat >slow.yaml <<'YAML'
base: graph.yaml
sweep:
  set: {b.with.sleep_ms: 10000}
  grid: {b.with.level: [7, 8]}  # nothing of it is cached
YAML
(exec momap sweep run slow.yaml -o slow --plugins "$probes" --launcher slurm) >log 2>&1 &
driver=$!
running 2
begun() { ls -d slow/jobs/*/1 2>/dev/null | wc -l; }
for ((tries = 0; tries < 150; ++tries)); do (($(begun) == 2)) && break; sleep 0.1; done
kill -9 $driver; wait $driver 2>/dev/null || true
read -r task job < <(squeue -h -r -o '%F_%K %A' | sort | head -n 1)
scontrol requeue "$task"
# The grace time is there for the first start to come to its end. Within the same second, slurmd would not start it
# again ("job credential revoked").
for ((tries = 0; tries < 150; ++tries)); do grep -q "\[$job.batch\] done with job" "$slurm/slurmd.log" && break; sleep 0.2; done
[[ $(squeue -h -r -o '%F_%K %T' | grep "^$task ") == *PENDING ]] || fail "requeued, but not waiting: $(squeue -r)"
scontrol update JobId="$task" StartTime=now+3
expect 0 by_slurm resume slow; says "2 jobs done, 0 failed"
[[ $(ls -d slow/slurm/* | wc -l) == 1 ]] || fail "tasks were submitted twice: $(ls slow/slurm; tail -n 20 slow/slurm/*/*.txt; tail -n 20 "$slurm/slurmctld.log")"
[[ $(ls -d slow/jobs/*/2 | wc -l) == 1 ]] || fail "second attempts: $(ls -d slow/jobs/*/*), expected one"

# A task that somebody cancels is a failed job with Slurm's word for it; Ctrl-C takes the others out of the queue.
sed 's/10000/60000/; s/7, 8/5, 6/' slow.yaml >long.yaml
(exec momap sweep run long.yaml -o long --plugins "$probes" --launcher slurm) >log 2>&1 &
driver=$!
running 2
scancel "$(squeue -h -r -o '%F_%K' | sort | head -n 1)"
for ((tries = 0; tries < 300; ++tries)); do grep -q "CANCELLED" log && break; sleep 0.2; done
grep -q "ended without a result (CANCELLED)" log || fail "the cancelled task is not told: $(cat log)"
kill -INT $driver
code=0; wait $driver || code=$?
[[ $code == 130 ]] || fail "exit code $code, expected 130: $(cat log)"
for ((tries = 0; tries < 100; ++tries)); do [[ -z $(squeue -h -r) ]] && break; sleep 0.2; done
[[ -z $(squeue -h -r) ]] || fail "left in the queue: $(squeue -h -r)"

# Slurm refuses: its words are handed on, and nothing waits.
expect 2 by_slurm run slow.yaml -o refused --sbatch=--partition=none; says "refused the jobs"; says "partition"
expect 2 momap run-task long none; says "plan.json"
expect 2 env PATH="$MOMAP_BUILD/bin" momap sweep run slow.yaml -o nowhere --plugins "$probes" --launcher slurm; says "sbatch is not installed"

# A leaderboard: the same scores as here; all that is timed is one task, so that it shares a machine.
cat >board.yaml <<'YAML'
board:
  title: Probes
  version: 1
  data: two grey clips
  samples: 2
  open_steps: [b]
  rank_by: s.mean
  baseline: zero
  speed_samples: 1
  speed_repeats: 2
  entries:
    zero: {b: {use: annotation/probe_pass}}
    one: {b: {use: annotation/probe_pass, with: {level: 1}}}
    crash: {b: {use: annotation/probe_pass, with: {level: 1, crash_on: [1]}}}
steps:
  a: {use: source/probe, with: {samples: 2}}
  b: {in: a}
  s: {use: metric/probe_mean, in: {result: b}}
YAML
board() { momap leaderboard run board.yaml --plugins "$probes" "$@"; }
expect 3 board -o board_here
expect 3 board -o board_there --launcher slurm; says "segmentation fault"
cat >same.py <<'PY'
import json, sys
rows = [[(row["entry"], row["rank"], row["scores"], bool(row["seconds"]), bool(row["speed_ratio"]))
         for row in json.load(open(f"{folder}/results.json"))["rows"]] for folder in ("board_here", "board_there")]
assert rows[0] == rows[1] and len(rows[0]) == 3, rows
PY
expect 0 python3 same.py
[[ $(ls board_there/slurm/*/plan.json | wc -l) == 2 ]] || fail "lists of tasks: $(ls board_there/slurm)"
grep -l '"together": true' board_there/slurm/*/tasks.json | wc -l | grep -qx 1 || fail "what is timed is not one task"

# A database: the samples of a build here, in parts; a part that failed is gone on with.
cat >recipe.yaml <<'YAML'
seed: 1
steps:
  world: {use: source/synthetic, with: {count: 7, size: [32, 32], frames: 3}}
db: {clip: world}
YAML
expect 0 momap db build recipe.yaml -o db_here -q
mkdir -p db_there.parts && touch db_there.parts/part-00001
expect 3 momap db build recipe.yaml -o db_there --launcher slurm --parts 3; says "part 1/3"; says "1 of 3 parts failed"
[[ ! -e db_there ]] || fail "a database without one of its parts"
expect 2 momap db build recipe.yaml -o db_there --launcher slurm --parts 4; says "other arguments"
rm db_there.parts/part-00001
expect 0 momap db build recipe.yaml -o db_there --launcher slurm --parts 3; says "7 samples from 3 parts"
[[ ! -e db_there.parts ]] || fail "the parts are left"
expect 0 momap db verify db_there
for db in db_here db_there; do
  expect 0 momap db export "$db" -o "$db.plain"
  (cd "$db.plain" && sha256sum $(find . -type f | sort)) >"$db.sums"
done
diff db_here.sums db_there.sums || fail "the samples differ"
[[ $(wc -l <db_here.sums) == 7 ]] || fail "not 7 samples"
expect 2 momap db build recipe.yaml -o db_there --launcher slurm --parts 3; says "holds something already"
