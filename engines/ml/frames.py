"""Learning one label a frame: the cross-entropy that hybrid recognisers are trained with (Bourlard and Morgan 1994)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.ml import ctc, training

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


def loss(network: nn.Module, batch: ctc.Batch, smoothing: float = 0.1) -> Tensor:
    """Mean cross-entropy a labelled frame, with a share `smoothing` of the target spread over all labels."""
    scores, _ = network(batch.features, batch.lengths)
    return F.cross_entropy(scores.flatten(0, 1), batch.targets.flatten(), ignore_index=NONE, label_smoothing=smoothing)


def log_prior(labels: Sequence[NDArray[np.integer]], columns: int) -> NDArray[np.float32]:
    """Log share of frames of each label (columns,), every label counted half a frame at least."""
    counts = np.full(columns, 0.5)
    for path in labels:
        counts += np.bincount(path[path >= 0], minlength=columns)
    return np.log(counts / counts.sum()).astype(np.float32)
