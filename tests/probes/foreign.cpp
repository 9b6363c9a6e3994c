// SPDX-License-Identifier: Apache-2.0
// A shared library that has nothing to do with MoMap.
extern "C" __attribute__((visibility("default"))) int foreign() { return 1; }
