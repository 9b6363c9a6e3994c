#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What scheduling costs a sweep: wall time of 40 jobs beyond what the jobs themselves say they took, less the start of
# the program (a sweep of one job).   benchmarks/micro/sweep_overhead.sh [BUILD_FOLDER] [MILLISECONDS_A_JOB]
set -euo pipefail
build=$(realpath "${1:-build/release}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >graph.yaml <<'END'
steps:
  a: {use: source/probe, with: {samples: 1}}
  b: {use: annotation/probe_pass, in: a}
  s: {use: metric/probe_mean, in: {result: b}}
END
python3 - "$build" "${2:-300}" <<'END'
import glob, json, subprocess, sys, time

build, milliseconds = sys.argv[1:]

def run(jobs, at_once):
    levels = ", ".join(f"{0.1 * (k + 1):.1f}" for k in range(jobs))
    name = f"sweep-{jobs}-{at_once}"
    with open(f"{name}.yaml", "w") as file:
        file.write(f"base: graph.yaml\nsweep:\n  set: {{b.with.sleep_ms: {milliseconds}}}\n"
                   f"  grid: {{b.with.level: [{levels}]}}\n")
    begun = time.time()
    subprocess.run([f"{build}/bin/momap", "sweep", "run", f"{name}.yaml", "-o", name, "--plugins", f"{build}/tests/probes",
                    "--jobs", str(at_once), "--no-cache", "-q"], check=True)
    wall = time.time() - begun
    own = sum(json.load(open(path))["seconds"] for path in glob.glob(f"{name}/jobs/*/*/job.json"))
    return wall, own

wall, own = run(1, 1)
start = wall - own
for at_once in (1, 2):
    wall, own = run(40, at_once)
    bare = own / at_once
    cost = wall - start - bare
    print(f"{at_once} at once: 40 jobs of {own / 40:.3f} s: {wall - start:.2f} s after the start ({start:.2f} s), "
          f"{1000 * cost * at_once / 40:.0f} ms a job, {100 * cost / bare:.1f} %")
END
