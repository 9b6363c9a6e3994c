# SPDX-License-Identifier: Apache-2.0
# Completion: what `momap complete` offers, and that the bash script hands it over.
offers() { # offers "WORDS" WORD...: each WORD is offered after WORDS (a trailing space begins a new word)
  local -a words=($1)
  [[ $1 == "" || $1 == *" " ]] && words+=("")
  expect 0 momap complete -- "${words[@]}"; shift
  local word
  for word in "$@"; do grep -qx -- "$word\(	.*\)\?" <<<"$out" || { printf '%s\n' "$out" >&2; fail "not offered: $word"; }; done
}
only() { [[ $(cut -f1 <<<"$out" | paste -sd' ') == "$1" ]] || { printf '%s\n' "$out" >&2; fail "expected only: $1"; }; }

# Every command that help names, and none of those it hides.
momap --help >help
offers "" $(awk '/^Subcommands:/ { inside = 1; next } inside && /^  [a-z]/ { print $1 }' help) run plugins completion
[[ $out != *describe-libraries* ]] || fail "offers what help hides"
offers "ru"; only run
offers "plugins " list describe check new docs
offers "plugins de"; only describe
offers "plugins describe warping/po" warping/point_splat
offers "plugins describe x --format " text json markdown json-schema
offers "plugins describe x --format = js"; only "json json-schema"
offers "completion "; only "bash zsh fish"
offers "run --keep"; only --keep-going
offers "run g.yaml --set a=1 --thr"; only --threads
offers "run "; only :files
offers "run g.yaml --threads 2 -o "; only :folders
offers "run g.yaml "; only ""
offers "compare runs/a "; only :folders
offers "view "; only :folders
offers "view runs/a --po"; only --points
offers "nonsense --"; only "--help --version"

eval "$(momap completion bash)"
compopt() { :; }  # only works while bash completes
touch graph.yaml; mkdir graphs
bash_offers() {
  COMP_WORDS=(momap "${@:2}")
  COMP_CWORD=$(($# - 1))
  _momap
  local got; got=$(printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | paste -sd' ')
  [[ $got == "$1" ]] || fail "bash offers '$got', expected '$1'"
}
bash_offers validate vali
bash_offers "graph.yaml graphs" run gra
bash_offers graphs run g.yaml -o gra
for shell in zsh fish; do
  momap completion $shell >script
  grep -q "bin/momap' complete" script || fail "the script for $shell does not call momap"
  if command -v $shell >/dev/null; then $shell -n script || fail "the script for $shell has bad syntax"; fi
done
expect 2 momap completion tcsh
