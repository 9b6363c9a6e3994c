// SPDX-License-Identifier: Apache-2.0
#include "engine_process.h"
#include "front.h"
#include "guarded.h"

// `momap`: does what only reads, and hands everything else to the engine, which links LibTorch.

namespace {

char** arguments = nullptr;

int launch(const momap::Options& options) {
  if (momap::is_front_command(options)) return momap::run_front_command(options);
  momap::become_engine(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  arguments = argv;
  return momap::guarded("momap", launch, momap::parse_command_line(argc, argv));
}
