# SPDX-License-Identifier: Apache-2.0
# `momap compare` on real runs: what differs, paired scores, and what it refuses.
probes=$MOMAP_BUILD/tests/probes
graph() { printf 'steps:\n  a: {use: source/probe, with: {samples: 12}}\n  b: {use: annotation/probe_%s, in: a}\n  s: {use: metric/probe_mean, in: {result: b}}\n' "$1" >g.yaml; }
graph pass; expect 0 momap run g.yaml --plugins "$probes" -o plain
graph noise; expect 0 momap run g.yaml --plugins "$probes" -o noisy
expect 0 momap run g.yaml --plugins "$probes" --set seed=5 -o again --samples 7

# Gray sample i has mean i, noise a mean near 100: every interval lies far above 0.
expect 0 momap compare plain noisy
says "b.use"; says "annotation/probe_pass"; says "annotation/probe_noise"; says "12  A better"
expect 0 momap compare noisy again
says "seed"; says "7  tied"; says "(5 samples without a pair)"
expect 0 momap compare noisy noisy/run.json; says "The graphs are the same"; says "tied"
expect 0 momap compare plain noisy --json
says '"pairs": 12'; says '"a": 5.5,'; says '"verdict": "A better"'

mkdir empty
expect 2 momap compare plain empty; says "empty: holds no run.json"
expect 2 momap compare plain nowhere; says "nowhere: there is no such file or folder"
expect 2 momap compare plain
printf 'steps:\n  a: {use: source/probe}\n  o: {use: output/probe_text, in: {value: a}}\n' >g.yaml
expect 0 momap run g.yaml --plugins "$probes" -o unscored
expect 2 momap compare plain unscored; says "have no score that can be compared"
head -c 100 plain/run.json >cut; mkdir broken; mv cut broken/run.json
expect 2 momap compare plain broken; says "broken/run.json: is not what a run writes"
