# SPDX-License-Identifier: Apache-2.0
# Ctrl-C at any time: exit code 130, finished work kept, nothing half-written.
[[ -e $street ]] || { echo "skipped: $street is absent (apt install opencv-doc)"; exit 77; }
printf 'steps:\n  v: {use: source/video, with: {path: %s, frames: 4, width: 192}}\n  o: {use: output/video, in: {value: v}}\n' "$street" >g.yaml
for delay in 0.3 0.8 1.5 2.5; do
  rm -rf out
  set -m
  momap run g.yaml --threads 1 -o out >log 2>&1 &
  pid=$!
  sleep "$delay"
  kill -INT "$pid" 2>/dev/null || true
  code=0; wait "$pid" || code=$?
  set +m
  # Before the handler stands the process dies of the signal itself: 130 as well; a run that was over already: 0.
  [[ $code == 130 || $code == 0 ]] || { cat log >&2; fail "after $delay s: exit code $code"; }
  [[ ! -e out ]] || nothing_left out
  if [[ -e out/run.json ]]; then
    done_files=$(find out -name '*.mp4' | wc -l)
    grep -q "\"done\": $done_files," out/run.json || fail "run.json and the files differ: $done_files files, $(grep '"done"' out/run.json)"
  fi
done
