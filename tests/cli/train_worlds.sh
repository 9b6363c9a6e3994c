# SPDX-License-Identifier: Apache-2.0
# Training straight from synthetic worlds: the same bytes for any number of threads and after a kill, validation by
# metrics, and samples that cannot be made.
cat >recipe.yaml <<'END'
seed: 1
steps:
  world: {use: source/synthetic, with: {split: train, count: 6, size: [48, 64], frames: 6, futures: 2, painted: first}}
  truth: {use: extraction/oracle, in: world}
  encode: {use: encoding/dct, in: truth, with: {coefficients: 3, stride: 8}}
  unet: {use: backbone/unet, with: {width: 8, levels: 2, detail: 4, prediction: x0}}
train: {backbone: unet, latent: encode, condition: world, futures: 2, steps: 24, batch: 4, micro_batch: 2, save_every: 4}
END
cat >validate.yaml <<'END'
steps:
  world: {use: source/synthetic, with: {split: val, count: 1, size: [48, 64], frames: 6, futures: 2, painted: first}}
  unet: {use: backbone/unet}
  sample: {use: sampling/ddim, in: {backbone: unet, condition: world}, with: {samples: 2, steps: 2}}
  decode: {use: encoding/dct, reverse: true, in: {latent: sample, condition: world}, with: {coefficients: 3, stride: 8}}
  energy: {use: metric/energy_score, in: {samples: decode, reference: world}}
END
expect 0 momap train recipe.yaml --threads 1 -o one
expect 0 momap train recipe.yaml --threads 2 -o two --set train.validation=validate.yaml --set train.validate_every=12 \
  --set train.keep_best=energy.energy_score
cmp one/model.safetensors two/model.safetensors || fail "weights depend on the number of threads"
[[ -e two/loss.png && -e two/best.safetensors ]] || fail "no curve or best checkpoint"
[[ $(grep -c energy.energy_score two/validation.csv) == 2 ]] || fail "expected two validations"

momap train recipe.yaml -o killed >log 2>&1 &
pid=$!
for _ in $(seq 600); do [[ -e killed/state.safetensors ]] && break; sleep 0.05; done
kill -9 "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true
echo garbage >killed/examples/00000000.safetensors
echo half >killed/.tmp-1-1-model.safetensors  # as when the kill came while a checkpoint was written
expect 0 momap train recipe.yaml -o killed
cmp one/model.safetensors killed/model.safetensors || fail "weights differ after a kill"
expect 2 flock killed/lock momap train recipe.yaml -o killed; says "killed: another process is working on it"

expect 3 momap train recipe.yaml -o more --set train.futures=3; says "the clip has 2 true futures, 3 are asked for"
expect 2 momap train recipe.yaml -o best --set train.keep_best=energy.energy_score; says "needs a 'validation' graph"
expect 2 momap train recipe.yaml -o wrong --set train.validation=validate.yaml --set train.keep_best=energie.x
says "has no step 'energie'"
expect 2 momap train recipe.yaml -o key --set train.valid_every=3; says "valid_every"
nothing_left .
