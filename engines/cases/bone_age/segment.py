"""Which bone every pixel belongs to: a U-Net learned from masks.

It answers three questions that few masks can teach: what kind of bone (distal phalanx, …, ulna), which of its kind
(finger 1 to 5, or which carpal), and whether it is an epiphysis. A bone is what the three answers meet in, so that the
shape of a phalanx is learned from all fingers together.
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
from torch import Tensor, nn

from engines import datasets
from engines.cases.bone_age import augment
from engines.cases.bone_age.anatomy import BONES, CARPALS, EPIPHYSIS, LABELS, ROWS, TUBULAR, finger_of, row_of
from engines.cases.bone_age.geometry import measures
from engines.core import Progress, UserError, effort
from engines.core.radiograph import Measures, Radiograph, Regions
from engines.ml import quantise, training
from engines.ml.unet import UNet

KINDS = 1 + len(ROWS)
WHICH = 5 + len(CARPALS)
OUTPUTS = KINDS + WHICH + 1
BATCH = 4
VERSION = 2  # of how a segmenter is trained and kept

# label -> kind, which of its kind (-1: no such question), epiphysis or not
_BONE_OF = [None, *BONES, *TUBULAR]
KIND = np.array([0 if bone is None else 1 + row_of(bone) for bone in _BONE_OF], np.int64)
NUMBER = np.array(
    [
        -1
        if bone is None
        else (5 + CARPALS.index(bone) if bone in CARPALS else (finger_of(bone) - 1 if finger_of(bone) else -1))
        for bone in _BONE_OF
    ],
    np.int64,
)
IS_EPIPHYSIS = np.arange(len(LABELS)) >= EPIPHYSIS


def _table() -> NDArray[np.uint8]:
    """(kinds, which, 2) -> label, 0 where there is no such bone."""
    table = np.zeros((KINDS, WHICH, 2), np.uint8)
    for label in range(1, len(LABELS)):
        which = slice(None) if NUMBER[label] < 0 else NUMBER[label]
        table[KIND[label], which, int(IS_EPIPHYSIS[label])] = label
    # A thumb has no middle phalanx: what looks like one is its proximal one.
    table[2, 0] = table[3, 0]
    table[5, :, 1] = table[5, :, 0]
    return table


TABLE = _table()


@dataclass(frozen=True)
class Segmenter:
    """picture -> regions."""

    network: UNet

    def __call__(self, picture: Radiograph) -> Regions:
        return Regions(picture, self.labels(picture.pixels[None])[0])

    def labels(self, pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
        """(n, height, width) of grey -> the same shape of labels."""
        with torch.inference_mode(), autocast():
            logits = self.network(laid(torch.from_numpy(augment.normal(pixels)))).float().numpy()
        return decoded(logits)

    @property
    def parameters(self) -> int:
        return sum(p.numel() for p in self.network.parameters())

    def save(self, directory: Path) -> None:
        quantise.save_network(self.network, directory / "segmenter.safetensors")
        (directory / "segmenter.json").write_text(json.dumps({"widths": self.network.widths}))

    @classmethod
    def load(cls, directory: Path) -> Segmenter:
        network = UNet(OUTPUTS, tuple(json.loads((directory / "segmenter.json").read_text())["widths"]))
        quantise.load_network(network, directory / "segmenter.safetensors")
        return cls(ready(network))


def autocast() -> Any:
    """Matrix products in bfloat16 where the processor has them."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=training.half_is_fast(torch.device("cpu")))


def laid(batch: Tensor) -> Tensor:
    """(n, height, width) -> (n, 1, height, width), channels last in memory: what oneDNN is fastest with."""
    return batch[:, None].contiguous(memory_format=torch.channels_last)


def ready(network: Any) -> Any:
    return network.to(memory_format=torch.channels_last).eval()


def decoded(logits: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(n, OUTPUTS, height, width) -> labels (n, height, width)."""
    kind = logits[:, :KINDS].argmax(axis=1)
    finger = logits[:, KINDS : KINDS + 5].argmax(axis=1)
    carpal = 5 + logits[:, KINDS + 5 : KINDS + WHICH].argmax(axis=1)
    which = np.where(kind == 5, carpal, finger)
    return TABLE[kind, which, (logits[:, -1] > 0).astype(np.int64)]


def recipe_for(masks: int, held: bool) -> training.Recipe:
    """Steps grow with the root of the number of masks, from 1,200 for nine to 4,800 for 144. Of 160 masks, on hands of
    a seed of their own, half of the steps came to a Dice of 0.753 at a rate of 1e-2, to 0.776 at 3e-3 and to 0.739 at
    1e-3. Where nothing is held out, only the last weights count."""
    steps = round(min(400 * masks**0.5, 8 * masks**2 + 40))
    return training.Recipe(
        steps, learning_rate=3e-3, weight_decay=0.02, validate_every=max(50, steps // 5) if held else steps
    )


def learn(masks: Sequence[Regions], progress: Progress) -> Segmenter:
    """A segmenter from masks, a tenth of which are held out to choose the best weights; from fewer than ten, all are
    learned from. It follows from the masks alone, in their order: chance in training is drawn from their hash. So one
    is trained for all budgets and engines that have the same masks, and kept in the cache.

    Raises:
        UserError: there are no masks.
    """
    if not len(masks):
        raise UserError("Bones are found by a network that learns from masks, and this budget has none: give it some.")
    made = [VERSION, training.half_is_fast(training.device()), len(masks)]
    name = effort.named(made, (array for one in masks for array in (one.picture.pixels, one.labels)))
    folder = datasets.cache_directory() / "bone_age" / "segmenters" / name
    return effort.once(
        folder, lambda: trained(masks, np.random.default_rng(int(name, 16)), progress), Segmenter.save, Segmenter.load
    )


def trained(masks: Sequence[Regions], rng: np.random.Generator, progress: Progress) -> Segmenter:
    """The network behind `learn`."""
    pixels = np.stack([one.picture.pixels for one in masks])
    labels = np.stack([one.labels for one in masks])
    order = rng.permutation(len(masks))
    held, inner = order[: len(masks) // 10], order[len(masks) // 10 :]
    network = training.build(lambda: UNet(OUTPUTS), rng).to(memory_format=torch.channels_last)

    def batches(draw: np.random.Generator) -> Any:
        for part in np.array_split(draw.permutation(inner), max(1, len(inner) // BATCH)):
            yield *augment.batch(pixels[part], labels[part], draw), int(draw.integers(4))

    def validate(net: nn.Module) -> float:
        if not len(held):
            return 0.0
        with autocast():
            logits = net(laid(torch.from_numpy(augment.normal(pixels[held])))).float().numpy()
        return 1 - dice(decoded(logits), labels[held])

    recipe = recipe_for(len(inner), len(held) > 0)
    training.train(network, batches, loss, validate, recipe, rng, lambda f, s: progress(f, f"masks: {s}"))
    quantise.round_network(network)
    return Segmenter(ready(network))


def learn_and_measure(
    masks: Sequence[Regions], pictures: Sequence[Radiograph], progress: Progress
) -> tuple[Segmenter, list[Measures]]:
    """A segmenter from masks, and what geometry measures on the bones that it finds in other pictures."""
    segmenter = learn(masks, lambda done, said: progress(0.7 * done, said))
    return segmenter, measure_all(segmenter, pictures, lambda done, said: progress(0.7 + 0.3 * done, said))


def loss(network: nn.Module, batch: tuple[Tensor, Tensor, int]) -> Tensor:
    """Cross-entropy of the three answers, each over the pixels that its question is about. Small bones count as much
    as large ones would if they were a third of their size."""
    image, labels, phase = batch
    logits = network(laid(image), phase).float()
    labels = labels[:, phase // 2 :: 2, phase % 2 :: 2]
    kind = torch.from_numpy(KIND)[labels]
    number = torch.from_numpy(NUMBER)[labels]
    is_epiphysis = torch.from_numpy(IS_EPIPHYSIS)[labels]
    weights = torch.tensor([0.3, 1.5, 1.5, 1.0, 1.0, 1.5, 1.0, 1.0])
    total = nn.functional.cross_entropy(logits[:, :KINDS], kind, weight=weights)
    fingers = torch.where((number >= 0) & (number < 5), number, -100)
    carpals = torch.where(number >= 5, number - 5, -100)
    total = total + nn.functional.cross_entropy(logits[:, KINDS : KINDS + 5], fingers, ignore_index=-100)
    if (carpals >= 0).any():
        total = total + 0.5 * nn.functional.cross_entropy(
            logits[:, KINDS + 5 : KINDS + WHICH], carpals, ignore_index=-100
        )
    tubular = (kind > 0) & (kind != 5)
    if tubular.any():
        total = total + nn.functional.binary_cross_entropy_with_logits(
            logits[:, -1][tubular], is_epiphysis[tubular].float()
        )
    return total


def dice(found: NDArray[np.uint8], true: NDArray[np.uint8]) -> float:
    """Mean over the labels that are there of 2 |A and B| / (|A| + |B|)."""
    scores = []
    for label in range(1, len(LABELS)):
        a, b = found == label, true == label
        if b.any():
            scores.append(2 * float((a & b).sum()) / float(a.sum() + b.sum()))
    return float(np.mean(scores)) if scores else 1.0


def regions_all(segmenter: Segmenter, pictures: Sequence[Radiograph], progress: Progress, batch: int = 16):
    """Yields the regions of every picture, many at a time."""
    for start in range(0, len(pictures), batch):
        some = [pictures[i] for i in range(start, min(start + batch, len(pictures)))]
        found = segmenter.labels(np.stack([one.pixels for one in some]))
        progress(start / len(pictures), f"found the bones of {start} of {len(pictures)} hands")
        yield from (Regions(one, labels) for one, labels in zip(some, found, strict=True))


def measure_all(segmenter: Segmenter, pictures: Sequence[Radiograph], progress: Progress) -> list[Measures]:
    return [measures(found) for found in regions_all(segmenter, pictures, progress)]
