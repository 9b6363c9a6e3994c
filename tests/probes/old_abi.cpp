// SPDX-License-Identifier: Apache-2.0
// Built for another plugin ABI: only the stamp counts, nothing else of the library is looked at.
__attribute__((section("momap_stamp"), used)) static const char stamp[] =
    "abi=0 torch=1.13 cxx=1017.1";
