// SPDX-License-Identifier: Apache-2.0
#include "loss_plot.h"

#include <fmt/format.h>
#include <momap/base/files.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <sstream>
#include <string_view>
#include <vector>

namespace momap {
namespace {

constexpr int kWidth = 960, kHeight = 540, kLeft = 80, kRight = 24, kTop = 24, kBottom = 48;
const cv::Scalar kInk(60, 60, 60), kGrid(225, 225, 225), kLine(180, 110, 30);

struct Point {
  double step, loss;
};

std::vector<Point> read_points(const std::filesystem::path& csv) {
  std::vector<Point> points;
  std::istringstream lines(read_file(csv));
  std::string line;
  std::getline(lines, line);  // names
  while (std::getline(lines, line)) {
    Point p{};
    char comma = 0;
    if (std::istringstream(line) >> p.step >> comma >> p.loss && p.loss > 0) points.push_back(p);
  }
  return points;
}

}  // namespace

void plot_loss(const std::filesystem::path& csv, const std::filesystem::path& png) {
  const std::vector<Point> points = read_points(csv);
  if (points.size() < 2) return;
  const auto [low, high] = std::ranges::minmax(points, {}, &Point::loss);
  const double bottom = std::log10(low.loss) - 0.02, top = std::log10(high.loss) + 0.02;
  const double last = std::ranges::max(points, {}, &Point::step).step;
  const auto place = [&](double step, double log_loss) {
    return cv::Point(kLeft + static_cast<int>(std::lround(step / last * (kWidth - kLeft - kRight))),
                     kTop + static_cast<int>(std::lround((top - log_loss) / (top - bottom) *
                                                         (kHeight - kTop - kBottom))));
  };
  cv::Mat picture(kHeight, kWidth, CV_8UC3, cv::Scalar(255, 255, 255));
  const auto write = [&](const std::string& text, cv::Point at) {
    cv::putText(picture, text, at, cv::FONT_HERSHEY_SIMPLEX, 0.45, kInk, 1, cv::LINE_AA);
  };
  constexpr int kMarks = 5;
  for (int i = 0; i <= kMarks; ++i) {
    const double log_loss = bottom + (top - bottom) * i / kMarks;
    cv::line(picture, place(0, log_loss), place(last, log_loss), kGrid);
    write(fmt::format("{:.3g}", std::pow(10, log_loss)), {8, place(0, log_loss).y + 5});
    const double step = last * i / kMarks;
    write(fmt::format("{:.0f}", step), {place(step, bottom).x - 16, kHeight - 24});
  }
  for (size_t i = 1; i < points.size(); ++i) {
    cv::line(picture, place(points[i - 1].step, std::log10(points[i - 1].loss)),
             place(points[i].step, std::log10(points[i].loss)), kLine, 2, cv::LINE_AA);
  }
  write("loss", {8, 16});
  write("step", {kWidth - 60, kHeight - 8});
  std::vector<unsigned char> bytes;
  cv::imencode(".png", picture, bytes);
  write_file(png, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace momap
