// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

namespace momap {

/// One pool of threads for the whole process: oneTBB gets `count`, LibTorch and OpenCV run
/// single-threaded inside its tasks. Also keeps freed memory in the process, because LibTorch
/// allocates the same large tensors again and again.
class ThreadBudget {
 public:
  /// `count` 0 = all cores this process may use.
  explicit ThreadBudget(int count);
  ~ThreadBudget();
  ThreadBudget(const ThreadBudget&) = delete;
  ThreadBudget& operator=(const ThreadBudget&) = delete;

  int count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace momap
