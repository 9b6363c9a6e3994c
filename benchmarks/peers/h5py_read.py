#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cached random read of 500 motion maps 24x128x128x3 (f32) with h5py, chunk = one sample, every byte touched.

The peer of bench.database's `random_read`. Needs python3-h5py. Prints GB/s of core time (what other programs of
the machine do does not count, as in bench.database): of h5py alone, and of what h5py read
plus one numpy sum (the touch).
"""
import os
import tempfile
import time

import h5py
import numpy as np

SAMPLES, SHAPE, ROUNDS = 500, (24, 128, 128, 3), 5

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "maps.h5")
    sample = np.random.default_rng(1).standard_normal(SHAPE, dtype=np.float32)
    with h5py.File(path, "w") as file:
        data = file.create_dataset("xyz", (SAMPLES, *SHAPE), dtype="f4", chunks=(1, *SHAPE))
        for i in range(SAMPLES):
            data[i] = sample
    with h5py.File(path, "r") as file:
        data = file["xyz"]
        buffer = np.empty(SHAPE, np.float32)
        order = [(i * 211) % SAMPLES for i in range(SAMPLES)]
        rates, touched = [], []
        for _ in range(ROUNDS + 1):
            start = time.thread_time()
            for i in order:
                data.read_direct(buffer, np.s_[i])
            rates.append(SAMPLES * sample.nbytes / (time.thread_time() - start) / 1e9)
            start = time.thread_time()
            for i in order:
                data.read_direct(buffer, np.s_[i])
                buffer.reshape(-1).view(np.uint64).sum()
            touched.append(SAMPLES * sample.nbytes / (time.thread_time() - start) / 1e9)
    # The first round warms the page cache.
    print(f"h5py {np.median(rates[1:]):.2f} GB/s, with every byte touched {np.median(touched[1:]):.2f} GB/s")
