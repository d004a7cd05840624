"""A linear front end learned from aligned frames: discriminant analysis of neighbouring frames, then a rotation that
makes diagonal covariances fit.

Source: Haeb-Umbach and Ney (1992), "Linear discriminant analysis for improved large vocabulary continuous speech
recognition"; Gales (1999), "Semi-tied covariance matrices for hidden Markov models" (also called MLLT).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

Frames = Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]
"""A fresh pass over (x (T, D), class of each frame (T,), -1: skip)."""


def discriminant(frames: Frames, classes: int, size: int) -> np.ndarray:
    """(D, size) projection that spreads class means most against the spread within classes, which becomes white."""
    n = np.zeros(classes)
    total: np.ndarray = np.zeros((classes, 1))
    square: np.ndarray = np.zeros((1, 1))
    for x, label in frames():
        if total.shape[1] == 1:
            total = np.zeros((classes, x.shape[1]))
            square = np.zeros((x.shape[1], x.shape[1]))
        kept = label >= 0
        y = x[kept].astype(np.float32)
        square += y.T @ y
        n += np.bincount(label[kept], minlength=classes)
        np.add.at(total, label[kept], y)
    seen = n > 0
    mean = total[seen] / n[seen, None]
    between = (mean * n[seen, None]).T @ mean / n.sum()
    within = square / n.sum() - between
    overall = total.sum(0) / n.sum()
    between -= np.outer(overall, overall)
    within += 1e-4 * np.trace(within) / len(within) * np.eye(len(within))
    values, vectors = np.linalg.eigh(within)
    white = vectors / np.sqrt(np.maximum(values, 1e-8))
    spread, axes = np.linalg.eigh(white.T @ between @ white)
    return np.asarray(white @ axes[:, np.argsort(spread)[::-1][:size]])


def class_covariances(frames: Frames, projection: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames per class (classes,) and covariance of each class (classes, d, d) of projected frames."""
    d = projection.shape[1]
    n, total, square = np.zeros(classes), np.zeros((classes, d)), np.zeros((classes, d, d))
    for x, label in frames():
        kept = np.nonzero(label >= 0)[0]
        kept = kept[np.argsort(label[kept], kind="stable")]
        y, c = (x[kept] @ projection).astype(np.float64), label[kept]
        starts = np.nonzero(np.r_[True, c[1:] != c[:-1]])[0] if len(c) else np.zeros(0, int)
        for a, b in zip(starts, np.r_[starts[1:], len(c)], strict=True):
            part = y[a:b]
            n[c[a]] += b - a
            total[c[a]] += part.sum(0)
            square[c[a]] += part.T @ part
    mean = total / np.maximum(n, 1)[:, None]
    return n, square / np.maximum(n, 1)[:, None, None] - mean[:, :, None] * mean[:, None, :]


def diagonalising(n: np.ndarray, covariance: np.ndarray, rounds: int = 20) -> np.ndarray:
    """(d, d) matrix A: y @ A has the class covariances as diagonal as one rotation and scaling can make them.

    Rows are updated in turn by their cofactors (Gales 1999, section 3). Classes of fewer than 2 d frames are left out.
    """
    d = covariance.shape[1]
    use = n >= 2 * d
    a = np.eye(d)
    if not use.any():
        return a
    weight, sigma = n[use], covariance[use]
    beta = weight.sum()
    for _ in range(rounds):
        variance = np.einsum("id,sde,ie->si", a, sigma, a)
        for i in range(d):
            g = np.einsum("s,sde->de", weight / np.maximum(variance[:, i], 1e-8), sigma)
            inverse = np.linalg.inv(g + 1e-6 * np.trace(g) / d * np.eye(d))
            cofactor = np.linalg.inv(a).T[i] * np.linalg.det(a)
            a[i] = cofactor @ inverse * np.sqrt(beta / max(float(cofactor @ inverse @ cofactor), 1e-30))
    return a.T


def front_end(frames: Frames, classes: int, size: int) -> np.ndarray:
    """(D, size) float32: discriminant analysis and rotation together."""
    projection = discriminant(frames, classes, size)
    turn = diagonalising(*class_covariances(frames, projection, classes))
    return (projection @ turn).astype(np.float32)
