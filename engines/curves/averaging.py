"""The candidates that a forecast averages over, and how much each counts.

A candidate is a family fitted at a recency (`families.fit`): to all points alike, or mostly to the last ones, where a
curve has settled. Its weight is

    share of the family * share of the recency / (1 + (enough / effective points)^4)
        * (squared error of the inner hold-out in units of noise + tolerance)^-power

The inner hold-out leaves out the last octave of the measured sizes. What happens at a doubling is the best witness of
what happens at the next; longer hold-outs choose families that are good at long range and miss how a curve ends.

`averaging.json` holds the constants and the command that learned them: from one half of LCDB's data sets, and from
the points to fit of the neural-scaling-law benchmark, never from those to predict (tests/benchmarks).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engines.curves.families import BY_NAME, FAMILIES, Fit, fit
from engines.curves.kernels import Array

CONSTANTS: dict[str, Any] = json.loads((Path(__file__).parent / "averaging.json").read_text())
CANDIDATES = [
    (family, float(recency))
    for recency in CONSTANTS["recencies"]
    for family in FAMILIES
    if family.name != "last" or float(recency) == 0
]  # the last value is the same at any recency
MIXED = [family for family, _ in CANDIDATES]
RECENCIES = np.array([recency for _, recency in CANDIDATES])
HELD_OUT = 2.0  # the inner hold-out predicts the sizes beyond the largest divided by this
LEAST = 3  # points that must be left to fit
BELOW = 0.999999  # a point on an edge counts as within it
DRIFT = np.array([{"pow2": 1.0, "mmf4": 1.0, "M3": -1.0}.get(family.name, 0.0) for family in MIXED])  # far out
SHORTEST = 0.3  # the least span, in ln of sizes, that a curve is taken to have


def candidates(sizes: Array, logs: Array, noise: Array, smallest: float | None = None) -> Fit:
    """Every candidate fitted to ln errors `logs` (n,) of standard deviation `noise` (n,) at growing `sizes` (n,)."""
    made = fit(sizes, logs, noise, MIXED, RECENCIES, smallest=smallest)
    parameters = made.parameters.copy()
    parameters[made.codes == BY_NAME["last"].code, 0] = logs[-1] - made.level  # the last value, not a window's mean
    return replace(made, parameters=parameters)


def effective(sizes: Array) -> Array:
    """How many points each candidate's recency leaves in effect, (candidates,)."""
    windows = (sizes / sizes[-1]) ** RECENCIES[:, None]
    return np.asarray(windows.sum(axis=1) ** 2 / (windows**2).sum(axis=1))


def held_out(sizes: Array, logs: Array, noise: Array) -> Array | None:
    """By how much each candidate, fitted to the sizes before, misses those of the last octave: ln errors (candidates,
    held out); None when too few points are left to fit."""
    known = sizes <= sizes[-1] / (HELD_OUT * BELOW)
    if known.sum() < LEAST:
        known = np.arange(len(sizes)) < len(sizes) - 1
    if known.sum() < LEAST:
        return None
    inner = candidates(sizes[known], logs[known], noise[known], smallest=float(sizes[0]))
    return np.asarray(inner.log(sizes[~known]) - logs[~known])


def log_weights(points: Array, score: Array | None, constants: dict[str, Any]) -> Array:
    """ln of the candidates' weights, up to a constant, (..., candidates).

    `points`: effective points; `score`: mean squared error of the inner hold-out in units of noise, or None.
    """
    families, recencies = constants["families"], constants["recencies"]
    shares = np.log([families[family.name] * recencies[f"{recency:g}"] for family, recency in CANDIDATES])
    logs = shares - np.log1p((constants["enough"] / points) ** 4)
    if score is not None:
        logs = logs - constants["power"] * np.log(score + constants["tolerance"])
    return np.asarray(logs)


def weights(sizes: Array, logs: Array, noise: Array) -> tuple[Array, float]:
    """Weights of the candidates, (candidates,), and by how much their average missed the inner hold-out (root mean
    square of ln error; NaN when there are too few points for one)."""
    left = held_out(sizes, logs, noise)
    score = None if left is None else np.mean(left**2, axis=1) / np.median(noise) ** 2
    found = log_weights(effective(sizes), score, CONSTANTS)
    found = np.exp(found - found.max())
    found = found / found.sum()
    return found, float("nan") if left is None else float(np.sqrt(np.mean((found @ left) ** 2)))


def span(sizes: Array) -> float:
    """How far the measured sizes reach, in ln; of a single one, a little."""
    return max(float(np.log(sizes[-1] / sizes[0])), SHORTEST)


def central(
    average: Array,
    values: Array,
    left: Array,
    noise: Array,
    distance: Array,
    measured: Array,
    constants: dict[str, Any],
) -> Array:
    """ln error in the middle of a forecast, (..., m).

    average (..., candidates): weights. values (..., candidates, m): ln errors of the candidates at ln(size / last size)
    `distance` (..., m). left (...): what the average leaves over at the last size, whose `noise` (...) is known.
    measured (...): `span` of the sizes.

    The remainder persists as far as it is more than noise, and fades with the distance. The weights were made for the
    next octave, which is what the inner hold-out witnesses. Beyond it the families whose fall may lie ahead gain (the
    power law that falls for ever, the S-shaped one) and the settled power law loses, the sooner the less was measured:
    on a short stretch asymptotes are seen too early.
    """
    beyond = np.maximum(distance - np.log(HELD_OUT), 0.0) / np.sqrt(measured)[..., None]
    weighed = average[..., None] * np.exp(constants["falling"] * DRIFT[:, None] * beyond[..., None, :])
    middle = np.sum(weighed * values, axis=-2) / np.sum(weighed, axis=-2)
    kept = left**3 / (left**2 + (constants["surprise"] * noise) ** 2 + 1e-30)
    return np.asarray(middle + kept[..., None] * np.exp(-distance / constants["persistence"]))
