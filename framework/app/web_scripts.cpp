// SPDX-License-Identifier: Apache-2.0
#include "web_scripts.h"

// .incbin: a string literal of this length takes a compiler seconds and is over the standard's
// limit.
#define MOMAP_INCLUDE_FILE(symbol, file) \
  asm(".pushsection .rodata\n"           \
      ".global " symbol                  \
      "\n"                               \
      ".global " symbol "_end\n" symbol  \
      ":\n"                              \
      ".incbin \"" file "\"\n" symbol    \
      "_end:\n"                          \
      ".byte 0\n"                        \
      ".popsection\n")

MOMAP_INCLUDE_FILE("momap_viewer_script", MOMAP_WEB_FOLDER "/viewer.bundle.js");
MOMAP_INCLUDE_FILE("momap_report_script", MOMAP_WEB_FOLDER "/report.bundle.js");

extern "C" {
extern const char momap_viewer_script[];
extern const char momap_viewer_script_end[];
extern const char momap_report_script[];
extern const char momap_report_script_end[];
}

namespace momap {

std::string_view viewer_script() { return {momap_viewer_script, momap_viewer_script_end}; }
std::string_view report_script() { return {momap_report_script, momap_report_script_end}; }

}  // namespace momap
