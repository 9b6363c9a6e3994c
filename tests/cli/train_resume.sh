# SPDX-License-Identifier: Apache-2.0
# Training through the command line: killed with -9 and started again it ends with the same weights, bit for bit.
[[ -e $street ]] || { echo "skipped: $street is absent (apt install opencv-doc)"; exit 77; }
recipe=(momap train "$MOMAP_SOURCE/configs/models/street/recipe.yaml" --set video.with.clips=4 --set video.with.width=96
  --set video.with.frames=8 --set train.steps=60 --set train.batch=4 --set train.save_every=10 --set unet.with.width=16)
expect 0 "${recipe[@]}" -o straight
"${recipe[@]}" -o killed >log 2>&1 &
pid=$!
for _ in $(seq 600); do [[ -e killed/state.safetensors ]] && break; sleep 0.1; done
kill -9 "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true
expect 0 "${recipe[@]}" -o killed
cmp straight/model.safetensors killed/model.safetensors || fail "weights differ after a kill"
expect 2 momap train "$MOMAP_SOURCE/configs/models/street/recipe.yaml" --set train.stepz=3; says "did you mean 'steps'"
