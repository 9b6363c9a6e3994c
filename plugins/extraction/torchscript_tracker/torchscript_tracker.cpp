// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <lifting/clip_geometry.h>
#include <momap/base/error.h>
#include <momap/plugin/plugin.h>
#include <momap/stage/torch_threads.h>
#include <network/scripted.h>
#include <tracks.h>

#include <algorithm>
#include <cmath>

namespace {

using momap::ConfigError;
using momap::tracks::DensifyParams;
using momap::tracks::Tracks;

/// Any point tracker that takes a video and places to follow.
class TorchScriptTracker final : public momap::Extractor {
 public:
  struct Params : DensifyParams {
    std::string model;
    std::string range = "0..255";
    std::string query = "t_x_y";
    std::string tracks = "frames_points_xy";
    std::string visibility = "probability";
    double threshold = 0.5;
    int points = 1024;
    int height = 0;
    int width = 0;

    static auto schema() {
      using momap::param;
      return std::tuple_cat(
          std::tuple{
              param("model", &Params::model,
                    "The tracker as torch.jit.save wrote it. Its forward takes a video f32 [1, T, "
                    "3, H, W], RGB, and queries f32 [1, N, 3] in frame 0, and gives tracks and, "
                    "unless `visibility` is none, what of them is seen.")
                  .required()
                  .file(),
              param("range", &Params::range, "Of the video's colours.")
                  .one_of({"0..255", "0..1", "-1..1"}),
              param("query", &Params::query, "Order of the numbers of a query.")
                  .one_of({"t_x_y", "t_y_x"}),
              param("tracks", &Params::tracks,
                    "Shape of the tracks: f32 [1, T, N, 2] or [1, N, T, 2], px of the video, x "
                    "before y or after it.")
                  .one_of({"frames_points_xy", "frames_points_yx", "points_frames_xy",
                           "points_frames_yx"}),
              param("visibility", &Params::visibility,
                    "What the second output, of the tracks' shape without its last number, is: the "
                    "probability that a point is seen, its logit, the logit that it is hidden, or "
                    "nothing.")
                  .one_of({"probability", "logit", "hidden_logit", "none"}),
              param("threshold", &Params::threshold,
                    "Probability from which a point counts as seen.")
                  .between(0, 1),
              param("points", &Params::points, "Most points of one call; memory grows with it.")
                  .between(1, 1 << 20)
                  .runtime_only(),
              param("height", &Params::height,
                    "The video is brought to this height for the tracker; 0: as it is.")
                  .unit("px")
                  .between(0, 8192),
              param("width", &Params::width, "The same for its width.").unit("px").between(0, 8192),
          },
          DensifyParams::schema());
    }
  };

  explicit TorchScriptTracker(Params params)
      : params_(std::move(params)), network_(params_.model) {}

  momap::MoMap extract(const momap::Clip& clip, const momap::Context& context) override {
    momap::keep_torch_on_this_thread();
    momap::check_can_be_lifted(clip, "extraction/torchscript_tracker");
    Tracks tracks(momap::tracks::start_points(clip, params_.spacing_px), clip.length());
    const at::Tensor video = video_of(clip);
    for (int64_t first = 0; first < tracks.points; first += params_.points) {
      context.check_cancelled();
      follow(clip, video, first, std::min<int64_t>(params_.points, tracks.points - first), tracks);
    }
    return momap::tracks::densify(clip, tracks, params_, context);
  }

 private:
  // f32 [1, T, 3, H, W]
  at::Tensor video_of(const momap::Clip& clip) const {
    at::Tensor video = clip.frames.permute({0, 3, 1, 2}).to(at::kFloat);
    const int64_t height = params_.height > 0 ? params_.height : clip.height();
    const int64_t width = params_.width > 0 ? params_.width : clip.width();
    if (height != clip.height() || width != clip.width()) {
      video = at::upsample_bilinear2d(video, {height, width}, /*align_corners=*/false);
    }
    if (params_.range == "0..1") video = video / 255;
    if (params_.range == "-1..1") video = video / 127.5 - 1;
    return video.unsqueeze(0).contiguous();
  }

  void follow(const momap::Clip& clip, const at::Tensor& video, int64_t first, int64_t count,
              Tracks& tracks) const {
    // Pixel centres are at integers on both grids.
    const double to_x = static_cast<double>(video.size(4)) / static_cast<double>(clip.width());
    const double to_y = static_cast<double>(video.size(3)) / static_cast<double>(clip.height());
    const bool x_first = params_.query == "t_x_y";
    at::Tensor queries = at::zeros({1, count, 3}, at::kFloat);
    auto* const query = queries.data_ptr<float>();
    for (int64_t n = 0; n < count; ++n) {
      const cv::Point2f start = tracks.places[static_cast<size_t>((first + n) * tracks.frames)];
      query[3 * n + (x_first ? 1 : 2)] = static_cast<float>((start.x + 0.5) * to_x - 0.5);
      query[3 * n + (x_first ? 2 : 1)] = static_cast<float>((start.y + 0.5) * to_y - 0.5);
    }
    const auto outputs = network_.run_all(
        {video, queries}, "check 'query' and whether the tracker takes a video of this length");
    const at::Tensor found = tracks_of(outputs[0], count, tracks.frames);  // [N, T, 2], x before y
    const at::Tensor seen = seen_of(outputs, count, tracks.frames);        // [N, T]
    const auto* const place = found.data_ptr<float>();
    const auto* const is_seen = seen.data_ptr<bool>();
    for (int64_t i = 0; i < count * tracks.frames; ++i) {
      if (i % tracks.frames == 0) continue;  // frame 0 is given
      const auto at = static_cast<size_t>(first * tracks.frames + i);
      const double x = (place[2 * i] + 0.5) / to_x - 0.5, y = (place[2 * i + 1] + 0.5) / to_y - 0.5;
      tracks.places[at] = {static_cast<float>(x), static_cast<float>(y)};
      tracks.seen[at] = is_seen[i] && std::isfinite(x) && std::isfinite(y);
    }
  }

  bool frames_first() const { return params_.tracks.starts_with("frames"); }

  at::Tensor tracks_of(const at::Tensor& given, int64_t count, int64_t frames) const {
    const std::vector<int64_t> expected = frames_first()
                                              ? std::vector<int64_t>{1, frames, count, 2}
                                              : std::vector<int64_t>{1, count, frames, 2};
    if (given.sizes() != at::IntArrayRef(expected)) {
      throw ConfigError(
          fmt::format("model = {}: its tracks have shape [{}], expected [{}]; check 'tracks' = {}",
                      params_.model, fmt::join(given.sizes(), ", "), fmt::join(expected, ", "),
                      params_.tracks));
    }
    at::Tensor out = given[0].to(at::kFloat);
    if (frames_first()) out = out.transpose(0, 1);
    if (params_.tracks.ends_with("yx")) out = out.flip({-1});
    return out.contiguous();
  }

  at::Tensor seen_of(const std::vector<at::Tensor>& outputs, int64_t count, int64_t frames) const {
    if (params_.visibility == "none") return at::ones({count, frames}, at::kBool);
    if (outputs.size() < 2) {
      throw ConfigError(fmt::format(
          "model = {}: gives one tensor, but 'visibility' = {} is its second; set it to none",
          params_.model, params_.visibility));
    }
    at::Tensor out = outputs[1];
    if (out.dim() == 4 && out.size(3) == 1) out = out.squeeze(3);
    const std::vector<int64_t> expected = frames_first() ? std::vector<int64_t>{1, frames, count}
                                                         : std::vector<int64_t>{1, count, frames};
    if (out.sizes() != at::IntArrayRef(expected)) {
      throw ConfigError(fmt::format(
          "model = {}: its visibility has shape [{}], expected [{}]; check 'tracks' = {} and "
          "'visibility' = {}",
          params_.model, fmt::join(outputs[1].sizes(), ", "), fmt::join(expected, ", "),
          params_.tracks, params_.visibility));
    }
    out = out[0].to(at::kFloat);
    if (frames_first()) out = out.transpose(0, 1);
    if (params_.visibility == "logit") out = out.sigmoid();
    if (params_.visibility == "hidden_logit") out = 1 - out.sigmoid();
    return out.ge(params_.threshold).contiguous();
  }

  Params params_;
  momap::network::Scripted network_;
};

}  // namespace

MOMAP_PLUGIN(TorchScriptTracker, "extraction/torchscript_tracker", 1,
             "Follows points with any tracker exported to TorchScript, and makes their motion "
             "dense.");
