# SPDX-License-Identifier: Apache-2.0
# Runs the guides from top to bottom: a block "```sh" is run, a block "```yaml FILE" or "```cpp FILE" is written to FILE.
# Blocks of other kinds show something that is not whole; every guide has one that is run.
for guide in "$MOMAP_SOURCE"/docs/guides/*.md; do
  name=$(basename "$guide" .md)
  awk '
    BEGIN { print "set -euo pipefail" }
    /^```sh$/ { inside = "sh"; next }
    /^```(yaml|cpp) / { inside = "file"; print "cat >" $2 " <<\"END-OF-BLOCK\""; next }
    /^```/ { if (inside == "file") print "END-OF-BLOCK"; inside = ""; next }
    inside != "" { print }' "$guide" >"$name.sh"
  grep -q momap "$name.sh" || fail "$name: no block to run"
  mkdir "$name"
  (cd "$name" && bash -x "../$name.sh" >../log 2>&1) || { tail -n 40 log >&2; fail "$name"; }
done
