// SPDX-License-Identifier: Apache-2.0
#include "viewer_assets.h"

// .incbin: a string literal of this length takes a compiler seconds and is over the standard's
// limit.
asm(".pushsection .rodata\n"
    ".global momap_viewer_script\n"
    ".global momap_viewer_script_end\n"
    "momap_viewer_script:\n"
    ".incbin \"" MOMAP_VIEWER_SCRIPT
    "\"\n"
    "momap_viewer_script_end:\n"
    ".byte 0\n"
    ".popsection\n");

extern "C" {
extern const char momap_viewer_script[];
extern const char momap_viewer_script_end[];
}

namespace momap {

std::string_view viewer_script() { return {momap_viewer_script, momap_viewer_script_end}; }

}  // namespace momap
