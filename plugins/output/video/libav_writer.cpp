// SPDX-License-Identifier: Apache-2.0
#include "libav_writer.h"

#include <fmt/format.h>
#include <momap/base/error.h>

#include <array>
#include <cstring>
#include <new>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

namespace momap::video_output {
namespace {

template <auto Free>
struct FreeThrough {
  template <class T>
  void operator()(T* object) const {
    Free(&object);
  }
};

void close_container(AVFormatContext** container) {
  avio_closep(&(*container)->pb);
  avformat_free_context(*container);
}

void free_scaler(SwsContext** scaler) { sws_freeContext(*scaler); }

using Container = std::unique_ptr<AVFormatContext, FreeThrough<close_container>>;
using Encoder = std::unique_ptr<AVCodecContext, FreeThrough<avcodec_free_context>>;
using Scaler = std::unique_ptr<SwsContext, FreeThrough<free_scaler>>;
using Frame = std::unique_ptr<AVFrame, FreeThrough<av_frame_free>>;
using Packet = std::unique_ptr<AVPacket, FreeThrough<av_packet_free>>;

template <class T>
T* needed(T* allocated) {
  if (!allocated) throw std::bad_alloc();
  return allocated;
}

Frame frame_of(AVPixelFormat format, cv::Size size) {
  Frame frame(needed(av_frame_alloc()));
  frame->format = format;
  frame->width = size.width;
  frame->height = size.height;
  // Its rows have room for the vector loads of swscale and encoders beyond their end; what stands
  // there may not change from run to run.
  if (av_frame_get_buffer(frame.get(), 0) < 0) throw std::bad_alloc();
  for (const AVBufferRef* buffer : frame->buf) {
    if (buffer) std::memset(buffer->data, 0, buffer->size);
  }
  return frame;
}

cv::Size even(cv::Size size) {
  return {size.width + size.width % 2, size.height + size.height % 2};
}

Scaler from_rgb(cv::Size size, AVPixelFormat to) {
  Scaler scaler(needed(
      sws_getContext(size.width, size.height, AV_PIX_FMT_RGB24, size.width, size.height, to,
                     SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT, nullptr, nullptr, nullptr)));
  return scaler;
}

/// How a format is made.
struct Recipe {
  const char* name;    // for people
  const char* muxer;   // of libavformat
  const char* option;  // of the muxer, and its value
  const char* value;
  AVPixelFormat pixels;
  const char* remedy;
};

const Recipe& recipe_of(LibavFormat format) {
  static constexpr Recipe kMp4{"H.264",
                               "mp4",
                               "movflags",
                               "faststart",
                               AV_PIX_FMT_YUV420P,
                               "libx264 (Debian: libavcodec-extra)"};
  static constexpr Recipe kWebp{"animated WebP",    "webp",   "loop", "0",
                                AV_PIX_FMT_YUV420P, "libwebp"};
  static constexpr Recipe kGif{"GIF", "gif", "loop", "0", AV_PIX_FMT_BGR8, "its GIF encoder"};
  return format == LibavFormat::mp4 ? kMp4 : format == LibavFormat::webp ? kWebp : kGif;
}

const AVCodec* codec_of(LibavFormat format) {
  switch (format) {
    case LibavFormat::mp4:
      return avcodec_find_encoder(AV_CODEC_ID_H264);
    case LibavFormat::webp:
      return avcodec_find_encoder_by_name("libwebp_anim");
    case LibavFormat::gif:
      return avcodec_find_encoder(AV_CODEC_ID_GIF);
  }
  return nullptr;
}

}  // namespace

struct LibavWriter::State {
  LibavFormat format;
  std::string shown;
  Container container;
  Encoder encoder;
  AVStream* stream = nullptr;
  Scaler scaler;
  Frame rgb;
  Frame coded;
  Packet packet;

  int done(int result) const {
    if (result >= 0) return result;
    std::array<char, AV_ERROR_MAX_STRING_SIZE> reason{};
    av_strerror(result, reason.data(), reason.size());
    throw ConfigError(
        fmt::format("{}: cannot be written: {}; free some space on the disk or write elsewhere",
                    shown, reason.data()));
  }

  void open_encoder(cv::Size size, AVRational fps) {
    const AVCodec* codec = codec_of(format);
    if (!codec) no_encoder();
    encoder.reset(needed(avcodec_alloc_context3(codec)));
    encoder->width = size.width;
    encoder->height = size.height;
    encoder->pix_fmt = recipe_of(format).pixels;
    if (encoder->pix_fmt == AV_PIX_FMT_YUV420P) {
      encoder->colorspace = AVCOL_SPC_SMPTE170M;
      encoder->color_range = AVCOL_RANGE_MPEG;
    }
    encoder->framerate = fps;
    encoder->time_base = av_inv_q(fps);
    encoder->thread_count = 1;
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
    // Without libx264's macroblock tree: with it and AVX-512 the same pictures gave other bytes now
    // and then (version 164). Another encoder does not know the option.
    if (format == LibavFormat::mp4) av_opt_set(encoder->priv_data, "mbtree", "0", 0);
    if (avcodec_open2(encoder.get(), codec, nullptr) < 0) no_encoder();
  }

  void open_container(const std::filesystem::path& path) {
    AVFormatContext* made = nullptr;
    done(avformat_alloc_output_context2(&made, nullptr, recipe_of(format).muxer, path.c_str()));
    container.reset(made);
    container->flags |= AVFMT_FLAG_BITEXACT;
    done(av_opt_set(container->priv_data, recipe_of(format).option, recipe_of(format).value, 0));
    stream = needed(avformat_new_stream(container.get(), nullptr));
    stream->time_base = encoder->time_base;
    stream->avg_frame_rate = encoder->framerate;
    done(avcodec_parameters_from_context(stream->codecpar, encoder.get()));
    // A path may look like a URL.
    done(avio_open(&container->pb, ("file:" + path.string()).c_str(), AVIO_FLAG_WRITE));
    done(avformat_write_header(container.get(), nullptr));
  }

  /// Into the file what the encoder has ready.
  void write_packets() {
    for (;;) {
      const int result = avcodec_receive_packet(encoder.get(), packet.get());
      if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return;
      done(result);
      av_packet_rescale_ts(packet.get(), encoder->time_base, stream->time_base);
      packet->stream_index = stream->index;
      done(av_interleaved_write_frame(container.get(), packet.get()));
    }
  }

  [[noreturn]] void no_encoder() const {
    const Recipe& recipe = recipe_of(format);
    throw ConfigError(fmt::format(
        "{}: FFmpeg has no encoder for {} here; install its libraries with {}, or set "
        "'format: png' (a folder of pictures) or 'format: avi', which need none of them",
        shown, recipe.name, recipe.remedy));
  }
};

LibavWriter::LibavWriter(LibavFormat format, const std::filesystem::path& path, cv::Size size,
                         double fps, std::string shown)
    : state_(std::make_unique<State>()) {
  static constexpr int kLargestDenominator = 60000;
  // Its summaries of every file are not for our users; what fails is said by our errors.
  av_log_set_level(AV_LOG_QUIET);
  state_->format = format;
  state_->shown = std::move(shown);
  state_->open_encoder(size, av_d2q(fps, kLargestDenominator));
  state_->open_container(path);
  state_->scaler = from_rgb(size, recipe_of(format).pixels);
  state_->rgb = frame_of(AV_PIX_FMT_RGB24, even(size));
  state_->coded = frame_of(recipe_of(format).pixels, size);
  state_->coded->pts = 0;
  state_->packet.reset(needed(av_packet_alloc()));
}

LibavWriter::~LibavWriter() = default;

void LibavWriter::write(const cv::Mat& rgb) {
  AVFrame& from = *state_->rgb;
  AVFrame& to = *state_->coded;
  // The last colours of an odd side are means of two pixels, of which one is a copy.
  cv::copyMakeBorder(rgb,
                     cv::Mat(from.height, from.width, CV_8UC3, from.data[0],
                             static_cast<size_t>(from.linesize[0])),
                     0, from.height - rgb.rows, 0, from.width - rgb.cols, cv::BORDER_REPLICATE);
  // The encoder may still hold the frame before.
  state_->done(av_frame_make_writable(&to));
  sws_scale(state_->scaler.get(), from.data, from.linesize, 0, rgb.rows, to.data, to.linesize);
  state_->done(avcodec_send_frame(state_->encoder.get(), &to));
  state_->write_packets();
  ++to.pts;
}

void LibavWriter::finish() {
  state_->done(avcodec_send_frame(state_->encoder.get(), nullptr));
  state_->write_packets();
  state_->done(av_write_trailer(state_->container.get()));
  state_->done(avio_closep(&state_->container->pb));
}

}  // namespace momap::video_output
