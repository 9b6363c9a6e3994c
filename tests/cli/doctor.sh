# SPDX-License-Identifier: Apache-2.0
# `momap doctor`: what it says of the installation, of all cards, and of whole and broken copies of a data set.
expect 0 momap doctor; says libtorch; says BLAS; says threads; says plugins; says free
says "libblas"; says "memory"; says "OMP_NUM_THREADS=1"; says "here       $PWD  ("; says slurm; says " warping, "
expect 0 momap doctor --json; says '"plugins by stage"'; says '"advice"'
[[ $(ffprobe -v error -version | head -c 7) == ffprobe ]] || fail "ffmpeg is needed"

# Every card fits the schema, its reader exists and takes the card's parameters.
expect 0 momap doctor --data
cards=0
for card in "$MOMAP_SOURCE"/datasets/*/card.yaml; do
  name=$(basename "$(dirname "$card")")
  says "$name"; says "source/"
  ((++cards))
done
((cards >= 11)) || fail "$cards cards; expected at least 11"

data=$PWD/davis
mkdir -p "$data/JPEGImages/480p/bear" "$data/Annotations/480p/bear"
ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=10 -t 0.5 -start_number 0 "$data/JPEGImages/480p/bear/%05d.jpg"
ffmpeg -v error -i "$data/JPEGImages/480p/bear/00000.jpg" -vf format=gray "$data/Annotations/480p/bear/00000.png"

expect 0 momap doctor --data "davis=$data"
says "5 files"; says "2 samples"; says "sample bear_000002"; says "absent  ImageSets/*/*.txt"; says "no checksums"
expect 0 momap doctor --json --data "davis=$data"
says '"verdict": "ok"'

# A file that is missing, one that is cut off, one that has changed.
head -c 200 "$data/JPEGImages/480p/bear/00001.jpg" >cut && mv cut "$data/JPEGImages/480p/bear/00001.jpg"
expect 3 momap doctor --data "davis=$data"; says "WRONG"; says "00001.jpg"
cp "$data/JPEGImages/480p/bear/00000.jpg" "$data/JPEGImages/480p/bear/00001.jpg"
printf '%032d  JPEGImages/480p/bear/00000.jpg\n' 7 >"$data/momap-manifest.txt"
expect 3 momap doctor --data "davis=$data"; says "differs from the manifest"
printf '%032d  gone.jpg\n' 7 >"$data/momap-manifest.txt"
expect 3 momap doctor --data "davis=$data"; says "gone.jpg"; says missing
if command -v xxhsum >/dev/null; then
  (cd "$data" && find . -type f ! -name momap-manifest.txt | sort | xargs -d '\n' xxhsum -H2 >momap-manifest.txt)
  expect 0 momap doctor --data "davis=$data"; says "6 files as listed"
fi
rm "$data/momap-manifest.txt"; rm -r "$data/JPEGImages"
expect 3 momap doctor --data "davis=$data"; says "no such file"; says "no sequence was found"

expect 2 momap doctor --data "davs=$data"; says "did you mean 'davis'"
expect 2 momap doctor --data davis; says "expected NAME=FOLDER"
expect 3 momap doctor --data davis=/nowhere; says "there is no such folder"
