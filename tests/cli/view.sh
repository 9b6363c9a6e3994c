# SPDX-License-Identifier: Apache-2.0
# `momap view`: the page's points are the run's MoMaps within half a step of rounding, its colours those of the picture.
cat >graph.yaml <<'END'
seed: 1
steps:
  world: {use: source/synthetic, with: {split: val, count: 2, size: [64, 48], frames: 5}}
  truth: {use: extraction/oracle, in: world}
  clip: {use: output/safetensors, in: {value: world}}
  movie: {use: output/video, in: {value: world}}
  map: {use: output/safetensors, in: {value: truth}}
END
cat >check.py <<'END'
import base64, json, math, struct, sys

def tensors(path):
    data = open(path, "rb").read()
    length, = struct.unpack_from("<Q", data)
    head = json.loads(data[8:8 + length])
    return {name: (t["shape"], data[8 + length + t["data_offsets"][0]:8 + length + t["data_offsets"][1]])
            for name, t in head.items() if name != "__metadata__"}

def check(script, map_file, clip_file, most):
    text = open(script).read()
    view = json.loads(text[text.index(",") + 1:text.rindex(")")])
    head = view["head"]
    kept = tensors(map_file)
    (frames, height, width, _), raw = kept["xyz"]
    xyz, valid, visible = memoryview(raw).cast("f"), kept["valid"][1], kept["visible"][1]
    s = head["lattice_px"]
    rows = [int(k * s) for k in range(height) if int(k * s) < height]
    columns = [int(k * s) for k in range(width) if int(k * s) < width]
    pixels = [y * width + x for y in rows for x in columns if valid[y * width + x]]
    assert head["frames"] == frames and head["size"] == [width, height], head
    assert head["valid"] == sum(valid) and len(pixels) == head["points"] <= most, (len(pixels), head, most)
    assert len(pixels) > 0.8 * min(most, sum(valid)), "fewer points than asked for"
    for t in range(frames):
        steps = struct.unpack(f"<{3 * len(pixels)}H", base64.b64decode(view["xyz"][t]))
        seen = base64.b64decode(view["visible"][t])
        for i, pixel in enumerate(pixels):
            assert seen[i // 8] >> (i % 8) & 1 == visible[t * height * width + pixel], (t, pixel, "visible")
            for a in range(3):
                there = head["least"][a] + head["step"][a] * steps[3 * i + a]
                off = abs(there - xyz[3 * (t * height * width + pixel) + a])
                assert off <= 0.5001 * head["step"][a], (t, pixel, a, off, head["step"])
    assert all(step < 0.01 for step in head["step"]), head["step"]
    rgb, frames_of_clip = base64.b64decode(view["rgb"]), tensors(clip_file)["frames"][1]
    for i, pixel in enumerate(pixels):
        assert rgb[3 * i:3 * i + 3] == frames_of_clip[3 * pixel:3 * pixel + 3], (pixel, "colour")

check(*sys.argv[1:4], int(sys.argv[4]))
END
expect 0 momap run graph.yaml -o run -q
expect 0 momap view run; says "run/view.html"
samples=(run/map/*.safetensors)
# Maps of step `clip` (what the data set knows to be true) come first, one a sample.
expect 0 python3 check.py run/view.data/2.js "${samples[0]}" "run/clip/$(basename "${samples[0]}")" 40000
expect 0 python3 check.py run/view.data/3.js "${samples[1]}" "run/clip/$(basename "${samples[1]}")" 40000
expect 0 python3 check.py run/view.data/0.js "${samples[0]}" "run/clip/$(basename "${samples[0]}")" 40000
grep -q '"url":"movie/' run/view.html || fail "the page does not show the run's video"

expect 0 momap view run -o elsewhere --points 300
expect 0 python3 check.py elsewhere/view.data/2.js "${samples[0]}" "run/clip/$(basename "${samples[0]}")" 300
grep -q '"url":"../run/movie/' elsewhere/view.html || fail "the page elsewhere does not link the run's video"
cp -r elsewhere before; expect 0 momap view run -o elsewhere --points 300
diff -r before elsewhere || fail "another view of the same run has other bytes"
nothing_left run; nothing_left elsewhere

sed -i '/clip:/d; s/map: .*/depth: {use: output\/image, in: {value: truth}, with: {picture: depth}}/' graph.yaml
expect 0 momap run graph.yaml -o without -q
expect 2 momap view without
says "without: holds no MoMap; add this step to its graph"
says "momap_safetensors: {use: output/safetensors, in: {value: truth}}"
expect 2 momap view nowhere; says "nowhere: there is no such file or folder"
mkdir empty; expect 2 momap view empty; says "holds no run.json"
expect 2 momap view run --points 0; says "--points"
truncate -s 100 "${samples[0]}"; expect 2 momap view run; says "$(basename "${samples[0]}")"
