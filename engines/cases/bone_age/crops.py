"""What the hybrid looks at: the growing end of every tubular bone and the carpals, each cut out along the axis that the
segmentation gave it, with the measures beside; and the network that reads an age off them.

A growing end fills its patch whatever the size of the bone, so that plates of all fingers look alike; the lengths keep
the sizes. One set of convolutions sees all patches; what follows differs by row of bones, and fingers are averaged.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from scipy import ndimage
from torch import Tensor, nn

from engines.cases.bone_age import reading
from engines.cases.bone_age.anatomy import TUBULAR
from engines.cases.bone_age.geometry import GROUPS, Axis, axes, measures
from engines.cases.bone_age.segment import Segmenter, autocast, regions_all
from engines.core import Progress
from engines.core.radiograph import Age, Crops, Radiograph, Regions
from engines.ml import quantise, training
from engines.ml.unet import ConvNorm

SIDE = 24
QUARTERS = ("carpals, upper thumb side", "carpals, upper", "carpals, lower thumb side", "carpals, lower")
PARTS = (*TUBULAR, *QUARTERS)
KINDS = np.array([GROUPS.index(bone if bone in GROUPS else bone[:2]) for bone in TUBULAR] + [6, 7, 8, 9], np.int64)
KIND_COUNT = 10
SCALE = 24.0  # months that count as one
BATCH = 16
# A choice by fewer than ten pictures would be a lottery: below, the last weights are taken, and all is learned from.
HOLD_OUT_FROM = 100


def cut(found: Regions) -> Crops:
    """The parts of a hand whose bones were found; a part that was not found is all zero."""
    bones = axes(found.labels)
    pixels = found.picture.pixels
    mean, spread = float(pixels.mean()), max(float(pixels.std()), 1e-3)
    patches = np.zeros((len(PARTS), SIDE, SIDE), np.float32)
    grid = (np.arange(SIDE) + 0.5) / SIDE
    places: list[NDArray[np.float64]] = []
    which: list[int] = []
    for number, bone in enumerate(TUBULAR):
        if bone in bones:
            places.append(_around_plate(bones[bone], grid))
            which.append(number)
    for number, quarter in enumerate(_quarters(bones, grid), len(TUBULAR)):
        places.append(quarter)
        which.append(number)
    if places:
        points = np.stack(places)
        grey = ndimage.map_coordinates(pixels, [points[..., 1], points[..., 0]], order=1, mode="nearest")
        patches[which] = (grey - mean) / spread
    return Crops(PARTS, patches, measures(found))


def _around_plate(axis: Axis, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """(SIDE, SIDE, 2) points (x, y): rows from half a width past the growing end to two widths inside."""
    wide = 2 * axis.width
    end = axis.high if axis.grows > 0 else axis.low
    along = end - axis.grows * (grid * 2.4 - 0.4) * wide
    across = (grid - 0.5) * 1.7 * wide
    normal = np.array([-axis.along[1], axis.along[0]])
    return axis.middle + along[:, None, None] * axis.along + across[None, :, None] * normal


def _quarters(bones: dict[str, Axis], grid: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Four windows over the wrist, between the bases of the metacarpals and the forearm; none where those lack."""
    palm = [bones[name] for name in ("MC2", "MC3", "MC4", "MC5") if name in bones]
    if len(palm) < 2:
        return []
    length = float(np.mean([axis.high - axis.low for axis in palm]))
    up = np.mean([axis.along for axis in palm], axis=0)
    up = up / max(float(np.hypot(*up)), 1e-6)
    side = np.array([-up[1], up[0]])
    if "MC1" in bones and (bones["MC1"].middle - palm[0].middle) @ side > 0:
        side = -side  # the thumb is always on the left
    base = np.mean([axis.proximal for axis in palm], axis=0)
    made = []
    for row in (0, 1):
        for column in (0, 1):
            down = (row + grid) * 0.42 * length - 0.1 * length
            across = (column + grid - 1) * 0.5 * length
            made.append(base - down[:, None, None] * up + across[None, :, None] * side)
    return made


def cut_all(segmenter: Segmenter, pictures: Sequence[Radiograph], progress: Progress) -> list[Crops]:
    return [cut(found) for found in regions_all(segmenter, pictures, progress)]


class Network(nn.Module):
    """patches (batch, k, SIDE, SIDE), measures (batch, m) -> (batch,) in units of SCALE."""

    def __init__(self, inputs: int, width: int = 24, dropout: float = 0.15) -> None:
        super().__init__()
        self.inputs, self.width = inputs, width
        self.look = nn.Sequential(ConvNorm(1, 16, 2), ConvNorm(16, 32, 2), ConvNorm(32, 32))
        self.own = nn.Parameter(torch.randn(KIND_COUNT * width, 32 * 9) / (32 * 9) ** 0.5)
        self.shift = nn.Parameter(torch.zeros(KIND_COUNT * width))
        self.dropout = nn.Dropout(dropout)
        self.mix = nn.Linear(KIND_COUNT * width + inputs, 48)
        self.out = nn.Linear(48, 1)
        self.straight = nn.Linear(inputs, 1)
        self.register_buffer("kinds", torch.from_numpy(KINDS), persistent=False)
        members = torch.nn.functional.one_hot(torch.from_numpy(KINDS), KIND_COUNT).float()
        self.register_buffer("members", members, persistent=False)
        with torch.no_grad():
            self.straight.weight.mul_(0.1)

    def forward(self, patches: Tensor, measured: Tensor) -> Tensor:
        n, k = patches.shape[:2]
        there = (patches != 0).flatten(2).any(dim=2).float()
        seen = self.look(patches.reshape(n * k, 1, SIDE, SIDE))
        pooled = nn.functional.avg_pool2d(seen, 2).flatten(1).reshape(n, k, -1)
        weights = self.own.reshape(KIND_COUNT, self.width, -1)[self.kinds]
        hidden = torch.einsum("nki,kwi->nkw", pooled, weights.to(pooled.dtype))
        hidden = torch.relu(hidden + self.shift.reshape(KIND_COUNT, self.width)[self.kinds])
        share = self.members[None] * there[:, :, None]
        share = share / share.sum(dim=1, keepdim=True).clamp(min=1)
        rows = torch.einsum("nkw,nkg->ngw", hidden.float(), share).flatten(1)
        both = torch.cat([self.dropout(rows), self.dropout(measured)], dim=1)
        answer: Tensor = self.out(torch.relu(self.mix(both))).float() + self.straight(measured).float()
        return answer[:, 0]


@dataclass(frozen=True)
class Reader:
    """crops -> age. `scale` (2, m + 1): means and standard deviations of the measures, then mean age and the error of
    held-out answers in months (NaN where nothing was held out)."""

    network: Network
    scale: NDArray[np.float32]

    def __call__(self, cut_out: Crops) -> Age:
        measured = standard(reading.features(cut_out.measures)[None], self.scale)
        patches = cut_out.patches[None].copy()
        with torch.inference_mode(), autocast():
            both = torch.from_numpy(np.concatenate([patches, patches[:, :, :, ::-1]]))
            found = self.network(both, torch.from_numpy(np.repeat(measured, 2, axis=0))).float().mean()
        return reading.age(float(self.scale[0, -1]) + SCALE * float(found), float(self.scale[1, -1]))

    @property
    def parameters(self) -> int:
        return sum(p.numel() for p in self.network.parameters()) + self.scale.size

    def save(self, directory: Path) -> None:
        quantise.save_network(self.network, directory / "reader.safetensors")
        save_file({"scale": self.scale}, directory / "reader_scale.safetensors")
        (directory / "reader.json").write_text(json.dumps({"inputs": self.network.inputs, "width": self.network.width}))

    @classmethod
    def load(cls, directory: Path) -> Reader:
        kept = json.loads((directory / "reader.json").read_text())
        network = Network(kept["inputs"], kept["width"])
        quantise.load_network(network, directory / "reader.safetensors")
        return cls(network, load_file(directory / "reader_scale.safetensors")["scale"])


def standard(features: NDArray[np.float64], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    mean, spread = scale[0, :-1].astype(float), scale[1, :-1].astype(float)
    return np.nan_to_num(np.clip((features - mean) / spread, -5, 5)).astype(np.float32)


def learn(cut_out: Sequence[Crops], ages: NDArray[np.float64], rng: np.random.Generator, progress: Progress) -> Reader:
    """A reader from crops and ages in months. From a hundred on, a tenth is held out to choose
    between the weights of each quarter of the training."""
    features = np.stack([reading.features(one.measures) for one in cut_out])
    known = ~np.isnan(features)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, features, 0).sum(axis=0) / count
    spread = np.sqrt(np.where(known, (features - mean) ** 2, 0).sum(axis=0) / count)
    scale = np.stack([np.append(mean, ages.mean()), np.append(np.where(spread > 1e-3, spread, 1), np.nan)])
    scale = scale.astype(np.float32)
    patches = np.stack([one.patches for one in cut_out]).astype(np.float16)
    measured = standard(features, scale)
    target = ((ages - ages.mean()) / SCALE).astype(np.float32)
    order = rng.permutation(len(ages))
    held = order[: min(len(ages) // 10, 300)] if len(ages) >= HOLD_OUT_FROM else order[:0]
    inner = order[len(held) :]
    network = training.build(lambda: Network(measured.shape[1]), rng)

    def batches(draw: np.random.Generator) -> Any:
        for part in np.array_split(draw.permutation(inner), max(1, len(inner) // BATCH)):
            yield _changed(patches[part], draw), measured[part], target[part]

    def loss(net: nn.Module, batch: Any) -> Tensor:
        given = net(torch.from_numpy(batch[0]), torch.from_numpy(batch[1]))
        return nn.functional.smooth_l1_loss(given, torch.from_numpy(batch[2]), beta=0.1)

    def answers(net: nn.Module, which: NDArray[np.int64]) -> NDArray[np.float64]:
        with torch.inference_mode(), autocast():
            parts = [
                net(torch.from_numpy(patches[some].astype(np.float32)), torch.from_numpy(measured[some])).float()
                for some in np.array_split(which, max(1, len(which) // 64))
            ]
        return torch.cat(parts).numpy().astype(float)

    def validate(net: nn.Module) -> float:
        return float(np.abs(answers(net, held) - target[held]).mean()) if len(held) else 0.0

    steps = int(min(280 * len(inner) ** 0.28, 50 * len(inner), 2500))
    # Where nothing is held out, only the last weights count. On hands of a seed of their own, 320 came to 9.0 months at
    # a rate of 4e-3 and to 8.3 at 1e-3, whether the steps were these or twice as many.
    every = -(-steps // 4) if len(held) else steps
    recipe = training.Recipe(steps, learning_rate=1e-3, weight_decay=0.05, validate_every=every)
    training.train(network, batches, loss, validate, recipe, rng, progress)
    quantise.round_network(network)
    if len(held):
        scale[1, -1] = np.std(answers(network, held) - target[held]) * SCALE
    return Reader(network.eval(), scale)


def _changed(patches: NDArray[np.float16], rng: np.random.Generator) -> NDArray[np.float32]:
    """Patches in other greys, some mirrored, shifted by a pixel, some left out."""
    made = patches.astype(np.float32)
    n, k = made.shape[:2]
    empty = (made == 0).all(axis=(2, 3), keepdims=True)
    if rng.random() < 0.5:
        made = made[:, :, :, ::-1]
    made = np.roll(made, (int(rng.integers(-1, 2)), int(rng.integers(-1, 2))), axis=(2, 3))
    made = made * np.exp(rng.normal(0, 0.15, (n, 1, 1, 1))) + rng.normal(0, 0.2, (n, 1, 1, 1))
    made = made + rng.normal(0, 0.12, (n, k, 1, 1)) + 0.08 * rng.standard_normal(made.shape, dtype=np.float32)
    lost = empty | (rng.random((n, k, 1, 1)) < 0.08)
    return np.where(lost, 0, made).astype(np.float32)
