"""Learning one label a frame: the cross-entropy that hybrid recognisers are trained with (Bourlard and Morgan 1994)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.ml import ctc, training
from engines.ml.networks import Recogniser

NONE = -1  # the label of frames that teach nothing: padding, and what an alignment left out


def batches(
    features: Sequence[NDArray[np.floating]],
    labels: Sequence[NDArray[np.integer]],
    frames: int,
    augment: ctc.Augment,
    rng: np.random.Generator,
) -> Iterator[ctc.Batch]:
    """One pass over utterances (frames, bins) with a label a frame, bent together; targets are (batch, frames)."""
    where = training.device()
    for index in training.buckets([len(x) for x in features], frames, rng):
        batch = ctc.collate([features[i] for i in index], [labels[i].tolist() for i in index])
        speeds, pitches = ctc.factors(len(index), augment, rng)
        bent, lengths = ctc.stretched(batch.features, batch.lengths, speeds, pitches)
        ctc.masked(bent, lengths.tolist(), augment, rng)
        # Frame t of the bent utterance shows frame t * speed of the straight one.
        source = torch.round(torch.arange(bent.shape[1]) * speeds[:, None]).long()
        source = torch.minimum(source, batch.lengths[:, None] - 1)
        targets = batch.targets.gather(1, source)
        outside = torch.arange(bent.shape[1]) >= lengths[:, None]
        targets[outside] = NONE
        yield ctc.Batch(bent, lengths, targets, lengths).to(where)


def loss(network: Recogniser, batch: ctc.Batch) -> Tensor:
    """Mean of minus the log probability of the label, over labelled frames of one phase drawn for the batch."""
    every = network.shape.reduction
    phase = int(torch.randint(every, ()))
    scores, _ = network(batch.features, batch.lengths, phase)
    targets = batch.targets[:, phase::every]
    told = targets != NONE
    picked = scores.gather(2, targets.clamp(min=0)[:, :, None])[:, :, 0]
    lost: Tensor = -(picked * told).sum() / told.sum().clamp(min=1)
    return lost


def log_prior(labels: Sequence[NDArray[np.integer]], columns: int) -> NDArray[np.float32]:
    """Log share of frames of each label (columns,), every label counted half a frame at least."""
    counts = np.full(columns, 0.5)
    for path in labels:
        counts += np.bincount(path[path >= 0], minlength=columns)
    return np.asarray(np.log(counts / counts.sum()), np.float32)
