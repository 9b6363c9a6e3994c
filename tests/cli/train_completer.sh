# SPDX-License-Identifier: Apache-2.0
# Teaching a completer through the command line: killed with -9 and started again it ends with the same weights, the
# checkpoint can be used, and recipes that cannot be are refused.
cat >recipe.yaml <<'END'
seed: 3
steps:
  world: {use: source/synthetic, with: {split: train, count: 8, size: [64, 64], frames: 3, camera: static}}
  truth: {use: extraction/oracle, in: world}
  holes: {use: warping/cutout, in: {image: world, momap: truth}, with: {radius_px: 12}}
  warp: {use: warping/point_splat, in: {image: world, momap: truth}}
  inpaint: {use: completion/unet_inpaint, in: holes, with: {width: 8, levels: 2, crop_px: 48}}
train:
  completer: inpaint
  examples: {holes: world, warp: world}
  steps: 40
  batch: 4
  save_every: 5
END
expect 0 momap train recipe.yaml -o straight; says "16 examples of 2 kind(s)"
momap train recipe.yaml -o killed >log 2>&1 &
pid=$!
for _ in $(seq 600); do [[ -e killed/state.safetensors ]] && break; sleep 0.05; done
kill -9 "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true
expect 0 momap train recipe.yaml -o killed
cmp straight/model.safetensors killed/model.safetensors || fail "weights differ after a kill"

cat >use.yaml <<'END'
steps:
  world: {use: source/synthetic, with: {split: val, count: 1, size: [64, 64], frames: 3, camera: static}}
  truth: {use: extraction/oracle, in: world}
  warp: {use: warping/point_splat, in: {image: world, momap: truth}}
  complete: {use: completion/unet_inpaint, in: warp, with: {weights: straight/model.safetensors}}
  psnr: {use: metric/psnr, in: {result: complete, reference: world}}
END
expect 0 momap run use.yaml -o used

expect 2 momap train recipe.yaml -o a --set train.completer=warp; says "step 'inpaint' is not used"
expect 2 momap train recipe.yaml -o c --set inpaint.use=completion/pull_push --set 'inpaint.with={}'; says "nothing to learn"
expect 2 momap train recipe.yaml -o d --set train.l1=1; says "l1"
expect 2 momap train recipe.yaml -o e --set train.examples.warp=truth; says "is not a step that gives a clip"
