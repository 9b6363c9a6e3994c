# SPDX-License-Identifier: Apache-2.0
# `momap report`: the page holds the figures of the results, of a run, a sweep, a leaderboard and a training, and copies
# of what it shows.
cat >graph.yaml <<'END'
seed: 1
steps:
  world: {use: source/synthetic, with: {split: val, count: 3, size: [48, 64], frames: 4, camera: static}}
  truth: {use: extraction/oracle, in: world}
  warp: {use: warping/point_splat, in: {image: world, momap: truth}}
  complete: {use: completion/pull_push, in: warp}
  psnr: {use: metric/psnr, in: {result: complete, reference: world}}
  movie: {use: output/video, in: {value: complete}}
  map: {use: output/safetensors, in: {value: truth}}
END
cat >sweep.yaml <<'END'
base: graph.yaml
sweep:
  grid: {warp.with.edge_tolerance: [0.05, 0.2], complete.use: [completion/pull_push, completion/telea]}
  seeds: [1, 2]
  baseline: {warp.with.edge_tolerance: 0.05, complete.use: completion/pull_push}
  show: [psnr.psnr_covered]
END
cat >board.yaml <<'END'
seed: 1
board:
  title: Small
  version: 3
  data: source/synthetic
  samples: 2
  open_steps: [warp]
  rank_by: psnr.psnr_covered
  baseline: splat
  entries:
    splat: {warp: {use: warping/point_splat}}
    mesh: {warp: {use: warping/mesh}}
steps:
  world: {use: source/synthetic, with: {split: test, count: 2, size: [48, 64], frames: 4, camera: static}}
  truth: {use: extraction/oracle, in: world}
  warp: {in: {image: world, momap: truth}}
  complete: {use: completion/pull_push, in: warp}
  psnr: {use: metric/psnr, in: {result: complete, reference: world}}
END
cat >check.py <<'END'
import json, os, re, sys
from urllib.parse import unquote

folder, kind = sys.argv[1:3]
html = open(f"{folder}/report.html", encoding="utf-8").read()
report = json.loads(re.search(r"<script>const momapReport = (.*?);</script>", html, re.S).group(1))
assert report["kind"] == kind, report["kind"]
files = [figure["url"] for row in report["rows"] for figure in row.get("figures", [])]
files += [row["view"] for row in report["rows"] if "view" in row]
for url in files:
    path = os.path.join(folder, unquote(url))
    assert os.path.isfile(path), path
    if "--copied" in sys.argv:
        assert os.path.realpath(path).startswith(os.path.realpath(folder) + "/"), path

def lines(path):
    return [json.loads(line) for line in open(path)]

def mean(values):
    return sum(values) / len(values)

if kind == "run":
    row, = report["rows"]
    own = {}
    for line in lines("run/scores.jsonl"):
        for score in line["scores"]:
            if score["name"] == "psnr_covered" and score.get("value") is not None:
                own[line["sample"]] = score["value"]
    score = row["scores"]["psnr.psnr_covered"]
    assert {s[0]: s[3] for s in score["samples"]} == own and len(own) == 3, (score, own)
    assert abs(score["mean"][0] - mean(own.values())) < 1e-9
    assert score["mean"][1] <= score["mean"][0] <= score["mean"][2]
    assert len([f for f in row["figures"] if f["step"] == "movie"]) == 3 and "view" in row
    by = report["scores"][0]  # the sample with the worst value comes first
    first = {s[0]: s[3] for s in row["scores"][by["key"]]["samples"]}
    assert row["figures"][0]["sample"] == (min if by["higher"] else max)(first, key=first.get)
elif kind == "sweep":
    assert [s["key"] for s in report["scores"]] == ["psnr.psnr_covered"]
    assert len(report["rows"]) == 4
    for row in report["rows"]:
        samples = row["scores"]["psnr.psnr_covered"]["samples"]
        assert len(samples) == 6 and {s[2] for s in samples} == {"1", "2"}, samples
    assert [row.get("remarks") for row in report["rows"]].count(["baseline"]) == 1
elif kind == "leaderboard":
    results = json.load(open("board/results.json"))
    assert [row["name"] for row in report["rows"]] == [
        row["entry"] for row in sorted(results["rows"], key=lambda row: row["rank"])]
    if "--pictures" in sys.argv:
        assert all({f["step"] for f in row["figures"]} == {"show_complete"} and len(row["figures"]) == 2
                   for row in report["rows"]), report["rows"][0]["figures"]
elif kind == "training":
    curves = {curve["name"]: curve["points"] for curve in report["curves"]}
    assert curves["loss"] == [[20, 0.5], [40, 0.25]], curves
    assert curves["validation: energy.energy_score"] == [[40, 0.1]], curves
END
expect 0 momap run graph.yaml -o run -q
expect 0 momap report run
expect 0 python3 check.py run run
expect 0 momap report run -o page --samples 2
[[ $(find page -name '*.mp4' | wc -l) == 2 ]] || fail "--samples 2 copies $(find page -name '*.mp4' | wc -l) videos"
expect 0 momap report run -o copies
expect 0 python3 check.py copies run --copied

expect 0 momap sweep run sweep.yaml -o sweep -q
expect 0 momap report sweep -o sweep_page
expect 0 python3 check.py sweep_page sweep --copied

expect 0 momap leaderboard run board.yaml -o board -q
expect 0 momap report board
expect 0 python3 check.py board leaderboard
expect 0 momap report board --pictures -o board_page -q
expect 0 python3 check.py board_page leaderboard --copied --pictures
cp board/results.json alone.json
expect 0 momap report alone.json -o alone_page
expect 0 python3 check.py alone_page leaderboard

mkdir training
printf 'step,loss,learning_rate,items_per_second\n20,0.5,1e-3,10.0\n40,0.25,1e-3,10.0\n60,0.' >training/loss.csv
printf 'step,score,mean,samples\n40,energy.energy_score,0.1,8\n' >training/validation.csv
expect 0 momap report training --tensorboard events
expect 0 python3 check.py training training
# The event file by its own description: records with their CRC-32C, messages of protocol buffers.
cat >events.py <<'END'
import glob, struct, sys

def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    crc ^= 0xffffffff
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff

def records(data):
    while data:
        length, check = struct.unpack_from("<QI", data)
        assert crc32c(data[:8]) == check
        body = data[12:12 + length]
        assert struct.unpack_from("<I", data, 12 + length)[0] == crc32c(body)
        yield body
        data = data[16 + length:]

def varint(data):
    value = shift = 0
    for n, byte in enumerate(data):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, data[n + 1:]

def fields(data):
    out = {}
    while data:
        key, data = varint(data)
        wire = key & 7
        if wire == 0:
            value, data = varint(data)
        elif wire == 2:
            size, data = varint(data)
            value, data = data[:size], data[size:]
        else:
            size = {1: 8, 5: 4}[wire]
            value, data = data[:size], data[size:]
        out[key >> 3] = value
    return out

def scalars(folder):
    file, = glob.glob(f"{folder}/events.out.tfevents.*")
    first, *rest = [fields(record) for record in records(open(file, "rb").read())]
    assert first[3] == b"brain.Event:2" and len(first[1]) == 8
    for event in rest:
        value = fields(fields(event[5])[1])
        yield value[1].decode(), event[2], struct.unpack("<f", value[2])[0]

curves = list(scalars("events/curves"))
assert ("loss", 20, 0.5) in curves and ("loss", 40, 0.25) in curves, curves
assert any(tag == "validation: energy.energy_score" and step == 40 for tag, step, _ in curves)
board = list(scalars("board_events/mesh"))
assert [tag for tag, _, _ in board] == ["psnr.psnr_covered"] and 10 < board[0][2] < 60, board
END
expect 0 momap report board --tensorboard board_events
expect 0 python3 events.py

mkdir empty
expect 2 momap report empty
says "empty: holds no results; expected the folder of a finished run, a sweep, a leaderboard or a training"
expect 2 momap report nowhere
says "nowhere: does not exist"
echo '{' >broken.json
expect 3 momap report broken.json
says "broken.json"
