// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include "plate/complete.h"

namespace {

class Background final : public momap::Completer {
 public:
  using Params = momap::completion::BackgroundParams;

  explicit Background(Params params) : params_(params) {}

  momap::Clip complete(const momap::PartialClip& partial, const momap::Context& context) override {
    return momap::completion::complete_with_background(partial, "completion/background", params_,
                                                       {}, context);
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(Background, "completion/background", 2,
             "Fills holes with what lies behind what moved, the same through the whole clip.");
