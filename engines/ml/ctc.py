"""Connectionist temporal classification (Graves et al. 2006): batches, augmentation, loss, greedy reading.

Symbol 0 is the blank.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.ml import training


@dataclass(frozen=True)
class Augment:
    """How far a training utterance is bent before it is shown. All zero: not at all.

    speed and pitch: largest relative change of the time axis and of the frequency axis (speed perturbation and vocal
    tract length perturbation at once, done on the spectrogram); masks of time and frequency as in SpecAugment
    (Park et al. 2019), widths as a share of the utterance and of the bins.
    """

    speed: float = 0.15
    pitch: float = 0.1
    time_masks: float = 1.0  # masks a second
    time_width: int = 12  # frames at most
    bin_masks: int = 2
    bin_width: float = 0.2


@dataclass(frozen=True)
class Batch:
    """features (batch, frames, bins) float32, lengths (batch,) frames, targets (batch, longest), target_lengths."""

    features: Tensor
    lengths: Tensor
    targets: Tensor
    target_lengths: Tensor

    def to(self, where: torch.device) -> Batch:
        return Batch(*(t.to(where) for t in (self.features, self.lengths, self.targets, self.target_lengths)))


def collate(features: Sequence[NDArray[np.floating]], targets: Sequence[Sequence[int]]) -> Batch:
    """Utterances (frames, bins) and their symbols, padded with zeros to the longest."""
    lengths = torch.tensor([len(x) for x in features])
    sizes = torch.tensor([len(y) for y in targets])
    padded = torch.zeros(len(features), int(lengths.max()), features[0].shape[1])
    labels = torch.zeros(len(targets), max(1, int(sizes.max())), dtype=torch.long)
    for i, (x, y) in enumerate(zip(features, targets, strict=True)):
        padded[i, : len(x)] = torch.from_numpy(np.asarray(x, np.float32))
        labels[i, : len(y)] = torch.tensor(y, dtype=torch.long)
    return Batch(padded, lengths, labels, sizes)


def bent(batch: Batch, augment: Augment, rng: np.random.Generator) -> Batch:
    """`batch` with its spectrograms stretched along time and frequency, and masked."""
    speeds, pitches = factors(len(batch.lengths), augment, rng)
    features, lengths = stretched(batch.features, batch.lengths, speeds, pitches)
    masked(features, lengths.tolist(), augment, rng)
    return Batch(features, lengths, batch.targets, batch.target_lengths)


def factors(count: int, augment: Augment, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """How much faster, and how much higher, each of `count` utterances is to be: two tensors (count,)."""
    speed = rng.uniform(1 - augment.speed, 1 + augment.speed, count)
    pitch = rng.uniform(1 - augment.pitch, 1 + augment.pitch, count)
    return torch.from_numpy(speed).float(), torch.from_numpy(pitch).float()


def stretched(features: Tensor, lengths: Tensor, speed: Tensor, pitch: Tensor) -> tuple[Tensor, Tensor]:
    """Bilinear resampling of every utterance: frame t, bin b shows what was at frame t * speed, bin b * pitch."""
    _, frames, bins = features.shape
    new = torch.clamp((lengths / speed).long(), min=1)
    ends = int(new.max())
    time = (torch.arange(ends) * speed[:, None]) * 2 / max(1, frames - 1) - 1
    bin_ = (torch.arange(bins) * pitch[:, None]) * 2 / max(1, bins - 1) - 1
    grid = torch.stack([bin_[:, None, :].expand(-1, ends, -1), time[:, :, None].expand(-1, -1, bins)], dim=3)
    bent_ = F.grid_sample(features[:, None], grid, align_corners=True, padding_mode="border")[:, 0]
    return bent_ * (torch.arange(ends) < new[:, None])[:, :, None], new


def masked(features: Tensor, lengths: Sequence[int], augment: Augment, rng: np.random.Generator) -> None:
    """SpecAugment in place: stretches of time and bands of frequency set to 0, the mean of normalised features."""
    bins = features.shape[2]
    widest = max(1, round(bins * augment.bin_width))
    for i, frames in enumerate(lengths):
        for _ in range(rng.poisson(augment.time_masks * frames / 100)):
            width = int(rng.integers(0, min(augment.time_width, max(1, frames // 4)) + 1))
            start = int(rng.integers(0, frames - width + 1))
            features[i, start : start + width] = 0
        for _ in range(augment.bin_masks):
            width = int(rng.integers(0, widest + 1))
            start = int(rng.integers(0, bins - width + 1))
            features[i, :, start : start + width] = 0


def batches(
    features: Sequence[NDArray[np.floating]],
    targets: Sequence[Sequence[int]],
    frames: int,
    augment: Augment,
    rng: np.random.Generator,
) -> Iterator[Batch]:
    """One pass over the utterances in batches of similar lengths of at most `frames` padded frames each."""
    where = training.device()
    for index in training.buckets([len(x) for x in features], frames, rng):
        batch = collate([features[i] for i in index], [targets[i] for i in index])
        yield bent(batch, augment, rng).to(where)


def loss(network: nn.Module, batch: Batch) -> Tensor:
    """Mean CTC loss a symbol. Utterances too short for their symbols count nothing (they have no alignment)."""
    scores, lengths = network(batch.features, batch.lengths)
    each = F.ctc_loss(
        scores.transpose(0, 1),
        batch.targets,
        lengths,
        batch.target_lengths,
        reduction="none",
        zero_infinity=True,
    )
    return each.sum() / batch.target_lengths.sum().clamp(min=1)


def greedy(scores: NDArray[np.floating]) -> list[int]:
    """Best symbol a frame of (frames, symbols), repeats merged, blanks dropped."""
    best = np.argmax(scores, axis=1)
    keep = (best != 0) & np.concatenate([[True], best[1:] != best[:-1]])
    return [int(symbol) for symbol in best[keep]]
