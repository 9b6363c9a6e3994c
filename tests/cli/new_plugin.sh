# SPDX-License-Identifier: Apache-2.0
# Against the installed tree: write a plugin, build it with the three commands it names, check it, use it in a graph.
cmake --install "$MOMAP_BUILD" --prefix "$PWD/install" >install.log || { cat install.log >&2; fail "install"; }
export PATH=$PWD/install/bin:$PATH
[[ $(command -v momap) == "$PWD/install/bin/momap" ]]
expect 0 momap plugins list; says "warping/point_splat"
expect 0 momap plugins new warping/my_warp
lines=$(grep -c . my_warp/my_warp.cpp); ((lines <= 45)) || fail "the minimal plugin has $lines lines"
build_commands=$(printf '%s\n' "$out" | sed -n 's/^  \(cmake .*\)/\1/p')
[[ $(printf '%s\n' "$build_commands" | wc -l) == 2 ]] || fail "expected two cmake commands in: $out"
bash -euo pipefail -c "$build_commands" >build.log 2>&1 || { cat build.log >&2; fail "the plugin does not build"; }
expect 0 momap plugins check my_warp/build/my_warp.so; says "contract kept"
printf 'steps:\n  v: {use: source/image, with: {path: %s/docs/images/data_path.png, width: 64}}\n  d: {use: annotation/ground_plane, in: v}\n  e: {use: extraction/chained_flow, in: d}\n  w: {use: warping/my_warp, in: [v, e]}\n  c: {use: completion/telea, in: w}\n  o: {use: output/image, in: {value: c}}\n' "$MOMAP_SOURCE" >g.yaml
expect 2 momap validate g.yaml; says "no plugin 'warping/my_warp'"
expect 0 momap validate g.yaml --plugins my_warp/build
expect 0 momap run g.yaml --plugins my_warp/build -o out
[[ -n $(find out/o -name '*.png') ]] || fail "no picture was written"
MOMAP_PLUGIN_PATH=$PWD/my_warp/build expect 0 momap validate g.yaml
expect 2 momap plugins new wraping/x; says "did you mean 'warping'"
expect 2 momap plugins new warping/my_warp; says "exists already"
expect 2 momap plugins new warping/My-Warp; says "is not allowed"

# Every stage has a template that builds and keeps its contract.
mkdir all; stages=$(grep -o 'StageInfo{"[a-z]*' "$MOMAP_SOURCE/framework/include/momap/catalog/stages.h" | cut -d'"' -f2)
{ echo 'cmake_minimum_required(VERSION 3.25)'; echo 'project(all LANGUAGES CXX)'; echo 'find_package(momap REQUIRED)'
  for stage in $stages; do
    momap plugins new "$stage/fresh_$stage" --into all >/dev/null
    sed -n '/momap_add_plugin/p' "all/fresh_$stage/CMakeLists.txt" | sed "s#SOURCES #SOURCES fresh_$stage/#"
  done; } >all/CMakeLists.txt
cmake -S all -B all/build -G Ninja -DCMAKE_PREFIX_PATH="$PWD/install" >build.log 2>&1 || { cat build.log >&2; fail "configure"; }
cmake --build all/build >build.log 2>&1 || { tail -n 40 build.log >&2; fail "a template does not build"; }
expect 0 momap plugins check all/build/*.so; says "contract kept"
for stage in $stages; do says "$stage/fresh_$stage"; done
