# SPDX-License-Identifier: Apache-2.0
# Leaderboards: an entry of one's own, failed rows, results that are checked by running a share again.
probes=$MOMAP_BUILD/tests/probes
cat >board.yaml <<'YAML'
board:
  title: Probes
  version: 1
  data: four grey clips
  samples: 4
  open_steps: [b]
  rank_by: s.mean
  baseline: zero
  speed_samples: 1
  speed_repeats: 2
  entries:
    zero: {b: {use: annotation/probe_pass}}
    crash: {b: {use: annotation/probe_pass, with: {level: 1, crash_on: [1]}}}
steps:
  a: {use: source/probe, with: {samples: 4}}
  b: {in: a}
  s: {use: metric/probe_mean, in: {result: b}}
YAML
printf 'entry: mine\nb: {use: annotation/probe_pass, with: {level: 2}}\n' >mine.yaml
board() { momap leaderboard "$1" "${@:2}" --plugins "$probes"; }
expect 3 board run board.yaml --entry mine.yaml -o out; says mine; says "failed: exit code 1"; says "segmentation fault"
expect 0 board check board.yaml out/results.json --entry mine.yaml --share 1; says "2 run again with the same scores"
sed 's/"version": 1,/"version": 2,/' out/results.json >other.json
expect 3 board check board.yaml other.json --entry mine.yaml; says "protocol version 2; the board has 1"
expect 3 momap leaderboard show out/results.json other.json; says "never compared"
echo '{' >broken.json; expect 3 momap leaderboard show broken.json; says "broken.json"
sed 's/samples: 4$/samples: 4\n  open_files: 3/; /crash:/d' board.yaml >few.yaml
expect 3 board run few.yaml -o few; says "Too many open files"
# Ranked by speed: what sleeps is slower; a rerun does not have to take the same time.
sed 's/rank_by: s.mean/rank_by: speed.time_ratio/; s/crash_on: \[1\]/sleep_ms: 60/' board.yaml >speed.yaml
expect 0 board run speed.yaml -o speed --format csv; says "1,zero,1,"
[[ $out == *$'\n2,crash,'* ]] || fail "the slower one is not second: $out"
expect 0 board check speed.yaml speed/results.json --share 1; says "2 run again with the same scores"
sed 's/speed_samples: 1/speed_samples: 0/' speed.yaml >slip.yaml
expect 2 board run slip.yaml -o slip; says "speed_samples = 0 measures no speed"
sed 's/rank_by: s.mean/rank_by: s.mean\n  baselin: x/' board.yaml >slip.yaml
expect 2 board run slip.yaml -o slip; says "did you mean 'baseline'"; [[ ! -e slip ]]
expect 2 board run board.yaml -o out; says "never overwritten"
