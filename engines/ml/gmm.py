"""Gaussian mixtures with diagonal covariance, one mixture per HMM state, in packed arrays.

Source: Rabiner (1989), "A tutorial on hidden Markov models"; mixtures are grown by splitting as in HTK and Kaldi.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit

_LOG_2PI = float(np.log(2 * np.pi))
_NEGLIGIBLE = -14.0  # components this far (log) below the best of a state add nothing to it


@dataclass(frozen=True)
class Mixtures:
    """States 0..S-1; state s owns the Gaussians pointer[s] .. pointer[s + 1] - 1.

    pointer: (S + 1,) int64. mean, variance: (G, D) float32. log_weight: (G,) float32, normalised per state.
    """

    pointer: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    log_weight: np.ndarray

    @property
    def states(self) -> int:
        return len(self.pointer) - 1

    @property
    def size(self) -> int:
        return len(self.log_weight)

    @cached_property
    def _linear(self) -> tuple[np.ndarray, np.ndarray]:
        """log density = [x, x*x] @ matrix + constant; matrix (2D, G)."""
        precision = 1 / self.variance
        matrix = np.concatenate([self.mean * precision, -0.5 * precision], 1).T
        constant = self.log_weight - 0.5 * (
            self.mean.shape[1] * _LOG_2PI + np.log(self.variance).sum(1) + (self.mean**2 * precision).sum(1)
        )
        return np.ascontiguousarray(matrix, np.float32), constant.astype(np.float32)

    def scores(self, x: np.ndarray, states: np.ndarray | None = None) -> np.ndarray:
        """Log densities (T, S) float32 of frames x (T, D); of some states alone: (T, len(states))."""
        matrix, constant = self._linear
        pointer = self.pointer
        if states is not None:
            sizes = np.diff(self.pointer)[states]
            pointer = np.concatenate([[0], np.cumsum(sizes)])
            index = np.repeat(self.pointer[:-1][states] - pointer[:-1], sizes) + np.arange(pointer[-1])
            matrix, constant = matrix[:, index], constant[index]
        out = np.empty((len(x), len(pointer) - 1), np.float32)
        for start in range(0, len(x), 512):  # keeps (frames, Gaussians) small for long clips
            part = x[start : start + 512].astype(np.float32, copy=False)
            logs = np.concatenate([part, part * part], 1) @ matrix
            _add_up(logs, constant, pointer, out[start : start + 512])
        return out

    def grown(self, target: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> Mixtures:
        """Mixtures of up to target[s] Gaussians: the heaviest of a state are split along their spread.

        counts: (G,) frames per Gaussian.
        """
        parts: list[tuple[np.ndarray, ...]] = []
        sizes = []
        for s in range(self.states):
            rows = slice(self.pointer[s], self.pointer[s + 1])
            mean, variance, weight = self.mean[rows], self.variance[rows], np.exp(self.log_weight[rows])
            have = len(weight)
            extra = int(min(max(target[s] - have, 0), have))
            if extra:
                which = np.argsort(-counts[rows], kind="stable")[:extra]
                step = 0.2 * np.sqrt(variance[which]) * rng.choice([-1.0, 1.0], variance[which].shape)
                mean = np.concatenate([mean, mean[which] + step])
                mean[which] -= step
                variance = np.concatenate([variance, variance[which]])
                weight[which] /= 2
                weight = np.concatenate([weight, weight[which]])
            parts.append((mean, variance, np.log(weight)))
            sizes.append(len(weight))
        mean, variance, log_weight = (np.concatenate([p[i] for p in parts]).astype(np.float32) for i in range(3))
        return Mixtures(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), mean, variance, log_weight)


@dataclass
class Statistics:
    """Expected counts, sums and sums of squares per Gaussian, float64."""

    count: np.ndarray
    total: np.ndarray
    square: np.ndarray
    log_density: float = 0.0
    frames: int = 0

    @classmethod
    def empty(cls, gaussians: int, size: int) -> Statistics:
        return cls(np.zeros(gaussians), np.zeros((gaussians, size)), np.zeros((gaussians, size)))

    def add(self, model: Mixtures, x: np.ndarray, state: np.ndarray) -> None:
        """Frames x (T, D), each in its HMM state (T,); state -1 is skipped."""
        matrix, constant = model._linear
        self.log_density += _accumulate(
            x.astype(np.float32, copy=False), state.astype(np.int64), model.pointer, matrix.T.copy(), constant,
            self.count, self.total, self.square,
        )  # fmt: skip
        self.frames += int((state >= 0).sum())


@dataclass(frozen=True)
class Estimator:
    """How statistics become mixtures.

    family: (S,) which class a state borrows from. floor: smallest variance, as a share of the class's own.
    borrow_mean, borrow_variance: how many frames the class's mean and variance are worth.
    """

    family: np.ndarray
    floor: float = 0.05
    borrow_mean: float = 4.0
    borrow_variance: float = 8.0

    def __call__(self, statistics: Statistics, pointer: np.ndarray) -> Mixtures:
        """Maximum likelihood with a prior from the class. Gaussians that lost their frames are dropped, never a
        state's last."""
        sizes = np.diff(pointer)
        owner = np.repeat(np.arange(len(sizes)), sizes)
        count, total, square = statistics.count, statistics.total, statistics.square
        kinds = int(self.family.max()) + 1
        n = np.bincount(self.family[owner], count, kinds)
        dims = total.shape[1]
        sums, squares = np.zeros((kinds, dims)), np.zeros((kinds, dims))
        np.add.at(sums, self.family[owner], total)
        np.add.at(squares, self.family[owner], square)
        all_mean = sums.sum(0) / max(n.sum(), 1)
        all_variance = np.maximum(squares.sum(0) / max(n.sum(), 1) - all_mean**2, 1e-3)
        trust = 20.0  # a class with few frames is itself drawn towards all speech
        class_mean = (sums + trust * all_mean) / (n + trust)[:, None]
        class_square = (squares + trust * (all_variance + all_mean**2)) / (n + trust)[:, None]
        class_variance = np.maximum(class_square - class_mean**2, 0.1 * all_variance)

        heaviest = np.zeros(len(sizes))
        np.maximum.at(heaviest, owner, count)
        keep = (count >= 5.0) | (count >= heaviest[owner])
        owner, count, total, square = owner[keep], count[keep], total[keep], square[keep]
        kind = self.family[owner]
        alone = np.bincount(owner, minlength=len(sizes))[owner] == 1
        prior = np.where(alone, self.borrow_mean, 0.0)[:, None]
        n_g = count[:, None]
        mean = (total + prior * class_mean[kind]) / np.maximum(n_g + prior, 1e-6)
        spread = square - 2 * mean * total + n_g * mean**2
        variance = (spread + self.borrow_variance * class_variance[kind]) / (n_g + self.borrow_variance)
        variance = np.maximum(variance, self.floor * class_variance[kind])
        state_count = np.bincount(owner, count, len(sizes))
        weight = (count + 1e-3) / (state_count[owner] + 1e-3 * np.bincount(owner, minlength=len(sizes))[owner])
        new = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(sizes)))]).astype(np.int64)
        return Mixtures(new, mean.astype(np.float32), variance.astype(np.float32), np.log(weight).astype(np.float32))


def one_each(states: int, dims: int) -> Mixtures:
    """One standard Gaussian per state: only good for collecting the first statistics."""
    return Mixtures(
        np.arange(states + 1, dtype=np.int64), np.zeros((states, dims), np.float32),
        np.ones((states, dims), np.float32), np.zeros(states, np.float32),
    )  # fmt: skip


def targets(frames: np.ndarray, total: int, per_gaussian: float, power: float = 0.5) -> np.ndarray:
    """How many Gaussians each state gets: in proportion to frames ** power, `total` in all, at most one per
    `per_gaussian` frames, at least one each."""
    share = np.maximum(frames, 0.0) ** power
    wanted = total * share / max(share.sum(), 1e-9)
    return np.maximum(1, np.minimum(np.floor(wanted + 0.5), frames / per_gaussian)).astype(np.int64)


@njit(cache=True, nogil=True, fastmath=True)
def _add_up(logs: Any, constant: Any, pointer: Any, out: Any) -> None:
    """out[t, s] = log of the summed densities of state s's Gaussians."""
    for t in range(len(logs)):
        for s in range(len(pointer) - 1):
            best = np.float32(-3e38)
            for g in range(pointer[s], pointer[s + 1]):
                value = logs[t, g] + constant[g]
                logs[t, g] = value
                best = max(best, value)
            total = np.float32(0)
            for g in range(pointer[s], pointer[s + 1]):
                gap = logs[t, g] - best
                if gap > np.float32(_NEGLIGIBLE):
                    total += np.exp(gap)
            out[t, s] = best + np.log(total)


@njit(cache=True, nogil=True, fastmath=True)
def _accumulate(
    x: Any, state: Any, pointer: Any, matrix: Any, constant: Any, count: Any, total: Any, square: Any
) -> float:
    dims = x.shape[1]
    logs = np.empty(4096, np.float32)
    density = 0.0
    for t in range(len(x)):
        s = state[t]
        if s < 0:
            continue
        first, last = pointer[s], pointer[s + 1]
        best = np.float32(-3e38)
        for g in range(first, last):
            value = constant[g]
            for d in range(dims):
                value += x[t, d] * (matrix[g, d] + x[t, d] * matrix[g, dims + d])
            logs[g - first] = value
            best = max(best, value)
        norm = 0.0
        for g in range(first, last):
            norm += np.exp(logs[g - first] - best)
        density += best + np.log(norm)
        for g in range(first, last):
            posterior = np.exp(logs[g - first] - best) / norm
            if posterior < 1e-3:
                continue
            count[g] += posterior
            for d in range(dims):
                value = posterior * x[t, d]
                total[g, d] += value
                square[g, d] += value * x[t, d]
    return density
