# SPDX-License-Identifier: Apache-2.0
# The page of `momap report` in a browser: sort, filter, details, samples, plots, a phone, paper; nothing on the console.
# MOMAP_VIEW_PICTURES=DIR keeps the pictures.
for program in node chromium; do
  command -v "$program" >/dev/null || { echo "skipped: no $program"; exit 77; }
done
cat >graph.yaml <<'END'
seed: 1
steps:
  world: {use: source/synthetic, with: {split: val, count: 4, size: [96, 96], frames: 6, camera: static}}
  truth: {use: extraction/oracle, in: world}
  warp: {use: warping/point_splat, in: {image: world, momap: truth}}
  complete: {use: completion/pull_push, in: warp}
  psnr: {use: metric/psnr, in: {result: complete, reference: world}}
  ssim: {use: metric/ssim, in: {result: complete, reference: world}}
END
cat >sweep.yaml <<'END'
base: graph.yaml
sweep:
  grid: {warp.use: [warping/point_splat, warping/mesh, warping/softmax_splat], complete.use: [completion/pull_push, completion/telea]}
  show: [psnr.psnr_covered, ssim.ssim_all]
END
expect 0 momap sweep run sweep.yaml -o sweep -q
expect 0 momap report sweep --pictures -o page -q
expect 0 node "$MOMAP_SOURCE/tests/cli/browser/report_page.mjs" page/report.html "${MOMAP_VIEW_PICTURES:-pictures}"
