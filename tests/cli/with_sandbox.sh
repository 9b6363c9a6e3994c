#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a test script in a fresh folder, with `momap` on PATH, a cache of its own and these helpers:
#   expect CODE COMMAND...   runs it; fails unless it exits with CODE; its output is in $out
#   says TEXT                fails unless $out contains TEXT
#   nothing_left DIR         fails when DIR holds files that were written aside and not renamed
set -euo pipefail
sandbox=$(mktemp -d)
trap 'chmod -R u+w "$sandbox" 2>/dev/null || true; rm -rf "$sandbox"' EXIT
export HOME=$sandbox/home MOMAP_CACHE_DIR=$sandbox/cache PATH=$MOMAP_BUILD/bin:$PATH
unset MOMAP_PLUGIN_PATH XDG_DATA_HOME
mkdir -p "$HOME" "$sandbox/work"
cd "$sandbox/work"

fail() { echo "FAILED: $*" >&2; exit 1; }
expect() {
  local code=$1 got=0; shift
  out=$("$@" 2>&1) || got=$?
  [[ $got == "$code" ]] || { printf '%s\n' "$out" >&2; fail "exit code $got, expected $code: $*"; }
}
says() { [[ $out == *"$1"* ]] || { printf '%s\n' "$out" >&2; fail "did not say: $1"; }; }
nothing_left() {
  local left; left=$(find "$1" -name '.tmp-*' 2>/dev/null || true)
  [[ -z $left ]] || fail "left behind: $left"
}
street=/usr/share/doc/opencv-doc/examples/data/vtest.avi
source "$1"
