#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints SSIM and PSNR of two raw RGB pictures: scikit_image_scores.py HEIGHT WIDTH A B"""
import sys

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

height, width = int(sys.argv[1]), int(sys.argv[2])
a, b = (np.fromfile(name, np.uint8).reshape(height, width, 3) for name in sys.argv[3:5])
ssim = structural_similarity(
    a, b, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
)
print(repr(float(ssim)), repr(float(peak_signal_noise_ratio(a, b, data_range=255))))
