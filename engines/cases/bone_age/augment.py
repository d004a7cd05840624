"""Pictures as networks take them, and pictures made of pictures: turned, scaled, mirrored, in other greys."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Map = NDArray[np.float32]


def normal(pixels: Map) -> Map:
    """(n, height, width): every picture with mean 0 and standard deviation 1."""
    mean = pixels.mean(axis=(1, 2), keepdims=True)
    spread = pixels.std(axis=(1, 2), keepdims=True)
    return ((pixels - mean) / np.maximum(spread, 1e-3)).astype(np.float32)


def greys(pixels: Map, rng: np.random.Generator) -> Map:
    """Another curve of greys, other noise, another unevenness: (n, height, width) in [0, 1]."""
    n, height, width = pixels.shape
    gamma = np.exp(rng.normal(0, 0.25, (n, 1, 1))).astype(np.float32)
    made = np.maximum(pixels, 1e-4) ** gamma
    y, x = np.linspace(-1, 1, height, dtype=np.float32), np.linspace(-1, 1, width, dtype=np.float32)
    lean = rng.normal(0, 0.08, (2, n, 1, 1)).astype(np.float32)
    made = made + lean[0] * y[None, :, None] + lean[1] * x[None, None]
    return made + rng.standard_normal(made.shape).astype(np.float32) * np.float32(abs(rng.normal(0, 0.02)))


def moves(
    n: int, rng: np.random.Generator, turn: float, scale: float, shift: float
) -> tuple[Tensor, NDArray[np.float64]]:
    """Matrices (n, 2, 3) for affine_grid of pictures turned by up to a few `turn` degrees, scaled by e^±`scale` and
    mirrored at random, and by how much each grew (n,)."""
    angle = np.deg2rad(rng.normal(0, turn, n))
    grown = np.exp(rng.uniform(-scale, scale, n))
    flip = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    cos, sin = np.cos(angle) / grown, np.sin(angle) / grown
    matrix = np.zeros((n, 2, 3), np.float32)
    ratio = 4 / 3  # height against width: a turn is a turn in mm
    matrix[:, 0, 0], matrix[:, 0, 1] = flip * cos, sin * ratio
    matrix[:, 1, 0], matrix[:, 1, 1] = -flip * sin / ratio, cos
    matrix[:, :, 2] = rng.normal(0, shift, (n, 2))
    return torch.from_numpy(matrix), grown


def batch(pixels: Map, labels: NDArray[np.uint8], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Changed pictures (n, height, width) and their labels, changed alike."""
    changed = torch.from_numpy(greys(pixels, rng).astype(np.float32))[:, None]
    matrix, _ = moves(len(pixels), rng, 9.0, 0.18, 0.05)
    grid = nn.functional.affine_grid(matrix, list(changed.shape), align_corners=False)
    image = nn.functional.grid_sample(changed, grid, padding_mode="border", align_corners=False)[:, 0]
    places = torch.from_numpy(labels).float()[:, None]
    moved = nn.functional.grid_sample(places, grid, mode="nearest", align_corners=False)[:, 0]
    return torch.from_numpy(normal(image.numpy())), moved.long()


def view(pixels: Map, rng: np.random.Generator) -> tuple[Tensor, NDArray[np.float64]]:
    """Changed pictures (n, height, width) alone, and by how much each grew."""
    changed = torch.from_numpy(greys(pixels, rng).astype(np.float32))[:, None]
    matrix, grown = moves(len(pixels), rng, 7.0, 0.1, 0.04)
    grid = nn.functional.affine_grid(matrix, list(changed.shape), align_corners=False)
    image: Any = nn.functional.grid_sample(changed, grid, padding_mode="border", align_corners=False)[:, 0]
    return torch.from_numpy(normal(image.numpy())), grown
