// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <malloc.h>
#include <momap/run/threads.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>

#include <opencv2/core/utility.hpp>

namespace momap {

struct ThreadBudget::Impl {
  int count;
  // The thread that waits for a run does not work itself, so the pool has one more than works.
  tbb::global_control limit;

  explicit Impl(int n)
      : count(n), limit(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(n) + 1) {}
};

ThreadBudget::ThreadBudget(int count)
    : impl_(std::make_unique<Impl>(count > 0 ? count : tbb::info::default_concurrency())) {
  static constexpr int kKeepBelowBytes = 1 << 30;
  ::mallopt(M_MMAP_THRESHOLD, kKeepBelowBytes);
  ::mallopt(M_TRIM_THRESHOLD, kKeepBelowBytes);
  at::set_num_threads(1);
  cv::setNumThreads(1);
}

ThreadBudget::~ThreadBudget() = default;

int ThreadBudget::count() const { return impl_->count; }

}  // namespace momap
