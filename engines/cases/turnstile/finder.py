"""A small detector that is learned from the true boxes of a budget's own frames, where MTCNN learned from others'.

A U-Net gives every place of the halved, grey frame the chance that a face's middle lies there, and the face's size and
turn if it does. Source: Zhou, Wang and Krähenbühl 2019, "Objects as points", with its penalty-reduced focal loss.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from engines.cases.turnstile import backgrounds, compose, crop, painter
from engines.cases.turnstile.compose import Placed
from engines.cases.turnstile.detect import nearest_first
from engines.cases.turnstile.painter import Painter, View
from engines.cases.turnstile.photos import FACE
from engines.core import Progress, Split
from engines.core.sighting import Box
from engines.ml import quantise, training
from engines.ml.unet import UNet

HALF = 2  # pixels of a frame to one that the network sees
HEIGHT, WIDTH = compose.HEIGHT // HALF, compose.WIDTH // HALF
ROWS = 4  # added above and below, so that 16 divides the height
CELL = 2  # pixels that the network sees, to a place that it speaks of
VIEW = View(HEIGHT, WIDTH, (compose.SMALLEST / HALF, compose.LARGEST / HALF))
USUAL = 36.0  # pixels: a face of this size is 0 on the logarithmic scale
SIZE, REAL = 16, 4  # frames in a batch; those of them that are the budget's own
SUREST, LEAST, MOST = 0.5, 0.15, 5  # surely a face; a guess; boxes at most
RARE = -4.0  # where the logarithm of the odds of a face at a place starts
NEAR = 0.3  # boxes that overlap by more are one face
WIDTHS = (12, 24, 40, 64)


def steps(frames: int) -> int:
    """As many for few frames as for many, but for tests of the machinery. With 62 frames they end where 95 in a hundred
    faces are found in training frames that were not learned from, and the loss still falls slowly."""
    return 1000 if frames >= 10 else 5


@dataclass(frozen=True)
class Finder:
    """`landmarks` (5, 2) are where eyes, nose and mouth lie in a usual photo, in its own pixels."""

    network: UNet
    landmarks: tuple[tuple[float, float], ...]

    def find(self, picture: NDArray[np.uint8]) -> tuple[Box, ...]:
        """Boxes in a frame uint8 (240, 320, 3) with the five points that their turn implies, the nearest of those that
        are surely faces first."""
        with torch.inference_mode():
            small = painter.toned(torch.from_numpy(picture[None]))
            found = self.network(_grey(functional.avg_pool2d(small, HALF)), phase=0)[0].float()
        sure = torch.sigmoid(found[0])
        peaks = torch.where(functional.max_pool2d(sure[None], 5, 1, 2)[0] == sure, sure, 0.0).flatten()
        boxes: list[Box] = []
        for place in torch.argsort(peaks, descending=True)[:MOST].tolist():
            box = self._box(place, float(peaks[place]), found.flatten(1)[1:, place].tolist())
            if box.confidence >= LEAST and all(box.overlap(other) < NEAR for other in boxes):
                boxes.append(box)
        return nearest_first(boxes, SUREST)

    def _box(self, place: int, sure: float, rest: list[float]) -> Box:
        row, column = divmod(place, WIDTH // CELL)
        x, y = ((column + 0.5) * CELL * HALF, ((row + 0.5) * CELL - ROWS) * HALF)
        size = float(np.clip(USUAL * np.exp(rest[0]), 4, 2 * WIDTH))
        spot = Placed(size * HALF / FACE, float(np.clip(rest[1], -0.8, 0.8)), x, y)
        points = tuple(spot.point(*point) for point in self.landmarks)
        bare = spot.box()
        return Box(bare.left, bare.top, bare.right, bare.bottom, sure, points)

    def save(self, directory: Path) -> None:
        quantise.save_network(self.network, directory / "finder.safetensors")
        (directory / "finder.json").write_text(json.dumps({"landmarks": self.landmarks}))

    @classmethod
    def load(cls, directory: Path) -> Finder:
        network = UNet(3, WIDTHS)
        quantise.load_network(network, directory / "finder.safetensors")
        kept = json.loads((directory / "finder.json").read_text())
        return cls(network.eval(), tuple((x, y) for x, y in kept["landmarks"]))

    @property
    def parameters(self) -> int:
        return sum(p.numel() for p in self.network.parameters())


def learn(train: Split, rng: np.random.Generator, progress: Progress) -> Finder:
    """From frames whose true places are known, and from their heads set anew onto scenes without faces."""
    spots: list[Placed] = [train.gold[i]["placed"] for i in range(len(train))]
    landmarks = crop.usual([train.gold[i]["photo"] for i in range(len(train))])
    frames = np.stack([train.x[i] for i in range(len(train))])
    heads = np.stack([painter.head(x, spot) for x, spot in zip(frames, spots, strict=True)])
    own = functional.avg_pool2d(painter.toned(torch.from_numpy(frames)), HALF)
    places = np.array([(spot.x, spot.y, spot.scale * FACE, HALF * spot.turn) for spot in spots]) / HALF
    paint = Painter(heads, backgrounds.backgrounds().train, (compose.HEIGHT, compose.WIDTH), rng)
    network = training.build(lambda: UNet(3, WIDTHS), rng)
    with torch.no_grad():
        network.head.bias[:4] = RARE

    def batches(draw: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        for _ in range(max(1, len(train) // SIZE)):
            chosen = draw.integers(0, len(train), SIZE)
            painted = paint.paint(chosen[REAL:], VIEW, draw)
            x = torch.cat([own[chosen[:REAL]], painted.x])
            empty = np.concatenate([np.zeros(REAL, bool), painted.empty])
            where = np.concatenate([places[chosen[:REAL]], painted.places])
            yield _grey(x), *targets(where, empty)

    last = iter(range(0, -1000, -1))
    recipe = training.Recipe(
        steps(len(train)), 3e-3, weight_decay=0.05, warm_up=0.1, validate_every=max(1, steps(len(train)) // 8)
    )
    training.train(network, batches, _loss, lambda net: next(last), recipe, rng, progress)
    quantise.round_network(network)
    return Finder(network.eval(), tuple((round(float(x), 2), round(float(y), 2)) for x, y in landmarks))


def targets(places: NDArray[np.float64], empty: NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
    """Heat (n, rows, columns), 1 at the middle of a face and falling around it, and row, column, log size, turn (n, 4).
    Of `places` (n, 4) as `Painted` has them, in frames some of which are `empty`."""
    rows, columns = (HEIGHT + 2 * ROWS) // CELL, WIDTH // CELL
    x, y = places[:, 0] / CELL, (places[:, 1] + ROWS) / CELL
    column = np.clip(np.floor(x), 0, columns - 1)
    row = np.clip(np.floor(y), 0, rows - 1)
    spread = np.maximum(places[:, 2] / CELL / 8, 0.7)[:, None, None]
    far = (np.arange(columns)[None, None] - column[:, None, None]) ** 2
    far = far + (np.arange(rows)[None, :, None] - row[:, None, None]) ** 2
    heat = np.exp(-far / (2 * spread**2)) * ~empty[:, None, None]
    rest = np.stack([row, column, np.log(places[:, 2] / USUAL), places[:, 3]], 1)
    return torch.from_numpy(heat.astype(np.float32)), torch.from_numpy(rest.astype(np.float32))


def _grey(frames: Tensor) -> Tensor:
    """(n, 3, HEIGHT, WIDTH) -> (n, 1, HEIGHT + 2 ROWS, WIDTH)."""
    return functional.pad(frames.mean(dim=1, keepdim=True), (0, 0, ROWS, ROWS))


def _loss(network: UNet, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    x, heat, rest = batch
    found = network(x, phase=0).float()
    there = heat == 1
    log, without = functional.logsigmoid(found[:, 0]), functional.logsigmoid(-found[:, 0])
    chance = log.exp()
    hit = ((1 - chance) ** 2 * log)[there].sum()
    missed = ((1 - heat) ** 4 * chance**2 * without)[~there].sum()
    faces = there.flatten(1).any(dim=1)
    row, column = rest[faces, 0].long(), rest[faces, 1].long()
    said = found[faces][torch.arange(int(faces.sum())), 1:, row, column]
    return -(hit + missed) / max(1, int(faces.sum())) + functional.smooth_l1_loss(said, rest[faces, 2:], beta=0.1)
