# SPDX-License-Identifier: Apache-2.0
# Files and folders without permission: exit code 2, the path and the reason. Root may read all, so it becomes nobody.
as_user=()
if [[ $EUID == 0 ]]; then
  command -v setpriv >/dev/null || { echo "skipped: root reads everything, and setpriv (util-linux) is absent"; exit 77; }
  as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chmod 755 "$sandbox" && chown -R 65534:65534 "$sandbox"
  "${as_user[@]}" test -x "$MOMAP_BUILD/bin/momap" -a -r "$MOMAP_SOURCE/configs" ||
    { echo "skipped: $MOMAP_BUILD is closed to other users"; exit 77; }
fi
# What this script makes belongs to the user it runs momap as.
mine() { "${as_user[@]}" "$@"; }
denied() { expect "$1" mine momap "${@:3}"; says "$2"; says "ermission denied"; }

mine mkdir plain closed shut
mine cp /usr/share/doc/opencv-doc/examples/data/fruits.jpg plain/photo.jpg 2>/dev/null ||
  { echo "skipped: fruits.jpg is absent (apt install opencv-doc)"; exit 77; }
mine cp plain/photo.jpg plain/secret.jpg && mine chmod 000 plain/secret.jpg
mine cp plain/photo.jpg closed/photo.jpg && mine chmod 000 closed
graph() { mine tee g.yaml >/dev/null <<<"steps: {p: {use: source/image, with: {path: $1}}, o: {use: output/image, in: {value: p}}}"; }

graph plain/photo.jpg; expect 0 mine momap run g.yaml -o out
graph plain/secret.jpg; denied 2 plain/secret.jpg run g.yaml -o out-secret
graph closed/photo.jpg; denied 2 closed/photo.jpg run g.yaml -o out-closed
[[ -z $(find . -path './out-*' -name '*.png' 2>/dev/null) ]] || fail "a result was written without its input"

graph plain/photo.jpg
mine cp g.yaml secret.yaml && mine chmod 000 secret.yaml
denied 2 secret.yaml run secret.yaml -o out-graph
denied 2 secret.yaml validate secret.yaml
mine chmod 555 shut; denied 2 shut/out run g.yaml -o shut/out
denied 2 closed run g.yaml -o out-plugins --plugins closed
denied 2 closed plugins list --plugins closed

# A library that cannot be read is reported and does not stop the others.
mine mkdir libraries && mine cp "$MOMAP_BUILD/lib/momap/plugins/completion/pull_push.so" libraries/closed.so
mine chmod 000 libraries/closed.so
expect 2 mine momap plugins list --plugins libraries; says "libraries/closed.so: cannot be read"; says "completion/pull_push"
expect 0 mine momap run g.yaml --plugins libraries -o out-others; says "libraries/closed.so"

# A cache that cannot be written costs only speed, and says so.
mine mkdir cache-shut && mine chmod 555 cache-shut
expect 0 mine env MOMAP_CACHE_DIR="$PWD/cache-shut" momap run g.yaml -o out-nocache
