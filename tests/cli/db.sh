# SPDX-License-Identifier: Apache-2.0
# MoMap databases from the command line: build, kill -9 and go on, parts and merge, verify, export, bad input.
[[ -e $street ]] || { echo "skipped: $street is absent (apt install opencv-doc)"; exit 77; }
recipe() {  # recipe KEY: VALUE, ... : more of the db section
  cat >street.yaml <<EOF
seed: 1
steps:
  clips: {use: source/clips, with: {width: 128, fov_degrees: 36, caption: people walk along a street}}
  depth: {use: annotation/ground_plane, in: clips, with: {camera_height_m: 6.25, pitch_degrees: 16, max_depth_m: 80}}
  extract: {use: extraction/chained_flow, in: depth}
db: {clip: depth, momap: extract, frames: 12, max_clips: 6${1:+, $1}}
EOF
}
build() { momap db build street.yaml "$street" "$@"; }
same() { for shard in "$1"/*.safetensors; do cmp "$shard" "$2/${shard##*/}" || fail "$1 and $2 differ in ${shard##*/}"; done; }

recipe
expect 0 build -o whole
expect 0 momap db verify whole; says "6 samples"; says sound
expect 0 momap db info whole --json; says '"samples": 6'; says '"max_clips"'; says '"lossless f32": 6'
[[ -s whole/report.html ]] || fail "no report"

# Killed at any time and started again, it ends with the same shards.
# The first kill comes while the video is looked at, the others after each further sample has been begun.
size() { stat -c %s killed/shard-00000.open 2>/dev/null || echo 0; }
for round in 0 1 2 3; do
  (exec momap db build street.yaml "$street" -o killed --threads 1) >/dev/null 2>&1 &
  pid=$!
  before=$(size)
  if [[ $round == 0 ]]; then sleep 1.2; else
    while kill -0 "$pid" 2>/dev/null && (($(size) <= before)); do sleep 0.02; done
  fi
  kill -9 "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
done
[[ ! -e killed/catalogue.xxh3 ]] || fail "the build was over before it was killed"
expect 0 build -o killed
expect 0 momap db verify killed; says "6 samples"
same whole killed

# Other programs read shards without momap: the header's entries lie behind each other up to the file's end.
if command -v python3 >/dev/null; then
  python3 - whole/shard-00000.safetensors whole/catalogue.sqlite <<'EOF' || fail "Python cannot read the shard"
import json, sqlite3, struct, sys
data = open(sys.argv[1], "rb").read()
length, = struct.unpack("<Q", data[:8])
header = json.loads(data[8:8 + length])
assert header.pop("__metadata__")["momap.kind"] == "shard"
ends = sorted(tuple(entry["data_offsets"]) for entry in header.values())
assert ends[0][0] == 0 and ends[-1][1] == len(data) - 8 - length
assert all(a[1] == b[0] for a, b in zip(ends, ends[1:]))
for id_, offset, size in sqlite3.connect(sys.argv[2]).execute("SELECT id, offset, size FROM sample"):
    own, = struct.unpack("<Q", data[offset:offset + 8])
    sample = json.loads(data[offset + 8:offset + 8 + own])
    assert sample["__metadata__"]["momap.kind"] == "clip"
    for name, entry in sample.items():
        if name == "__metadata__": continue
        inner, outer = entry["data_offsets"], header[id_ + "/" + name]["data_offsets"]
        assert inner[0] + offset + 8 + own == outer[0] + 8 + length and outer[1] - outer[0] == inner[1] - inner[0]
        assert outer[1] + 8 + length <= offset + size
EOF
fi

# A second time there is nothing to do, and nothing changes.
expect 0 build -o killed; says "0 samples added"
expect 0 momap db verify killed; same whole killed

# Two parts, joined.
mkdir videos && cp "$street" videos/a.avi && cp "$street" videos/b.avi
recipe "codec: lossy, duplicate_bits: -1"
sed -i 's/max_clips: 6/max_clips: 2/' street.yaml
for part in 0 1; do expect 0 momap db build street.yaml videos --shard $part/2 -o part$part; done
expect 0 momap db merge part0 part1 -o joined; says "4 samples added"
grep -q "max_clips</td><td>2" joined/report.html || fail "the report of the joined database does not name the thresholds"
expect 0 momap db verify joined; says "4 samples"; says sound
expect 0 momap db info joined; says "lossy: 4"; says "at most 0.001 m"
# The same video twice: its clips are dropped as duplicates.
sed -i 's/duplicate_bits: -1/duplicate_bits: 6/' street.yaml
expect 0 momap db build street.yaml videos -o twice
expect 0 momap db info twice --json; says '"duplicate": 2'; says '"samples": 2'

# Filters drop, with counts; a database is a source; samples come out as plain files.
recipe "min_valid_share: 1.0, min_visible_share: 1.0"
expect 0 build -o strict; says "0 samples added"
expect 0 momap db info strict --json; says min_v
expect 0 momap db export whole -o plain --samples 2
[[ $(find plain -name '*.safetensors' | wc -l) == 2 ]] || fail "export wrote $(ls plain)"
expect 0 momap db export whole -o as_npz --samples 1 --format npz
if /usr/bin/python3 -c "import numpy" 2>/dev/null; then
  /usr/bin/python3 - as_npz/*.npz plain <<'EOF' || fail "NumPy and the safetensors file differ"
import json, os, struct, sys
import numpy as np
arrays = np.load(sys.argv[1])
path = os.path.join(sys.argv[2], os.path.basename(sys.argv[1])[:-4] + ".safetensors")
data = open(path, "rb").read()
length, = struct.unpack("<Q", data[:8])
header = json.loads(data[8:8 + length])
for name, text in header.pop("__metadata__").items():
    assert arrays[name].item().decode() == text, name
types = {"BOOL": "?", "U8": "u1", "I32": "i4", "I64": "i8", "F32": "f4", "F64": "f8"}
for name, entry in header.items():
    begin, end = entry["data_offsets"]
    values = np.frombuffer(data[8 + length + begin:8 + length + end], types[entry["dtype"]]).reshape(entry["shape"])
    assert arrays[name].dtype == values.dtype and arrays[name].tobytes() == values.tobytes(), name
assert arrays["truth.0.xyz"].shape[0] == 12 and len(arrays.files) > 8
EOF
fi
printf 'steps:\n  d: {use: source/database, with: {path: whole, split: train}}\n  o: {use: output/safetensors, in: {value: d}}\n' >read.yaml
expect 0 momap run read.yaml -o out
[[ $(find out -name '*.safetensors' | wc -l) == 6 ]] || fail "the database gave $(find out -name '*.safetensors')"

# A recipe whose source is no video list: here a database again.
printf 'steps:\n  d: {use: source/database, with: {path: whole}}\ndb: {clip: d, codec: raw}\n' >again.yaml
expect 0 momap db build again.yaml -o again; says "6 samples added"

# What is wrong is named.
expect 2 build -o whole; says "another recipe"
expect 2 momap db build again.yaml "$street" -o x; says source/clips
expect 2 momap db info nowhere; says "nowhere/catalogue.sqlite"
expect 2 momap db build read.yaml -o x; says "needs a 'db' section"
sed -i 's/frames: 12/framez: 12/' street.yaml
expect 2 build -o x; says "did you mean 'frames'"
recipe; expect 2 build --shard 2/2 -o x; says "I/N"
echo "no video" >broken.avi
expect 3 momap db build street.yaml broken.avi -o broken; says broken.avi
expect 3 momap db build street.yaml broken.avi "$street" --keep-going -o partly
expect 0 momap db info partly --json; says '"failed": 1'; says '"samples": 6'
printf '\x5a' | dd of=whole/shard-00000.safetensors bs=1 seek=1200000 conv=notrunc status=none
expect 3 momap db verify whole; says "shard-00000.safetensors: sample"; says expected
