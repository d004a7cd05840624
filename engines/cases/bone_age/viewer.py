"""The end-to-end network: picture, sex and pixel size to age.

Convolutions down to a sixteenth of the picture, then a pool in which every place has a weight of its own that is
learned (attention, Ilse et al. 2018): those weights are where the network looked, at no cost.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.cases.bone_age import augment
from engines.cases.bone_age.segment import autocast, laid
from engines.cases.bone_age.simulate import MIDDLE_MM
from engines.core import Progress
from engines.core.radiograph import Radiograph, Saliency
from engines.ml import quantise, training
from engines.ml.unet import ConvNorm, placed

SCALE = 24.0  # months that count as one
BATCH = 16
# A choice by fewer than ten pictures would be a lottery: below, the last weights are taken, and all is learned from.
HOLD_OUT_FROM = 100


class Residual(nn.Module):
    """The picture and what two convolutions add to it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = ConvNorm(width, width)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        nn.init.constant_(self.norm.weight, 0.3)  # a quiet branch at the start

    def forward(self, image: Tensor) -> Tensor:
        return torch.relu(image + self.norm(self.second(self.first(image))))


class Network(nn.Module):
    """image (batch, 1, h, w), beside (batch, 2) -> (ages (batch,) in units of SCALE, heat (batch, h / 16, w / 16))."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 96), dropout: float = 0.1) -> None:
        super().__init__()
        self.widths = tuple(widths)
        one, two, three, four = widths
        self.look = nn.Sequential(
            ConvNorm(3, one, 2, 5),
            ConvNorm(one, two, 2),
            Residual(two),
            ConvNorm(two, three, 2),
            Residual(three),
            ConvNorm(three, four, 2),
            Residual(four),
        )
        self.where = nn.Conv2d(four, 4, 1)
        self.dropout = nn.Dropout(dropout)
        self.mix = nn.Linear(5 * four + 2, 64)
        self.out = nn.Linear(64, 1)

    def forward(self, image: Tensor, beside: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.look(placed(image))
        n, _, rows, columns = seen.shape
        flat = seen.flatten(2).float()
        weights = torch.softmax(self.where(seen).flatten(2).float(), dim=2)
        pooled = torch.einsum("nwp,nhp->nhw", flat, weights).flatten(1)
        both = torch.cat([self.dropout(torch.cat([pooled, flat.mean(dim=2)], dim=1)), beside], dim=1)
        answer = self.out(torch.relu(self.mix(both))).float()[:, 0]
        return answer, weights.mean(dim=1).reshape(n, rows, columns)


def beside(mm: NDArray[np.float64], sex: NDArray[np.float64]) -> Tensor:
    """(n, 2): pixel size on a log scale, and sex (-1, 0, 1)."""
    return torch.from_numpy(np.stack([3 * np.log(mm / MIDDLE_MM), 2 * sex - 1], axis=1).astype(np.float32))


def sexes(pictures: Sequence[Radiograph]) -> NDArray[np.float64]:
    return np.array([{"F": 0.0, "M": 1.0}.get(one.sex, 0.5) for one in pictures])


@dataclass(frozen=True)
class Viewer:
    """picture -> where the network looked, with the age it came to. `level` is the mean age it starts from, `error` the
    standard deviation of its error on held-out pictures (NaN where there were none), both in months."""

    network: Network
    level: float
    error: float

    def __call__(self, picture: Radiograph) -> Saliency:
        pixels = np.stack([picture.pixels, picture.pixels[:, ::-1]])  # the picture and its mirror image
        image = laid(torch.from_numpy(augment.normal(pixels)))
        told = beside(np.full(2, picture.mm_per_pixel), np.repeat(sexes([picture]), 2))
        with torch.inference_mode(), autocast():
            answer, heat = self.network(image, told)
        looked = heat.float().numpy()
        months = self.level + SCALE * float(answer.float().mean())
        return Saliency(picture, ((looked[0] + looked[1][:, ::-1]) / 2).astype(np.float32), months)

    @property
    def parameters(self) -> int:
        return sum(p.numel() for p in self.network.parameters()) + 2

    def save(self, directory: Path) -> None:
        quantise.save_network(self.network, directory / "viewer.safetensors")
        kept = {"widths": self.network.widths, "level": self.level, "error": self.error}
        (directory / "viewer.json").write_text(json.dumps(kept))

    @classmethod
    def load(cls, directory: Path) -> Viewer:
        kept = json.loads((directory / "viewer.json").read_text())
        network = Network(tuple(kept["widths"]))
        quantise.load_network(network, directory / "viewer.safetensors")
        return cls(network.to(memory_format=torch.channels_last).eval(), kept["level"], kept["error"])


def recipe_for(pictures: int, held: bool) -> training.Recipe:
    """Steps grow with the number of pictures to the power 0.25, from 1,270 for twenty to 5,000 for 5,000. On hands of a
    seed of their own, 1,000 steps from 1,280 pictures came to 15.1 months at a rate of 4e-3 and to 11.1 at 1e-3. Where
    nothing is held out, only the last weights count."""
    steps = round(min(600 * pictures**0.25, 30 * pictures + 20 + 4 * pictures**2))
    every = -(-steps // 4) if held else steps
    return training.Recipe(steps, learning_rate=1e-3, weight_decay=0.05, validate_every=every)


def learn(
    pictures: Sequence[Radiograph], ages: NDArray[np.float64], rng: np.random.Generator, progress: Progress
) -> Viewer:
    """A network from pictures and ages in months. From a hundred on, a tenth is held out to choose between
    the weights of each quarter of the training."""
    grey = np.empty((len(pictures), *pictures[0].pixels.shape), np.uint8)
    mm = np.empty(len(pictures))
    side = np.empty(len(pictures))
    for i in range(len(pictures)):
        one = pictures[i]
        grey[i], mm[i], side[i] = np.rint(one.pixels * 255), one.mm_per_pixel, sexes([one])[0]
    level = float(ages.mean())
    target = ((ages - level) / SCALE).astype(np.float32)
    order = rng.permutation(len(ages))
    held = order[: min(len(ages) // 10, 300)] if len(ages) >= HOLD_OUT_FROM else order[:0]
    inner = order[len(held) :]
    network = training.build(Network, rng).to(memory_format=torch.channels_last)

    def batches(draw: np.random.Generator) -> Any:
        for part in np.array_split(draw.permutation(inner), max(1, len(inner) // BATCH)):
            image, grown = augment.view(grey[part].astype(np.float32) / 255, draw)
            yield laid(image), beside(mm[part] / grown, side[part]), torch.from_numpy(target[part])

    def loss(net: nn.Module, batch: Any) -> Tensor:
        return nn.functional.smooth_l1_loss(net(batch[0], batch[1])[0], batch[2], beta=0.1)

    def answers(net: nn.Module, which: NDArray[np.int64]) -> NDArray[np.float64]:
        with torch.inference_mode(), autocast():
            parts = [
                net(laid(torch.from_numpy(augment.normal(grey[p].astype(np.float32) / 255))), beside(mm[p], side[p]))[0]
                for p in np.array_split(which, max(1, len(which) // 32))
            ]
        return torch.cat(parts).float().numpy().astype(float)

    def validate(net: nn.Module) -> float:
        return float(np.abs(answers(net, held) - target[held]).mean()) if len(held) else 0.0

    training.train(network, batches, loss, validate, recipe_for(len(inner), len(held) > 0), rng, progress)
    quantise.round_network(network)
    error = float(np.std(answers(network, held) - target[held])) * SCALE if len(held) else math.nan
    return Viewer(network.eval(), level, error)
