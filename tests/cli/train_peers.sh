# SPDX-License-Identifier: Apache-2.0
# Two processes that train one network together: the weights of one process with the whole batch, a lost process named and
# what was done kept, and environments that make no sense.
cat >recipe.yaml <<'END'
seed: 1
steps:
  world: {use: source/synthetic, with: {split: train, count: 6, size: [48, 64], frames: 6, futures: 2, painted: first}}
  truth: {use: extraction/oracle, in: world}
  encode: {use: encoding/dct, in: truth, with: {coefficients: 3, stride: 8}}
  unet: {use: backbone/unet, with: {width: 8, levels: 2, prediction: x0, storage: f32}}
train: {backbone: unet, latent: encode, condition: world, futures: 2, steps: 12, batch: 6, micro_batch: 3, save_every: 4, report_every: 1}
END
export MASTER_PORT=$((20000 + RANDOM % 20000))
together() { env MASTER_ADDR=127.0.0.1 WORLD_SIZE=2 RANK="$1" momap train recipe.yaml "${@:2}"; }
same_weights() {
  /usr/bin/python3 - "$@" <<'END'
import array, json, struct, sys

def weights(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    return {name: array.array("f", data[8 + size + t["data_offsets"][0] : 8 + size + t["data_offsets"][1]])
            for name, t in header.items() if name != "__metadata__"}

one, two = weights(sys.argv[1]), weights(sys.argv[2])
assert one.keys() == two.keys()
worst = max(abs(a - b) for name in one for a, b in zip(one[name], two[name]))
largest = max(abs(a) for name in one for a in one[name])
assert worst <= 2e-5 * largest, f"weights differ by {worst}, largest {largest}"
END
}

expect 0 momap train recipe.yaml -o one --threads 1
together 1 -o two --threads 1 >second.log 2>&1 &
second=$!
expect 0 together 0 -o two --threads 1; says "12 steps"
wait "$second" || { cat second.log; fail "the second process failed"; }
[[ ! -s second.log ]] || { cat second.log; fail "the second process talks"; }
same_weights one/model.safetensors two/model.safetensors || fail "two processes gave other weights than one"

together 1 -o lost --set train.steps=100000 >second.log 2>&1 &
second=$!
together 0 -o lost --set train.steps=100000 >first.log 2>&1 &
first=$!
for _ in $(seq 600); do [[ -e lost/state.safetensors ]] && break; sleep 0.05; done
pkill -9 -P "$second" 2>/dev/null || true; kill -9 "$second" 2>/dev/null || true; wait "$second" 2>/dev/null || true
got=0; wait "$first" || got=$?
[[ $got == 2 ]] || { cat first.log; fail "exit code $got after a process was lost, expected 2"; }
grep -q "rank 0 of 2 lost one of the others" first.log || { cat first.log; fail "did not say that a process was lost"; }
grep -q "lost/state.safetensors holds what was done: start all again to go on" first.log || { cat first.log; fail "does not say how to go on"; }
# One process goes on from there.
timeout -s INT 20 momap train recipe.yaml -o lost --set train.steps=100000 >alone.log 2>&1 &
alone=$!
stopped=$(sed -n 's/.*stops after step \([0-9]*\),.*/\1/p' first.log)
for _ in $(seq 300); do [[ $(tail -n 1 lost/loss.csv | cut -d, -f1) -gt $stopped ]] && break; sleep 0.05; done
kill -INT "$alone" 2>/dev/null || true; wait "$alone" || true
[[ $(tail -n 1 lost/loss.csv | cut -d, -f1) -gt $stopped ]] || { cat alone.log; fail "did not go on from step $stopped"; }

expect 2 env MASTER_ADDR=127.0.0.1 momap train recipe.yaml -o bad; says "RANK and WORLD_SIZE"
expect 2 env MASTER_ADDR=127.0.0.1 WORLD_SIZE=2 RANK=2 momap train recipe.yaml -o bad; says "RANK = '2' is not a number from 0 to 1"
expect 2 env WORLD_SIZE=2 RANK=0 momap train recipe.yaml -o bad; says "MASTER_ADDR"
expect 0 env MASTER_ADDR=127.0.0.1 WORLD_SIZE=1 RANK=0 momap train recipe.yaml -o single
