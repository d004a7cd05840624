"""Tuning of a log-linear model on n-best lists by pairwise ranking.

Source: Hopkins and May 2011, "Tuning as ranking" (PRO), with a normal prior about the weights that one begins with, and
after each round a search, one weight after the other, by the score of the whole corpus (as Och 2003, "Minimum error
rate training", from where ranking ends).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Array = NDArray[np.float64]
SAMPLED, KEPT = 400, 40  # pairs drawn from each list, and how many of them with the largest difference are learned from
SMALLEST = 0.03  # difference of two answers' gain that is worth learning
SWEEPS, MOVES = 2, (-0.5, -0.25, -0.12, 0.12, 0.25, 0.5)  # over all weights; as times the mean weight


@dataclass(frozen=True)
class Ranked:
    """Candidates of one input: `features` (n, f), `gain` (n,) in [0, 1], and what the corpus score is made of,
    `statistics` (n, k)."""

    features: Array
    gain: Array
    statistics: Array

    def joined(self, other: Ranked) -> Ranked:
        """Both, equal features once."""
        features = np.concatenate([self.features, other.features])
        _, index = np.unique(features.round(6), axis=0, return_index=True)
        index = np.sort(index)
        return Ranked(
            features[index],
            np.concatenate([self.gain, other.gain])[index],
            np.concatenate([self.statistics, other.statistics])[index],
        )


def tuned(
    decode: Callable[[Array], list[Ranked]],
    score: Callable[[Array], float],
    start: Array,
    length: int,
    rng: np.random.Generator,
    rounds: int = 4,
    prior: float = 20.0,
) -> tuple[Array, float]:
    """The weights of highest corpus score among those of all rounds, and that score.

    `decode` maps weights to candidates of every input, best first; `score` the statistics (inputs, k) of one candidate
    each to a number, higher is better; `length` is which feature counts words; `prior` how many pairs the starting
    weights are worth.
    """
    weights, pool = start, None
    best, top = start, -np.inf
    for turn in range(rounds + 1):
        lists = decode(weights)
        found = score(np.stack([each.statistics[0] for each in lists]))
        if found > top:
            best, top = weights, found
        if turn == rounds:
            break
        pool = lists if pool is None else [one.joined(other) for one, other in zip(pool, lists, strict=True)]
        learned = ranked(pool, start, rng, prior)
        if learned is None:
            break
        weights = climbed(pool, learned, score, length)
    return best, top


def ranked(pool: list[Ranked], start: Array, rng: np.random.Generator, prior: float) -> Array | None:
    """Weights by logistic regression on differences of candidates, scaled to the size of `start`; None where no two
    candidates differ enough."""
    rows = []
    for each in pool:
        n = len(each.gain)
        if n < 2:
            continue
        a, b = rng.integers(0, n, SAMPLED), rng.integers(0, n, SAMPLED)
        gap = each.gain[a] - each.gain[b]
        order = np.argsort(-np.abs(gap), kind="stable")[:KEPT]
        order = order[np.abs(gap[order]) > SMALLEST]
        rows.append((each.features[a] - each.features[b])[order] * np.sign(gap[order])[:, None])
    differences = np.concatenate(rows) if rows else np.zeros((0, len(start)))
    if not len(differences):
        return None
    spread = np.maximum(differences.std(0), 1e-6)
    scaled = differences / spread
    # The starting weights as they would be had the regression found them: same direction, a margin of one on average.
    middle = start * spread
    middle = middle / max(1e-9, np.abs(scaled @ middle).mean())

    def loss(w: Array) -> tuple[float, Array]:
        margin = scaled @ w
        value = np.logaddexp(0, -margin).sum() + prior * ((w - middle) ** 2).sum()
        slope = -scaled.T @ (1 / (1 + np.exp(margin))) + 2 * prior * (w - middle)
        return float(value), slope

    found = minimize(loss, middle, jac=True, method="L-BFGS-B").x / spread
    return found * np.abs(start).sum() / np.abs(found).sum()


def climbed(pool: list[Ranked], weights: Array, score: Callable[[Array], float], length: int) -> Array:
    """The weights moved to where the pool's best candidates score higher: that of the length, widely, then each in
    turn."""
    best, top = weights, -np.inf

    def tried(place: int, move: float) -> None:
        nonlocal best, top
        moved = best.copy()
        moved[place] += move
        found = score(np.stack([each.statistics[int((each.features @ moved).argmax())] for each in pool]))
        if found > top + 1e-9:
            best, top = moved, found

    scale = float(np.abs(weights).sum())
    for move in sorted(np.linspace(-0.2, 0.2, 21) * scale, key=abs):
        tried(length, float(weights[length] + move - best[length]))
    for _ in range(SWEEPS):
        for place in range(len(weights)):
            for move in MOVES:
                tried(place, move * scale / len(weights))
    return best
