# SPDX-License-Identifier: Apache-2.0
# Encodings that learn, from the command line: curves and a network from synthetic worlds, then a denoiser on what they
# give, with losses on decoded motion.
world='{use: source/synthetic, with: {split: train, count: 6, size: [48, 64], frames: 6, futures: 2, painted: first}}'
cat >curves.yaml <<END
seed: 1
steps:
  world: $world
  truth: {use: extraction/oracle, in: world}
  encode: {use: encoding/svd, in: truth}
train: {encoding: encode, condition: world, futures: 2, measured: 6}
END
cat >network.yaml <<END
seed: 1
steps:
  world: $world
  truth: {use: extraction/oracle, in: world}
  encode: {use: encoding/vae, in: truth, with: {coefficients: 3, channels: 2, width: 16}}
train: {encoding: encode, condition: world, futures: 2, steps: 6, batch: 4, micro_batch: 2, save_every: 2}
END
expect 0 momap train curves.yaml -o curves --threads 1; says "curves/model.safetensors"
expect 0 momap train curves.yaml -o again --threads 2
cmp curves/model.safetensors again/model.safetensors || fail "curves depend on the number of threads"

expect 0 momap train network.yaml -o network --threads 1
momap train network.yaml -o killed >log 2>&1 &
pid=$!
for _ in $(seq 600); do [[ -e killed/state.safetensors ]] && break; sleep 0.05; done
kill -9 "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true
expect 0 momap train network.yaml -o killed --threads 2
cmp network/model.safetensors killed/model.safetensors || fail "weights differ after a kill"

cat >denoiser.yaml <<END
seed: 1
steps:
  world: $world
  truth: {use: extraction/oracle, in: world}
  encode: {use: encoding/svd, in: truth, with: {weights: curves/model.safetensors, curves: 3, stride: 8}}
  seen: {use: encoding/vae, in: truth, with: {weights: network/model.safetensors}}
  dit: {use: backbone/dit, with: {width: 32, layers: 1, heads: 2, prediction: flow}}
train:
  {backbone: dit, latent: encode, condition: world, perceptual_network: seen, futures: 2, steps: 4, batch: 4,
   decoded_l1: 1, perceptual: 1}
END
expect 0 momap train denoiser.yaml -o denoiser
cat >generate.yaml <<END
steps:
  world: $world
  dit: {use: backbone/dit, with: {weights: denoiser/model.safetensors}}
  sample: {use: sampling/euler, in: {backbone: dit, condition: world}, with: {samples: 2, steps: 2}}
  decode: {use: encoding/svd, reverse: true, in: {latent: sample, condition: world},
           with: {weights: curves/model.safetensors, curves: 3, stride: 8}}
  energy: {use: metric/energy_score, in: {samples: decode, reference: world}}
END
expect 0 momap run generate.yaml -o generated; says "energy"

grep -v " seen: " denoiser.yaml | sed 's/perceptual_network: seen, //' >no_network.yaml
expect 2 momap train no_network.yaml -o bad; says "needs an encoding that has a network"
expect 2 momap train curves.yaml -o bad --set steps.encode.use=encoding/dct; says "this encoding has nothing to learn"
nothing_left .
