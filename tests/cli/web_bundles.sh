# SPDX-License-Identifier: Apache-2.0
# The viewer's script that is checked in was made from the sources beside it.
command -v node >/dev/null || { echo "skipped: no node"; exit 77; }
expect 0 node "$MOMAP_SOURCE/framework/app/web/hash.mjs"
