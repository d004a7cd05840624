"""Frames to learn from by the hundred: the heads of the budget's own frames set anew onto empty scenes, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from engines.cases.turnstile import compose
from engines.cases.turnstile.compose import Placed, Recipe
from engines.cases.turnstile.photos import FACE, SIDE

SCENES = 500  # empty frames, made from backgrounds and pieces of backgrounds
MASKS = 64
_LEVELS = 3  # each half as fine as the one before: a small face is drawn from a small picture


@dataclass(frozen=True)
class View:
    """What is painted: `height` x `width` pixels with a face of `sizes` pixels, or nobody in `empty` of them."""

    height: int
    width: int
    sizes: tuple[float, float]
    empty: float = 0.08


@dataclass(frozen=True)
class Painted:
    """`x` (n, 3, height, width) in about [-1, 1]; which of the frames show nobody, `empty` (n,); `places` (n, 4) of the
    faces: the middle (x, y) and the size in pixels, and the turn in radians as `Placed` has it."""

    x: Tensor
    empty: NDArray[np.bool_]
    places: NDArray[np.float64]


class Painter:
    """`heads` uint8 (n, SIDE, SIDE, 3) with the face in the middle; `scenes` backgrounds of any size."""

    def __init__(
        self,
        heads: NDArray[np.uint8],
        scenes: Sequence[NDArray[np.uint8]],
        size: tuple[int, int],
        rng: np.random.Generator,
    ) -> None:
        empty = Recipe(height=size[0], width=size[1], distractors=3, harm=0.5)
        made = np.stack([compose.painted(None, scenes, rng, empty)[0] for _ in range(SCENES)])
        self.scenes = torch.from_numpy(made).permute(0, 3, 1, 2)
        masks = np.stack([compose.mask(64, 0.0, rng) for _ in range(MASKS)])
        self.masks = torch.from_numpy(masks)[:, None]
        levels = [torch.from_numpy(heads).permute(0, 3, 1, 2)]
        for _ in range(_LEVELS - 1):
            levels.append(functional.avg_pool2d(levels[-1].float(), 2).round().to(torch.uint8))
        self.levels = levels

    def paint(self, chosen: NDArray[np.int64], view: View, rng: np.random.Generator) -> Painted:
        """A frame for each of the `chosen` heads (n,)."""
        n = len(chosen)
        canvas = self._scenes(n, view, rng)
        empty = rng.random(n) < view.empty
        size = np.exp(rng.uniform(*np.log(view.sizes), n))
        x = rng.uniform(size / 2, view.width - size / 2)
        y = rng.uniform(size / 2, view.height - size / 2)
        turn = rng.normal(0, np.deg2rad(8), n)
        mirror = np.where(rng.random(n) < 0.5, -1.0, 1.0)
        # From the canvas, in [-1, 1], to the head's square, in [-1, 1].
        half = size / FACE * SIDE / 2
        across, down = view.width / 2 / half, view.height / 2 / half
        cos, sin = np.cos(turn), np.sin(turn)
        shift_x, shift_y = -(x - view.width / 2) / half, -(y - view.height / 2) / half
        first = np.stack([mirror * cos * across, -mirror * sin * down, mirror * (cos * shift_x - sin * shift_y)], 1)
        second = np.stack([sin * across, cos * down, sin * shift_x + cos * shift_y], 1)
        there = torch.from_numpy(np.stack([first, second], 1)).float()
        level = np.clip(np.log2(FACE / size), 0, _LEVELS - 1).astype(int)
        for k in range(_LEVELS):
            index = np.flatnonzero((level == k) & ~empty)
            if not len(index):
                continue
            grid = functional.affine_grid(there[index], [len(index), 3, view.height, view.width], align_corners=False)
            heads = functional.grid_sample(self.levels[k][chosen[index]].float(), grid, align_corners=False)
            mask = functional.grid_sample(self.masks[rng.integers(0, MASKS, len(index))], grid, align_corners=False)
            gain = _column(np.exp(rng.normal(0, 0.15, (len(index), 1))) * np.exp(rng.normal(0, 0.05, (len(index), 3))))
            canvas[index] += mask * (heads * gain + _column(rng.normal(0, 10, (len(index), 1))) - canvas[index])
        return Painted(seen(canvas, rng), empty, np.stack([x, y, size, turn], 1))

    def _scenes(self, n: int, view: View, rng: np.random.Generator) -> Tensor:
        """Pieces of scenes as they are, or from 2 or 3 times as far away where they are large enough for that."""
        height, width = self.scenes.shape[2:]
        farthest = min(3, height // view.height, width // view.width)
        pieces = []
        for _ in range(n):
            far = int(rng.integers(1, farthest + 1))
            high, wide = far * view.height, far * view.width
            top, left = int(rng.integers(0, height - high + 1)), int(rng.integers(0, width - wide + 1))
            piece = self.scenes[int(rng.integers(len(self.scenes))), :, top : top + high, left : left + wide].float()
            piece = functional.avg_pool2d(piece, far)
            pieces.append(piece.flip(2) if rng.random() < 0.5 else piece)
        return torch.stack(pieces)


def toned(frames: Tensor) -> Tensor:
    """Frames uint8 (n, height, width, 3) as the network sees them: (n, 3, height, width) in [-1, 1]."""
    return frames.permute(0, 3, 1, 2).float() / 127.5 - 1


def seen(canvas: Tensor, rng: np.random.Generator) -> Tensor:
    """(n, 3, height, width) in [0, 255] -> about [-1, 1], lit, now and then coarsened, and grained."""
    n, _, height, width = canvas.shape
    x = canvas / 127.5 - 1
    if rng.random() < 0.3:
        share = float(rng.uniform(0.45, 0.9))
        x = functional.interpolate(x, scale_factor=share, mode="area")
        x = functional.interpolate(x, (height, width), mode="bilinear", align_corners=False)
    gain = np.exp(rng.normal(0, 0.15, (n, 1))) * np.exp(rng.normal(0, 0.04, (n, 3)))
    x = x * _column(gain) + _column(rng.normal(0, 0.12, (n, 1)))
    grain = torch.from_numpy(rng.standard_normal((n, 1, height, width), dtype=np.float32))
    return x + grain * _column(rng.uniform(0, 0.05, (n, 1)))


def head(picture: NDArray[np.uint8], placed: Placed) -> NDArray[np.uint8]:
    """The head in a frame as a photo, uint8 (SIDE, SIDE, 3), turned upright; what lies outside repeats the edge."""
    from PIL import Image

    pad = 180
    wide = np.pad(picture, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    corners = [placed.point(*corner) for corner in ((0, 0), (SIDE, 0), (0, SIDE))]
    (x0, y0), (x1, y1), (x2, y2) = ((x + pad, y + pad) for x, y in corners)
    matrix = ((x1 - x0) / SIDE, (x2 - x0) / SIDE, x0, (y1 - y0) / SIDE, (y2 - y0) / SIDE, y0)
    image = Image.fromarray(wide)
    return np.array(image.transform((SIDE, SIDE), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR))


def _column(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))[:, :, None, None]
