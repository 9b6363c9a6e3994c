// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <opencv2/core/utility.hpp>

// As the kernel does: parallelism is oneTBB's alone.
int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  cv::setNumThreads(1);
  at::set_num_threads(1);
  return RUN_ALL_TESTS();
}
