# SPDX-License-Identifier: Apache-2.0
# The whole chain on a real video gives the same bytes for 1, 2 and 8 threads.
[[ -e $street ]] || { echo "skipped: $street is absent (apt install opencv-doc)"; exit 77; }
for n in 1 2 8; do
  expect 0 momap run "$MOMAP_SOURCE/configs/graphs/demo_video.yaml" --set video.with.frames=6 --set video.with.width=192 \
    --set video.with.clips=2 --set video.with.start=100 --no-cache --threads "$n" -o "threads-$n"
  (cd "threads-$n" && find . -type f ! -name run.json -print0 | sort -z | xargs -0 sha256sum) >"sums-$n"
done
[[ $(wc -l <sums-1) -ge 17 ]] || fail "expected 8 outputs for 2 samples and the scores: $(cat sums-1)"
diff sums-1 sums-2 || fail "2 threads differ from 1"
diff sums-1 sums-8 || fail "8 threads differ from 1"
if [[ -e $MOMAP_SOURCE/configs/models/street/model.safetensors ]]; then
  photo=/usr/share/doc/opencv-doc/examples/data/basketball1.png
  for n in 1 2 8; do
    expect 0 momap generate --image "$photo" --prompt "people walk" --samples 3 --set photo.with.width=128 \
      --set sample.with.steps=3 --no-cache --threads "$n" -o "futures-$n"
    (cd "futures-$n" && find . -name '*.safetensors' -print0 | sort -z | xargs -0 sha256sum) >"futures-sums-$n"
  done
  [[ $(wc -l <futures-sums-1) == 3 ]] || fail "expected 3 futures"
  [[ $(cut -d' ' -f1 futures-sums-1 | sort -u | wc -l) == 3 ]] || fail "futures are the same"
  diff futures-sums-1 futures-sums-2 && diff futures-sums-1 futures-sums-8 || fail "futures depend on threads"
fi
