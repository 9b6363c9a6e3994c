# SPDX-License-Identifier: Apache-2.0
# Runs the guides: a block "```yaml FILE" or "```cpp FILE" is written to FILE, a block "```sh" is run.
for guide in "$MOMAP_SOURCE"/docs/guides/*.md; do
  mkdir "$(basename "$guide" .md)"; cd "$(basename "$guide" .md)"
  awk -v n=0 '
    /^```sh$/ { file = sprintf("run-%03d.sh", ++n); print "set -euo pipefail" >file; inside = 1; next }
    /^```(yaml|cpp) / { file = $2; printf "" >file; inside = 1; next }
    /^```/ { if (inside) close(file); inside = 0; next }
    inside { print >file }' "$guide"
  for script in run-*.sh; do
    bash "$script" >"$script.log" 2>&1 || { cat "$script" "$script.log" >&2; fail "$(basename "$guide"): $script"; }
  done
  cd ..
done
