#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Diffusion U-Nets in Python torch, layer by layer as the diffusers library builds them: the peers of
bench.diffusion_unet. Random weights, float32. Needs python3-torch.

  unet2d.py small|sd32|sd64 inference|training [REPETITIONS] [--tuned]

small: UNet2DModel 64/128/256, 2 layers a block, attention at the lowest level, 24 channels, 32x32, batch 8.
sd32, sd64: UNet2DConditionModel of Stable Diffusion 1.5 on latents of that side, batch 2.
--tuned: one pool of threads (OPENBLAS_NUM_THREADS=1) and a malloc that keeps its pages; otherwise as installed.
Prints the median of the seconds a step, the fastest, and the peak memory in MiB.
"""
import os
import resource
import statistics
import sys
import time

tuned = "--tuned" in sys.argv
arguments = [a for a in sys.argv[1:] if a != "--tuned"]
threads = int(os.environ.get("PEER_THREADS", "2"))
if tuned:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import ctypes

    libc = ctypes.CDLL("libc.so.6")
    M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
    libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
    libc.mallopt(M_TRIM_THRESHOLD, 1 << 30)

import torch
import torch.nn as nn
import torch.nn.functional as F


class Resnet(nn.Module):
    def __init__(self, inside, outside, time_width, eps):
        super().__init__()
        self.norm1 = nn.GroupNorm(32, inside, eps)
        self.conv1 = nn.Conv2d(inside, outside, 3, padding=1)
        self.time_emb_proj = nn.Linear(time_width, outside)
        self.norm2 = nn.GroupNorm(32, outside, eps)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(inside, outside, 1) if inside != outside else None

    def forward(self, x, temb):
        y = self.conv1(F.silu(self.norm1(x)))
        y = y + self.time_emb_proj(F.silu(temb))[:, :, None, None]
        y = self.conv2(F.silu(self.norm2(y)))
        return (x if self.conv_shortcut is None else self.conv_shortcut(x)) + y


class Heads(nn.Module):
    """Multi-head attention; scores by baddbmm, softmax, bmm."""

    def __init__(self, width, heads, context, bias):
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width, bias=bias)
        self.k = nn.Linear(context, width, bias=bias)
        self.v = nn.Linear(context, width, bias=bias)
        self.out = nn.Linear(width, width)

    def split(self, x):
        b, n, c = x.shape
        return x.reshape(b, n, self.heads, c // self.heads).permute(0, 2, 1, 3).reshape(b * self.heads, n, -1)

    def forward(self, x, context=None):
        context = x if context is None else context
        q, k, v = self.split(self.q(x)), self.split(self.k(context)), self.split(self.v(context))
        if hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            blank = torch.empty(q.shape[0], q.shape[1], k.shape[1])
            scores = torch.baddbmm(blank, q, k.transpose(1, 2), beta=0, alpha=q.shape[-1] ** -0.5)
            y = torch.bmm(scores.softmax(-1), v)
        b, n, c = x.shape
        return self.out(y.reshape(b, self.heads, n, -1).permute(0, 2, 1, 3).reshape(b, n, c))


class PixelAttention(nn.Module):
    def __init__(self, channels, head_width, eps):
        super().__init__()
        self.norm = nn.GroupNorm(32, channels, eps)
        self.heads = Heads(channels, channels // head_width, channels, True)

    def forward(self, x, _):
        y = self.norm(x).flatten(2).transpose(1, 2)
        return x + self.heads(y).transpose(1, 2).reshape(x.shape)


class PixelTransformer(nn.Module):
    def __init__(self, channels, heads, text_width):
        super().__init__()
        self.norm = nn.GroupNorm(32, channels, 1e-6)
        self.proj_in = nn.Conv2d(channels, channels, 1)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(channels) for _ in range(3))
        self.attn1 = Heads(channels, heads, channels, False)
        self.attn2 = Heads(channels, heads, text_width, False)
        self.gate = nn.Linear(channels, 8 * channels)
        self.down = nn.Linear(4 * channels, channels)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x, text):
        b, c, h, w = x.shape
        y = self.proj_in(self.norm(x)).permute(0, 2, 3, 1).reshape(b, h * w, c)
        y = y + self.attn1(self.norm1(y))
        y = y + self.attn2(self.norm2(y), text)
        a, g = self.gate(self.norm3(y)).chunk(2, -1)
        y = y + self.down(a * F.gelu(g))
        return x + self.proj_out(y.reshape(b, h, w, c).permute(0, 3, 1, 2).contiguous())


class UNet(nn.Module):
    def __init__(self, channels, widths, attends, make_attention, eps):
        super().__init__()
        self.first = widths[0]
        time_width = 4 * widths[0]
        self.time = nn.Sequential(nn.Linear(widths[0], time_width), nn.SiLU(), nn.Linear(time_width, time_width))
        self.conv_in = nn.Conv2d(channels, widths[0], 3, padding=1)
        now, skips = widths[0], [widths[0]]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, width in enumerate(widths):
            block = nn.ModuleDict({"resnets": nn.ModuleList(), "attentions": nn.ModuleList()})
            for _ in range(2):
                block["resnets"].append(Resnet(now, width, time_width, eps))
                now = width
                skips.append(now)
                if attends[i]:
                    block["attentions"].append(make_attention(now))
            if i + 1 < len(widths):
                block["shrink"] = nn.Conv2d(now, now, 3, 2, 1)
                skips.append(now)
            self.down.append(block)
        self.middle = nn.ModuleList([Resnet(now, now, time_width, eps), make_attention(now),
                                     Resnet(now, now, time_width, eps)])
        for i, width in reversed(list(enumerate(widths))):
            block = nn.ModuleDict({"resnets": nn.ModuleList(), "attentions": nn.ModuleList()})
            for _ in range(3):
                block["resnets"].append(Resnet(now + skips.pop(), width, time_width, eps))
                now = width
                if attends[i]:
                    block["attentions"].append(make_attention(now))
            if i > 0:
                block["grow"] = nn.Conv2d(now, now, 3, padding=1)
            self.up.append(block)
        self.norm_out = nn.GroupNorm(32, now, eps)
        self.conv_out = nn.Conv2d(now, channels, 3, padding=1)

    def forward(self, x, t, text=None):
        half = self.first // 2
        angle = t[:, None] * torch.exp(torch.arange(half) * (-9.210340371976184 / half))
        temb = self.time(torch.cat([angle.cos(), angle.sin()], 1))
        x = self.conv_in(x)
        skips = [x]
        for block in self.down:
            for i, resnet in enumerate(block["resnets"]):
                x = resnet(x, temb)
                if len(block["attentions"]):
                    x = block["attentions"][i](x, text)
                skips.append(x)
            if "shrink" in block:
                x = block["shrink"](x)
                skips.append(x)
        x = self.middle[0](x, temb)
        x = self.middle[1](x, text)
        x = self.middle[2](x, temb)
        for block in self.up:
            for i, resnet in enumerate(block["resnets"]):
                x = resnet(torch.cat([x, skips.pop()], 1), temb)
                if len(block["attentions"]):
                    x = block["attentions"][i](x, text)
            if "grow" in block:
                x = block["grow"](F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.conv_out(F.silu(self.norm_out(x)))


def main():
    size, task = arguments[0], arguments[1]
    repetitions = int(arguments[2]) if len(arguments) > 2 else 5
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    if size == "small":
        net = UNet(24, [64, 128, 256], [False, False, True], lambda c: PixelAttention(c, 8, 1e-5), 1e-5)
        inputs = [torch.randn(8, 24, 32, 32), torch.full((8,), 500.0)]
    else:
        side = int(size[2:])
        net = UNet(4, [320, 640, 1280, 1280], [True, True, True, False], lambda c: PixelTransformer(c, 8, 768), 1e-5)
        inputs = [torch.randn(2, 4, side, side), torch.full((2,), 500.0), torch.randn(2, 77, 768)]
    target = torch.randn_like(inputs[0])
    optimiser = torch.optim.AdamW(net.parameters(), 1e-4) if task == "training" else None

    def step():
        if task == "inference":
            with torch.no_grad():
                net(*inputs)
            return
        optimiser.zero_grad()
        F.mse_loss(net(*inputs), target).backward()
        optimiser.step()

    step()
    times = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{statistics.median(times):.4f} {min(times):.4f} {peak:.0f}")


if __name__ == "__main__":
    main()
