// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <momap/stage/torch_threads.h>

namespace momap {

void keep_torch_on_this_thread() {
  static thread_local bool done = false;
  if (done) return;
  at::set_num_threads(1);
  done = true;
}

TorchThreads::TorchThreads(int count) { at::set_num_threads(count); }
TorchThreads::~TorchThreads() { at::set_num_threads(1); }

}  // namespace momap
