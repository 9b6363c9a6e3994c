// SPDX-License-Identifier: Apache-2.0
#include "images.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/opencv.h>
#include <tbb/parallel_for.h>

#include <cstring>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "files.h"
#include "photo_header.h"

namespace momap::formats {
namespace {

namespace fs = std::filesystem;

constexpr double kMostMegapixels = 100;
constexpr size_t kPngColourType = 25;  // offset in the file
constexpr uint8_t kPalette = 3;

cv::Mat decode(std::string_view bytes, int flags, const std::string& owner) {
  const PhotoHeader header = read_photo_header(bytes);
  if (header.width && header.height) {
    const double megapixels =
        1e-6 * static_cast<double>(*header.width) * static_cast<double>(*header.height);
    if (megapixels > kMostMegapixels) {
      throw DataError(fmt::format("{}: {} x {} = {:.1f} megapixels; expected at most {}", owner,
                                  *header.width, *header.height, megapixels, kMostMegapixels));
    }
  }
  if (header.truncated) {
    throw DataError(fmt::format("{}: the JPEG ends before its end marker; it is cut off", owner));
  }
  cv::Mat image;
  std::string reason = "the data are damaged or of an unknown format";
  try {
    const cv::Mat buffer(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
    image = cv::imdecode(buffer, flags);
  } catch (const cv::Exception& error) {
    reason = error.err;
  }
  if (image.empty()) throw DataError(fmt::format("{}: cannot be decoded: {}", owner, reason));
  return image;
}

// The colours (0xRRGGBB) of a palette png; nullopt for other images.
std::optional<std::vector<uint32_t>> palette_of(std::string_view png) {
  if (!png.starts_with("\x89PNG") || png.size() <= kPngColourType ||
      static_cast<uint8_t>(png[kPngColourType]) != kPalette) {
    return std::nullopt;
  }
  const auto byte = [&](size_t at) { return static_cast<uint32_t>(static_cast<uint8_t>(png[at])); };
  std::vector<uint32_t> palette;
  for (size_t chunk = 8; chunk + 8 <= png.size();) {
    const size_t length =
        byte(chunk) << 24 | byte(chunk + 1) << 16 | byte(chunk + 2) << 8 | byte(chunk + 3);
    if (length > png.size() - chunk - 8) break;
    if (png.substr(chunk + 4, 4) == "PLTE") {
      for (size_t i = chunk + 8; i + 3 <= chunk + 8 + length; i += 3) {
        palette.push_back(byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2));
      }
      break;
    }
    chunk += 12 + length;
  }
  return palette;
}

template <class T>
at::Tensor labels_of_grey(const cv::Mat& grey) {
  at::Tensor labels = at::empty({grey.rows, grey.cols}, at::kInt);
  int32_t* out = labels.data_ptr<int32_t>();
  for (int y = 0; y < grey.rows; ++y) {
    const T* row = grey.ptr<T>(y);
    for (int x = 0; x < grey.cols; ++x) *out++ = row[x];
  }
  return labels;
}

at::Tensor labels_of_palette(const cv::Mat& bgr, const std::vector<uint32_t>& palette,
                             const fs::path& path) {
  std::map<uint32_t, int32_t> index;  // equal colours: the lower index
  for (size_t i = 0; i < palette.size(); ++i) index.emplace(palette[i], static_cast<int32_t>(i));
  at::Tensor labels = at::empty({bgr.rows, bgr.cols}, at::kInt);
  int32_t* out = labels.data_ptr<int32_t>();
  uint32_t last_colour = UINT32_MAX;
  int32_t last_label = 0;
  for (int y = 0; y < bgr.rows; ++y) {
    const uint8_t* row = bgr.ptr<uint8_t>(y);
    for (int x = 0; x < bgr.cols; ++x, row += 3) {
      const uint32_t colour = uint32_t{row[2]} << 16 | uint32_t{row[1]} << 8 | row[0];
      if (colour != last_colour) {
        const auto found = index.find(colour);
        if (found == index.end()) {
          throw DataError(fmt::format("{}: a pixel is not of the file's palette", shown(path)));
        }
        last_colour = colour;
        last_label = found->second;
      }
      *out++ = last_label;
    }
  }
  return labels;
}

}  // namespace

at::Tensor decode_rgb(std::string_view bytes, const std::string& owner) {
  cv::Mat image = decode(bytes, cv::IMREAD_COLOR, owner);
  cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
  return to_tensor(image);
}

at::Tensor read_rgb(const fs::path& path) { return decode_rgb(read_bytes(path), shown(path)); }

cv::Mat read_image(const fs::path& path, int type, const char* expected) {
  cv::Mat image = decode(read_bytes(path), cv::IMREAD_UNCHANGED, shown(path));
  if (image.type() != type) {
    throw DataError(fmt::format("{}: has {} channels of {}; expected {}", shown(path),
                                image.channels(), cv::depthToString(image.depth()), expected));
  }
  return image;
}

at::Tensor read_depth_png(const fs::path& path, double per_metre, uint16_t unknown) {
  const cv::Mat png = read_image(path, CV_16UC1, "a 16-bit grey png");
  at::Tensor depth = at::empty({png.rows, png.cols}, at::kFloat);
  float* out = depth.data_ptr<float>();
  for (int y = 0; y < png.rows; ++y) {
    const auto* row = png.ptr<uint16_t>(y);
    for (int x = 0; x < png.cols; ++x) {
      *out++ = row[x] == unknown ? 0.f : static_cast<float>(row[x] / per_metre);
    }
  }
  return depth;
}

at::Tensor read_labels(const fs::path& path) {
  const std::string bytes = read_bytes(path);
  if (const auto palette = palette_of(bytes)) {
    return labels_of_palette(decode(bytes, cv::IMREAD_COLOR, shown(path)), *palette, path);
  }
  const cv::Mat grey = decode(bytes, cv::IMREAD_UNCHANGED, shown(path));
  if (grey.type() == CV_8UC1) return labels_of_grey<uint8_t>(grey);
  if (grey.type() == CV_16UC1) return labels_of_grey<uint16_t>(grey);
  throw DataError(fmt::format("{}: has {} channels of {}; expected a palette or grey png",
                              shown(path), grey.channels(), cv::depthToString(grey.depth())));
}

at::Tensor read_mask(const fs::path& path) {
  const cv::Mat grey = read_image(path, CV_8UC1, "an 8-bit grey image");
  at::Tensor mask = at::empty({grey.rows, grey.cols}, at::kBool);
  bool* out = mask.data_ptr<bool>();
  for (int y = 0; y < grey.rows; ++y) {
    const uint8_t* row = grey.ptr<uint8_t>(y);
    for (int x = 0; x < grey.cols; ++x) *out++ = row[x] != 0;
  }
  return mask;
}

at::Tensor read_stack(int64_t count, const std::function<at::Tensor(int64_t)>& read,
                      const std::function<std::string(int64_t)>& place, const Context& context) {
  const at::Tensor first = read(0);
  std::vector<int64_t> shape = first.sizes().vec();
  shape.insert(shape.begin(), count);
  at::Tensor stack = at::empty(shape, first.scalar_type());
  auto* out = static_cast<uint8_t*>(stack.data_ptr());
  const auto put = [&](int64_t i, const at::Tensor& tensor) {
    if (tensor.sizes() != first.sizes()) {
      throw DataError(fmt::format("{}: its size is [{}], that of {} is [{}]; expected the same",
                                  place(i), fmt::join(tensor.sizes(), ", "), place(0),
                                  fmt::join(first.sizes(), ", ")));
    }
    std::memcpy(out + static_cast<size_t>(i) * first.nbytes(), tensor.data_ptr(), first.nbytes());
  };
  put(0, first);
  tbb::parallel_for(int64_t{1}, count, [&](int64_t i) {
    context.check_cancelled();
    put(i, read(i));
  });
  return stack;
}

at::Tensor read_frames(const std::vector<fs::path>& paths, const Context& context) {
  return read_stack(
      static_cast<int64_t>(paths.size()),
      [&](int64_t i) { return read_rgb(paths[static_cast<size_t>(i)]); },
      [&](int64_t i) { return shown(paths[static_cast<size_t>(i)]); }, context);
}

void require_size(const at::Tensor& map, int64_t height, int64_t width, const fs::path& path) {
  if (map.size(0) == height && map.size(1) == width) return;
  throw DataError(fmt::format("{}: is {} x {} px and the frames are {} x {} px; expected the same",
                              shown(path), map.size(1), map.size(0), width, height));
}

}  // namespace momap::formats
