"""Cuttings as networks learn from them: each time a little different, as a camera at a gate would give them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from engines.cases.turnstile.crop import SIDE
from engines.cases.turnstile.networks import INNER

_GROUPS = 4  # of a batch: each is blurred to a size of its own


@dataclass(frozen=True)
class Strength:
    """How much is changed: `turn` in radians, `zoom` and `shift` as shares, `light`; `coarse` the smallest size in
    pixels that a face is brought down to; `erase` the share of cuttings of which a part is covered."""

    turn: float = 0.12
    zoom: float = 0.10
    shift: float = 0.06
    light: float = 0.25
    coarse: float = 26.0
    erase: float = 0.15


def inner(cuttings: NDArray[np.uint8]) -> Tensor:
    """uint8 (n, SIDE, SIDE, 3) -> (n, 3, INNER, INNER) in about [-1, 1]: the middle, unchanged."""
    edge = (SIDE - INNER) // 2
    middle = torch.from_numpy(np.ascontiguousarray(cuttings[:, edge:-edge, edge:-edge]))
    return middle.permute(0, 3, 1, 2).float() / 127.5 - 1


def varied(cuttings: NDArray[np.uint8], rng: np.random.Generator, strength: Strength) -> Tensor:
    """The same, turned, moved, mirrored, lit, coarsened, covered and grained at random."""
    x = torch.from_numpy(np.ascontiguousarray(cuttings)).permute(0, 3, 1, 2).float() / 127.5 - 1
    n = len(x)
    turn = rng.normal(0, strength.turn, n)
    zoom = INNER / SIDE * np.exp(rng.normal(0, strength.zoom, n))
    mirror = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    cos, sin = zoom * np.cos(turn), zoom * np.sin(turn)
    shift = rng.normal(0, strength.shift, (2, n))
    rows = np.stack([np.stack([mirror * cos, -sin, shift[0]], 1), np.stack([mirror * sin, cos, shift[1]], 1)], 1)
    grid = functional.affine_grid(torch.from_numpy(rows).float(), [n, 3, INNER, INNER], align_corners=False)
    x = functional.grid_sample(x, grid, padding_mode="border", align_corners=False)
    pieces = []
    for piece in x.chunk(min(_GROUPS, n)):
        size = round(float(np.exp(rng.uniform(np.log(strength.coarse), np.log(2.5 * INNER)))))
        if size < INNER - 4:
            small = functional.interpolate(piece, (size, size), mode="area")
            pieces.append(functional.interpolate(small, (INNER, INNER), mode="bilinear", align_corners=False))
        else:
            pieces.append(piece)
    x = torch.cat(pieces)
    gain = np.exp(rng.normal(0, strength.light, (n, 1))) * np.exp(rng.normal(0, strength.light / 5, (n, 3)))
    bias = rng.normal(0, strength.light / 2, (n, 1)) + rng.normal(0, strength.light / 10, (n, 3))
    x = x * _column(gain) + _column(bias)
    grain = torch.from_numpy(rng.standard_normal((n, 1, INNER, INNER), dtype=np.float32))
    x = x + grain * _column(rng.uniform(0, 0.08, (n, 1)))
    for i in np.flatnonzero(rng.random(n) < strength.erase):
        high, wide = rng.integers(10, 28, 2)
        top, left = rng.integers(0, INNER - 10, 2)
        x[i, :, top : top + high, left : left + wide] = float(rng.normal(0, 0.5))
    return x


def _column(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))[:, :, None, None]
