# SPDX-License-Identifier: Apache-2.0
# A plugin that throws or crashes while a graph runs: named, exit code 1, what was finished is kept.
probes=$MOMAP_BUILD/tests/probes
graph() { printf 'steps:\n  a: {use: source/probe, with: {samples: 8}}\n  b: {use: annotation/probe_pass, in: a, with: {%s}}\n  o: {use: output/probe_text, in: {value: b}}\n' "$1" >g.yaml; }
graph 'crash_on: [4]'; expect 1 momap run g.yaml --plugins "$probes" --threads 1 -o crash
says "step 'b' (annotation/probe_pass"; says "on sample 's4'"; says "segmentation fault"
[[ -e crash/o/s3.txt && ! -e crash/o/s4.txt && ! -e crash/run.json ]] || fail "wrong files: $(find crash)"
graph 'throw_on: [4]'; expect 1 momap run g.yaml --plugins "$probes" -o throw; says "sample 's4': told to throw (this is a bug of the plugin)"
graph 'fail_on: [4]'; expect 3 momap run g.yaml --plugins "$probes" -o stop; says "sample 's4', step 'b': told to fail"
expect 3 momap run g.yaml --plugins "$probes" --keep-going -o go; says "7 of 8 samples done, 1 failed"
[[ $(find go/o -name '*.txt' | wc -l) == 7 ]] || fail "expected 7 files"
graph ''; expect 0 momap run g.yaml --plugins "$probes" -o good
expect 0 momap explain g.yaml --plugins "$probes"; says "cached"
expect 2 momap run g.yaml --plugins nowhere; says "plugin folder 'nowhere' does not exist"
# Twice the same id is refused by name, everything else still works.
cp -r "$MOMAP_BUILD/tests/probe_twin" twin
expect 2 momap run g.yaml --plugins "$probes" --plugins twin -o twice; says "stands in two libraries"
# Broken libraries do not stop the good ones.
mkdir mixed; cp "$probes/probes.so" "$MOMAP_BUILD"/tests/broken_constructor/*.so "$MOMAP_BUILD"/tests/old_abi/*.so mixed; echo x >mixed/text.so
expect 2 momap plugins list --plugins mixed; says "source/probe"; says "crashed while being loaded"; says "plugin ABI 0"; says "no ELF header"
expect 0 momap run g.yaml --plugins mixed -o mixed-out; says "warning: plugin library not used"
expect 2 momap plugins check mixed/broken_constructor.so; says "crashed while being loaded"
