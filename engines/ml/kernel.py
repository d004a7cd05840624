"""Kernel ridge regression that chooses its own smoothness.

The kernel is a linear one plus a Gaussian one; width, share and ridge are those of least leave-one-out error, which has
a closed form (Rasmussen and Williams 2006, section 5.4.2). With many examples the function is a sum over a subset of
them (subset of regressors, section 8.3.1), so that what is kept stays small.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CENTRES = 400
TUNED_ON = 400
WIDTHS = (1.0, 2.0, 4.0)  # in units of the median distance between examples
SHARES = (0.0, 0.3, 3.0)  # of the Gaussian kernel against the linear one
RIDGES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


@dataclass(frozen=True)
class KernelRidge:
    """features (m, d) -> (m,). `mean` and `scale` (d,) standardise, `centres` (c, d) are standardised, `weights` (c,),
    `slope` (d,) the linear part; `error` is the standard deviation of what was left out."""

    mean: Array
    scale: Array
    centres: Array
    weights: Array
    slope: Array
    bias: float
    width: float
    error: float

    @classmethod
    def fit(cls, features: Array, targets: Array, rng: np.random.Generator) -> KernelRidge:
        """`features` (n, d), NaN where one is missing: the mean stands in for it; `targets` (n,)."""
        known = ~np.isnan(features)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, features, 0.0).sum(axis=0) / count
        scale = np.sqrt(np.where(known, (features - mean) ** 2, 0.0).sum(axis=0) / count)
        scale = np.where(scale > 1e-6, scale, 1.0)
        x = _standard(features, mean, scale)
        bias, spread = float(targets.mean()), float(targets.std()) or 1.0
        y = (targets - bias) / spread
        some = rng.permutation(len(x))[:TUNED_ON]
        width, share, ridge, error = _tuned(x[some], y[some])
        centres = x[rng.permutation(len(x))[:CENTRES]]
        linear = x / np.sqrt(x.shape[1])
        # Weight space: the linear part has one weight a feature, the Gaussian part one a centre.
        hidden = _gauss(x, centres, width) * np.sqrt(share)
        design = np.concatenate([linear, hidden], axis=1)
        inner = _gauss(centres, centres, width) + 1e-6 * np.eye(len(centres))
        penalty = np.zeros((design.shape[1], design.shape[1]))
        d = x.shape[1]
        penalty[:d, :d] = np.eye(d)
        penalty[d:, d:] = inner
        solved = np.linalg.solve(design.T @ design + ridge * penalty + 1e-9 * np.eye(len(penalty)), design.T @ y)
        slope = spread * solved[:d] / np.sqrt(d)
        return cls(mean, scale, centres, spread * np.sqrt(share) * solved[d:], slope, bias, width, spread * error)

    def __call__(self, features: Array) -> Array:
        x = _standard(features, self.mean, self.scale)
        return self.bias + x @ self.slope + _gauss(x, self.centres, self.width) @ self.weights

    @property
    def parameters(self) -> int:
        return self.weights.size + self.slope.size + self.mean.size + self.scale.size + 1

    def arrays(self) -> dict[str, NDArray[np.floating]]:
        """What is kept: centres and weights in 16 bits."""
        # Weights of near-equal centres cancel: they need more digits than the centres do.
        half = {"centres": self.centres.astype(np.float16)}
        rest = {name: getattr(self, name).astype(np.float32) for name in ("mean", "scale", "slope", "weights")}
        numbers = np.array([self.bias, self.width, self.error], np.float32)
        return {name: np.ascontiguousarray(a) for name, a in {**half, **rest, "numbers": numbers}.items()}

    @classmethod
    def of(cls, arrays: dict[str, NDArray[np.floating]]) -> KernelRidge:
        wide = {name: value.astype(float) for name, value in arrays.items()}
        bias, width, error = (float(number) for number in wide.pop("numbers"))
        return cls(**wide, bias=bias, width=width, error=error)

    def rounded(self) -> KernelRidge:
        return KernelRidge.of(self.arrays())


def _tuned(x: Array, y: Array) -> tuple[float, float, float, float]:
    """(width, share, ridge, error) of least leave-one-out absolute error; of fewer than five, a usual choice."""
    n, d = x.shape
    distances = np.sqrt(np.maximum(_squares(x, x), 0))
    median = float(np.median(distances[np.triu_indices(n, 1)])) if n > 1 else 1.0
    median = median or 1.0
    if n < 5:
        return median, 0.3, 1.0, 1.0
    linear = x @ x.T / d
    best = (np.inf, median, 0.0, 1.0, 1.0)
    for width, share in product(WIDTHS, SHARES):
        if share == 0 and width != WIDTHS[0]:
            continue
        kernel = linear + share * np.exp(-0.5 * (distances / (width * median)) ** 2)
        values, vectors = np.linalg.eigh(kernel)
        turned = vectors.T @ y
        for ridge in RIDGES:
            shrunk = 1 / (np.maximum(values, 0) + ridge)
            inverse = np.einsum("ij,j,ij->i", vectors, shrunk, vectors)
            rest = (vectors @ (shrunk * turned)) / inverse
            error = float(np.mean(np.abs(rest)))
            if error < best[0]:
                best = (error, width * median, share, ridge, float(np.std(rest)))
    return best[1:]


def _standard(features: Array, mean: Array, scale: Array) -> Array:
    return np.nan_to_num(np.clip((features - mean) / scale, -6, 6))


def _squares(a: Array, b: Array) -> Array:
    return (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)[None]


def _gauss(a: Array, b: Array, width: float) -> Array:
    return np.exp(-0.5 * np.maximum(_squares(a, b), 0) / width**2)
