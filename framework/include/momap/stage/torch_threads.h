// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace momap {

/// Makes LibTorch (and the OpenMP below it, whose thread count belongs to the calling thread) work
/// on this thread alone. oneTBB tasks that call LibTorch start with it; a thread pays for it once.
void keep_torch_on_this_thread();

/// While it lives, LibTorch calls of this thread may use `count` threads (for `whole_machine`
/// steps).
class TorchThreads {
 public:
  explicit TorchThreads(int count);
  ~TorchThreads();
  TorchThreads(const TorchThreads&) = delete;
  TorchThreads& operator=(const TorchThreads&) = delete;
};

}  // namespace momap
