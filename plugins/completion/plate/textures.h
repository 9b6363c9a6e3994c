// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "complete.h"

namespace momap::completion {

/// Repaints the holes of a picture so that they continue the textures and edges around them: in
/// each round blocks that overlap are brought to few cosine waves, with less left out than before,
/// and what is sure is put back (Guleryuz, Nonlinear Approximation Based Image Recovery Using
/// Adaptive Sparse Reconstructions and Iterated Denoising, IEEE TIP 2006).
void continue_textures(const Picture& picture, int rounds);

}  // namespace momap::completion
