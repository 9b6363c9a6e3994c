// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/plugin/plugin.h>

namespace {

/// The motion a data set knows to be true, as if it had been measured: the upper bound of any
/// extraction, the control row `oracle`, and what models are trained on.
class Oracle final : public momap::Extractor {
 public:
  struct Params {
    int64_t future = 0;

    static auto schema() {
      return std::tuple{momap::param("future", &Params::future,
                                     "Which of the clip's true futures; 0 is the one its frames "
                                     "show.")
                            .at_least(0)};
    }
  };

  explicit Oracle(Params params) : params_(params) {}

  momap::MoMap extract(const momap::Clip& clip, const momap::Context&) override {
    const auto futures = static_cast<int64_t>(clip.truth.size());
    if (futures == 0) {
      throw momap::DataError(
          "extraction/oracle: the clip knows no true motion; use a source that does (for example "
          "source/synthetic) or measure it (extraction/chained_flow)");
    }
    if (params_.future >= futures) {
      throw momap::DataError(fmt::format(
          "extraction/oracle: 'future' = {}, the clip has {} (0 to {}); ask the source for more",
          params_.future, futures, futures - 1));
    }
    return clip.truth[static_cast<size_t>(params_.future)].motion;
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(Oracle, "extraction/oracle", 1,
             "Gives the motion that the data set knows to be true.");
