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
expect 0 momap report training
expect 0 python3 check.py training training

mkdir empty
expect 2 momap report empty
says "empty: holds no results; expected the folder of a finished run, a sweep, a leaderboard or a training"
expect 2 momap report nowhere
says "nowhere: does not exist"
echo '{' >broken.json
expect 3 momap report broken.json
says "broken.json"
