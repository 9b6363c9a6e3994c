# SPDX-License-Identifier: Apache-2.0
# The checked-in plugin pages are what the plugins say of themselves.
expect 0 momap plugins docs pages
diff -r pages "$MOMAP_SOURCE/docs/plugins" || fail "docs/plugins is stale; run: momap plugins docs docs/plugins"
