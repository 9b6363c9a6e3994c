// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace momap {

/// From now on Ctrl-C (and SIGTERM) asks to stop instead of ending the process; a second one ends
/// it at once.
void stop_on_interrupt();

/// Whether it was asked.
bool interrupted();

}  // namespace momap
