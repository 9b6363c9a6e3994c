// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <momap/data/opencv.h>
#include <momap/plugin/plugin.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <opencv2/ximgproc/segmentation.hpp>
#include <vector>

namespace {

using momap::param;

// Segments by size, the largest first and 0; equal ones by their first pixel.
cv::Mat in_order_of_size(const cv::Mat& labels) {
  double most = 0;
  cv::minMaxLoc(labels, nullptr, &most);
  const auto count = static_cast<size_t>(most) + 1;
  std::vector<int64_t> size(count, 0), first(count, static_cast<int64_t>(labels.total()));
  const int* in = labels.ptr<int>();
  for (size_t i = 0; i < labels.total(); ++i) {
    const auto label = static_cast<size_t>(in[i]);
    if (size[label]++ == 0) first[label] = static_cast<int64_t>(i);
  }
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return size[a] != size[b] ? size[a] > size[b] : first[a] < first[b];
  });
  std::vector<int> rank(count);
  for (size_t i = 0; i < count; ++i) rank[order[i]] = static_cast<int>(i);
  cv::Mat out(labels.size(), CV_32S);
  for (size_t i = 0; i < labels.total(); ++i) {
    out.ptr<int>()[i] = rank[static_cast<size_t>(in[i])];
  }
  return out;
}

/// Felzenszwalb, Huttenlocher: "Efficient graph-based image segmentation", IJCV 2004.
class OverSegmentation final : public momap::Annotator {
 public:
  struct Params {
    double sigma = 0.8;
    double merge = 300;
    int least_px = 64;

    static auto schema() {
      return std::tuple{
          param("sigma", &Params::sigma, "Deviation of the blur before.")
              .unit("px")
              .between(0.01, 20),
          param("merge", &Params::merge, "k of the paper: the larger, the larger the segments.")
              .above(0),
          param("least_px", &Params::least_px, "Smaller segments are merged with a neighbour.")
              .unit("px")
              .at_least(1),
      };
    }
  };

  explicit OverSegmentation(Params params) : params_(params) {}

  momap::Clip annotate(const momap::Clip& clip, const momap::Context&) override {
    const at::Tensor first = clip.frames[0].contiguous();
    cv::Mat labels;
    cv::ximgproc::segmentation::createGraphSegmentation(
        params_.sigma, static_cast<float>(params_.merge), params_.least_px)
        ->processImage(momap::as_mat(first), labels);
    labels = in_order_of_size(labels);
    momap::Clip out = clip;
    out.segments = at::empty({clip.height(), clip.width()}, at::kInt);
    std::memcpy(out.segments->data_ptr<int32_t>(), labels.data, 4 * labels.total());
    out.segment_names.clear();
    return out;
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(OverSegmentation, "annotation/over_segmentation", 1,
             "Cuts frame 0 into segments of like colour, the largest being 0 (Felzenszwalb, "
             "Huttenlocher 2004).");
