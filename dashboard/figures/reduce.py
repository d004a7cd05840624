"""Arrays made small enough to draw: what a screen cannot show is not sent to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating]
# (start, end, label) in seconds
Run = tuple[float, float, str]
# A probability that would not be seen.
FAINT = 0.02


def envelope(samples: Values, most: int = 500) -> tuple[Values, Values]:
    """Lowest and highest sample of at most `most` equal stretches of `samples` (n,): two arrays of one length."""
    if len(samples) == 0:
        return np.zeros(1, np.float32), np.zeros(1, np.float32)
    edges = np.linspace(0, len(samples), min(most, len(samples)) + 1).astype(int)[:-1]
    return np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)


def pooled(values: Values, most: int = 400, peaks: bool = False) -> Values:
    """At most `most` rows for the rows (frames, columns) of `values`: means of equal stretches, or their `peaks`, which
    keeps a spike that lasts one frame."""
    if len(values) <= most:
        return values
    edges = np.linspace(0, len(values), most + 1).astype(int)[:-1]
    if peaks:
        return np.asarray(np.maximum.reduceat(values, edges, axis=0))
    lengths = np.diff([*edges, len(values)])[:, None]
    return np.asarray(np.add.reduceat(values, edges, axis=0) / lengths)


def by_label(scores: Values, labels: Sequence[str]) -> tuple[Values, list[str]]:
    """Log scores (frames, columns) as probabilities (frames, distinct labels), columns of one label added up, and
    those labels in order of first column. Rows are normalised: scores need not be log probabilities."""
    names = list(dict.fromkeys(labels))
    if scores.size == 0:
        return np.zeros((0, len(names)), np.float32), names
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    shifted /= shifted.sum(axis=1, keepdims=True)
    place = {name: i for i, name in enumerate(names)}
    column = np.array([place[label] for label in labels])
    summed = np.zeros((len(scores), len(names)), np.float32)
    for i in range(len(names)):
        summed[:, i] = shifted[:, column == i].sum(axis=1)
    return summed, names


def best_path(probabilities: Values, labels: Sequence[str], rate: float) -> list[Run]:
    """The likeliest label of every frame, equal neighbours joined."""
    if len(probabilities) == 0:
        return []
    best = probabilities.argmax(axis=1)
    starts = np.flatnonzero(np.concatenate([[True], best[1:] != best[:-1]]))
    ends = np.append(starts[1:], len(best))
    return [
        (float(start / rate), float(end / rate), labels[best[start]]) for start, end in zip(starts, ends, strict=True)
    ]


def notable(probabilities: Values, labels: Sequence[str], path: Iterable[Run], most: int = 25) -> list[int]:
    """Which columns to draw: those on the path as it first meets them, so that it reads as stairs; then those of the
    highest peaks until there are `most`, without those that never reach FAINT."""
    if probabilities.size == 0:
        return list(range(min(most, len(labels))))
    place = {label: i for i, label in enumerate(labels)}
    on_path = [place[label] for label in dict.fromkeys(label for _, _, label in path) if label in place]
    peaks = probabilities.max(axis=0)
    others = [i for i in np.argsort(-peaks).tolist() if i not in on_path and peaks[i] >= FAINT]
    return on_path + others[: max(0, most - len(on_path))]
