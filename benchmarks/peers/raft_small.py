#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""RAFT-small (Teed, Deng, ECCV 2020) in Python torch, as its authors' program computes it: all-pairs volume, four
levels, lookup by grid_sample. The peer of bench.raft_small. Needs python3-torch and python3-numpy.

  raft_small.py WEIGHTS.npz [threads] [height width] [pairs]

Prints seconds per pair and seconds of cores per pair (medians after one warm-up), and the peak memory of the process.
"""
import resource
import statistics
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

LEVELS, RADIUS, ITERATIONS = 4, 3, 20


class Raft:
    def __init__(self, path):
        self.w = {name: torch.from_numpy(a) for name, a in np.load(path).items()}

    def conv(self, x, name, stride=1):
        weight = self.w[name + ".weight"]
        return F.conv2d(x, weight, self.w[name + ".bias"], stride, weight.shape[-1] // 2)

    def encode(self, x, net):
        norm = (lambda y: F.instance_norm(y)) if net == "fnet" else (lambda y: y)
        x = F.relu(norm(self.conv(x, net + ".conv1", 2)))
        for layer in (1, 2, 3):
            for block in (0, 1):
                name = f"{net}.layer{layer}.{block}"
                stride = 2 if layer > 1 and block == 0 else 1
                y = F.relu(norm(self.conv(x, name + ".conv1")))
                y = F.relu(norm(self.conv(y, name + ".conv2", stride)))
                y = F.relu(norm(self.conv(y, name + ".conv3")))
                if stride == 2:
                    x = norm(self.conv(x, name + ".downsample.0", 2))
                x = F.relu(x + y)
        return self.conv(x, net + ".conv2")

    def lookup(self, pyramid, coords):
        _, _, h, w = coords.shape
        coords = coords.permute(0, 2, 3, 1).reshape(h * w, 1, 1, 2)
        steps = torch.arange(-RADIUS, RADIUS + 1.0)
        # The published net adds the first index to x.
        delta = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), -1)
        out = []
        for level, volume in enumerate(pyramid):
            at = coords / 2**level + delta
            size = torch.tensor([volume.shape[-1] - 1, volume.shape[-2] - 1])
            sampled = F.grid_sample(volume, 2 * at / size - 1, align_corners=True)
            out.append(sampled.view(1, h, w, -1))
        return torch.cat(out, -1).permute(0, 3, 1, 2).contiguous()

    @torch.no_grad()
    def __call__(self, a, b):
        a, b = 2 * a / 255 - 1, 2 * b / 255 - 1
        fa, fb = self.encode(torch.cat([a, b]), "fnet").split(1)
        hidden, context = self.encode(a, "cnet").split([96, 64], 1)
        hidden, context = torch.tanh(hidden), F.relu(context)
        _, channels, h, w = fa.shape
        volume = torch.matmul(fa.view(channels, -1).t(), fb.view(channels, -1)) / channels**0.5
        pyramid = [volume.view(h * w, 1, h, w)]
        for _ in range(LEVELS - 1):
            pyramid.append(F.avg_pool2d(pyramid[-1], 2))
        grid = torch.stack(torch.meshgrid(torch.arange(w), torch.arange(h), indexing="xy")).float()[None]
        coords = grid.clone()
        for _ in range(ITERATIONS):
            flow = coords - grid
            block = "update_block."
            c = F.relu(self.conv(self.lookup(pyramid, coords), block + "encoder.convc1"))
            f = F.relu(self.conv(flow, block + "encoder.convf1"))
            f = F.relu(self.conv(f, block + "encoder.convf2"))
            motion = F.relu(self.conv(torch.cat([c, f], 1), block + "encoder.conv"))
            x = torch.cat([context, motion, flow], 1)
            hx = torch.cat([hidden, x], 1)
            z = torch.sigmoid(self.conv(hx, block + "gru.convz"))
            r = torch.sigmoid(self.conv(hx, block + "gru.convr"))
            q = torch.tanh(self.conv(torch.cat([r * hidden, x], 1), block + "gru.convq"))
            hidden = (1 - z) * hidden + z * q
            step = F.relu(self.conv(hidden, block + "flow_head.conv1"))
            coords = coords + self.conv(step, block + "flow_head.conv2")
        flow = coords - grid
        return 8 * F.interpolate(flow, scale_factor=8, mode="bilinear", align_corners=True)


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    height, width = (int(sys.argv[3]), int(sys.argv[4])) if len(sys.argv) > 4 else (440, 1024)
    pairs = int(sys.argv[5]) if len(sys.argv) > 5 else 3
    net = Raft(sys.argv[1])
    frames = torch.from_numpy(np.random.default_rng(1).uniform(0, 255, (2, 1, 3, height, width)).astype(np.float32))
    seconds, cores = [], []
    for _ in range(pairs + 1):
        start, used = time.perf_counter(), time.process_time()
        net(frames[0], frames[1])
        seconds.append(time.perf_counter() - start)
        cores.append(time.process_time() - used)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{statistics.median(seconds[1:]):.3f} s a pair ({statistics.median(cores[1:]):.3f} s of cores), peak memory {peak:.0f} MiB")
