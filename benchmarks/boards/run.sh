#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs boards of configs/leaderboards (default: all) and keeps what they say: results in benchmarks/boards/<board>.json,
# tables in docs/results/README.md, the best of each in README.md.   benchmarks/boards/run.sh [BOARD ...]
set -euo pipefail
cd "$(dirname "$0")/../.."
boards=("$@")
((${#boards[@]})) || mapfile -t boards < <(basename -s .yaml -a configs/leaderboards/*.yaml)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for board in "${boards[@]}"; do
  ./momap leaderboard run "configs/leaderboards/$board.yaml" -o "$work/$board"
  cp "$work/$board/results.json" "benchmarks/boards/$board.json"
done
{
  printf '# Results of the boards\n\nMade by `benchmarks/boards/run.sh`. Check one with\n'
  printf '`momap leaderboard check configs/leaderboards/<board>.yaml benchmarks/boards/<board>.json`.\n'
  for results in benchmarks/boards/*.json; do
    name=$(basename "$results" .json)
    printf '\n## [%s](../../configs/leaderboards/%s.yaml)\n\n' "$name" "$name"
    ./momap leaderboard show "$results" --format markdown
  done
} >"$work/README.md"
mv "$work/README.md" docs/results/README.md

# In README.md between two marks: first rank (more than one where they are tied) and baseline of each board.
{
  sed '/<!-- boards -->/q' README.md
  printf '| board | ranked by | first | baseline |\n|---|---|---|---|\n'
  for results in benchmarks/boards/*.json; do
    ./momap leaderboard show "$results" --format csv | awk -F, -v board="$(basename "$results" .json)" '
      NR == 1 { score = $3; next }
      $1 == 1 { first = first (first == "" ? "" : ", ") sprintf("%s %.4g", $2, $3) }
      /baseline"?$/ { baseline = sprintf("%s %.4g", $2, $3) }
      END { printf "| %s | `%s` | %s | %s |\n", board, score, first, baseline }'
  done
  printf '\n'
  sed -n '/<!-- end of boards -->/,$p' README.md
} >"$work/front.md"
mv "$work/front.md" README.md
