# SPDX-License-Identifier: Apache-2.0
# Broken graphs: refused before anything runs, with exit code 2 and the reason.
expect 2 momap validate missing.yaml; says "missing.yaml: cannot be opened"
: >empty.yaml; expect 2 momap validate empty.yaml; says "a graph is a mapping with 'steps'"
printf '\xff\xfe\x00garbage\x01' >binary.yaml; expect 2 momap validate binary.yaml
head -c 10000 /dev/zero | tr '\0' '[' >deep.yaml; expect 2 momap validate deep.yaml; says "nested deeper than"
for i in $(seq 10000); do printf '%*sa:\n' "$i" ''; done >stairs.yaml; expect 2 momap validate stairs.yaml; says "error"
{ echo 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]'
  for i in $(seq 1 12); do printf 'a%d: &a%d [' "$i" "$i"; for _ in $(seq 10); do printf '*a%d, ' $((i - 1)); done; echo ']'; done
} >bomb.yaml; expect 2 momap validate bomb.yaml; says "more than 200000 values"
mkdir folder.yaml; expect 2 momap validate folder.yaml; says "is a folder"
head -c 20000000 /dev/zero | tr '\0' '#' >huge.yaml; expect 2 momap validate huge.yaml; says "larger than"
printf 'steps: {v: {use: source/vido}}\n' >slip.yaml; expect 2 momap run slip.yaml; says "did you mean 'source/video'"
expect 2 momap validate; expect 2 momap nonsense
expect 0 momap validate "$MOMAP_SOURCE/configs/graphs/demo_video.yaml"; says "no problem found"
expect 2 momap validate "$MOMAP_SOURCE/configs/graphs/demo_video.yaml" --set encode.with.coeficients=3
says "did you mean 'coefficients'"
expect 0 momap graph "$MOMAP_SOURCE/configs/graphs/demo_video.yaml"; says '"extract" -> "encode" [label="momap"]'
