"""Crossovers of learners on LCDB: does the interval hold, is the probability calibrated, does it beat one family?

    python -m tests.benchmarks.curves_crossovers [--data lcdb11.parquet] [--pairs 900] [--svg reliability.svg]

Pairs of learners on one data set (of the half that the discrepancy was not learned from). A pair crosses at n* when
the challenger is behind at nine tenths of the sizes before n* and ahead at all of them from n* on, at least three; it
never crosses when it is behind at nine tenths of all sizes and at all of the last quarter; in both the winner is so by
two standard errors at the last size (twins, equal to the last digit, are left out). Both are forecast from the
points up to n*/2 and up to n*/4; for a pair that never crosses, n* is that of a crossing pair, of the same data set
where there is one. What counts as true is known up to the last size common to both.

- The 90 % interval holds the truth when n* lies in it (to within one step of the sizes), or, for never, when it
  reaches beyond the last common size.
  Pairs that never cross, four in five, are nearly always held, since a calibrated forecast seldom rules out "never":
  so of all pairs about 1 - (share that cross) * (1 - share of these held) are. What it would be with as many pairs
  that cross as never do is printed too.
- "Has overtaken by n" is judged at every doubling from the cut to the last common size: Brier score, and the expected
  calibration error over ten bins of equal width, each pair counting once.
- Rivals: each family alone with a bootstrap of its residuals' noise, and the last value (whoever leads stays ahead).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engines.core import UserError
from engines.curves import Curve, crossover, forecasts
from engines.curves.families import FAMILIES, Family, fit
from engines.curves.kernels import Array
from tests.benchmarks.curves_data import Learner, data_file, halves, lcdb, table

LEAST = 4
DRAWS = 400


@dataclass(frozen=True)
class Pair:
    """A question: two curves known up to `cut`, the sizes to answer for, and the truth."""

    curves: tuple[Curve, Curve]
    crosses: float  # n*, infinite for never
    before: float  # the common size before n*
    last: float
    at: Array  # doublings beyond the cut
    overtaken: Array  # (len(at),) 0 or 1


def common(learners: Learner, incumbent: str, challenger: str) -> tuple[Array, Array, Array]:
    """Sizes that both have, and positions in each."""
    return np.intersect1d(learners[incumbent][0], learners[challenger][0], return_indices=True)


def crossing(sizes: Array, ahead: Array) -> float | None:
    """n*, infinite for never, None where the pair is neither."""
    if len(sizes) < 12:
        return None
    if not ahead[-len(ahead) // 4 :].any() and ahead.mean() <= 0.1:
        return float("inf")
    behind = np.flatnonzero(~ahead)
    start = behind[-1] + 1 if len(behind) else 0
    if LEAST + 4 <= start <= len(sizes) - 3 and ahead[:start].mean() <= 0.1:
        return float(sizes[start])
    return None


def pairs(data: dict[int, Learner], datasets: list[int], count: int, rng: np.random.Generator) -> Iterator[Pair]:
    """`count` pairs, those that cross and those that never do as often as they come, each cut twice."""
    found: list[tuple[int, str, str, float]] = []
    for dataset in datasets:
        learners = data[dataset]
        for incumbent in sorted(learners):
            for challenger in sorted(learners):
                if incumbent != challenger:
                    sizes, i, j = common(learners, incumbent, challenger)
                    gap = learners[challenger][1][j] - learners[incumbent][1][i]
                    noise = np.hypot(learners[challenger][2][j], learners[incumbent][2][i])
                    at = crossing(sizes, gap < 0)
                    if at is not None and abs(gap[-1]) > 2 * noise[-1]:
                        found.append((dataset, incumbent, challenger, at))
    points = {dataset: [at for here, _, _, at in found if here == dataset and np.isfinite(at)] for dataset in datasets}
    everywhere = [at for here in points.values() for at in here]
    for place in rng.permutation(len(found))[:count]:
        dataset, incumbent, challenger, at = found[place]
        reference = at if np.isfinite(at) else float(rng.choice(points[dataset] or everywhere))
        for part in (2, 4):
            made = question(data[dataset], incumbent, challenger, at, reference / part)
            if made is not None:
                yield made


def question(learners: Learner, incumbent: str, challenger: str, crosses: float, cut: float) -> Pair | None:
    curves = []
    for name in (incumbent, challenger):
        sizes, errors, spreads = learners[name]
        known = sizes <= cut * (1 + 1e-9)
        if known.sum() < LEAST or not (errors[known] > 0).any():
            return None
        curves.append(Curve(sizes[known], errors[known], standard_errors=spreads[known], name=name))
    sizes = common(learners, incumbent, challenger)[0]
    known = min(float(curve.sizes[-1]) for curve in curves)
    doublings = known * 2.0 ** np.arange(1, 20)
    at = doublings[doublings < sizes[-1]]
    if not len(at):
        return None
    before = float(sizes[np.searchsorted(sizes, crosses) - 1]) if np.isfinite(crosses) else crosses
    overtaken = np.array([np.isfinite(crosses) and size >= crosses for size in at], dtype=np.float64)
    return Pair((curves[0], curves[1]), crosses, before, float(sizes[-1]), at, overtaken)


def alone(family: Family, pair: Pair, rng: np.random.Generator, draws: int = 20) -> Array:
    """Probabilities of having overtaken by pair.at, by a bootstrap of one family's fit."""
    fitted = []
    for curve in pair.curves:
        logs, noise = np.log(curve.mean), curve.noise()
        for _ in range(draws):
            noisy = logs + noise * rng.standard_normal(len(logs))
            value = fit(curve.sizes, noisy, noise, [family], priors=False).log(pair.at)[0]
            fitted.append(np.full(len(pair.at), noisy[-1]) if family.name == "last" else value)
    values = np.array(fitted).reshape(2, draws, -1)
    return np.mean(values[1] < values[0], axis=0)


def calibration(probability: Array, truth: Array, weight: Array) -> tuple[float, list[tuple[float, float, float]]]:
    """Expected calibration error, and (mean probability, frequency, share) of each of ten bins."""
    bins = np.minimum((probability * 10).astype(int), 9)
    rows = []
    for each in range(10):
        here = bins == each
        if here.any():
            share = weight[here].sum() / weight.sum()
            rows.append((
                float(np.average(probability[here], weights=weight[here])),
                float(np.average(truth[here], weights=weight[here])),
                float(share),
            ))  # fmt: skip
    return sum(share * abs(mean - frequency) for mean, frequency, share in rows), rows


def reliability(rows: list[tuple[float, float, float]]) -> str:
    """The reliability diagram as an SVG: a dot a bin, its area the share of the questions."""
    dots = "".join(
        f'<circle cx="{40 + 300 * mean:.1f}" cy="{340 - 300 * frequency:.1f}" r="{3 + 30 * share**0.5:.1f}" '
        'fill="#2a6f97" fill-opacity="0.6"/>'
        for mean, frequency, share in rows
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 380 380" font-family="sans-serif" font-size="12">'
        '<path d="M40 340H340M40 340V40M40 340L340 40" stroke="#888" fill="none"/>' + dots +
        '<text x="110" y="370">forecast probability of having overtaken</text>'
        '<text x="15" y="250" transform="rotate(-90 15 250)">how often it had</text></svg>\n'
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--pairs", type=int, default=900)
    parser.add_argument("--svg", type=Path, help="write the reliability diagram here")
    parser.add_argument("--all-data-sets", action="store_true", help="for a file that nothing was learned from")
    parser.add_argument("--learning-half", action="store_true", help="judge on the half that was learned from")
    chosen = parser.parse_args()
    data = lcdb(data_file(chosen.data, "lcdb11.parquet"))
    datasets = sorted(data) if chosen.all_data_sets else halves(list(data))[0 if chosen.learning_half else 1]
    rng = np.random.default_rng(0)
    held: list[bool] = []
    crosses: list[bool] = []
    ours: list[Array] = []
    rivals: dict[str, list[Array]] = {family.name: [] for family in FAMILIES}
    truths: list[Array] = []
    for pair in pairs(data, datasets, chosen.pairs, rng):
        incumbent, challenger = forecasts(pair.curves, rng, DRAWS)
        try:
            made = crossover(challenger, incumbent, horizon=pair.last)
        except UserError:
            continue
        within = made.interval()
        truth = pair.crosses
        held.append(bool(within.open) if np.isinf(truth) else within.low <= truth and within.high >= pair.before)
        crosses.append(bool(np.isfinite(truth)))
        ours.append(made.probability_by(pair.at))
        for family in FAMILIES:
            rivals[family.name].append(alone(family, pair, rng))
        truths.append(pair.overtaken)
    cross, right = np.array(crosses), np.array(held)
    print(f"{len(held)} questions, {cross.sum()} of pairs that cross; draws {DRAWS}")
    rows: list[list[object]] = [
        [name, int(here.sum()), float(right[here].mean())]
        for name, here in (("all", cross | True), ("cross", cross), ("never", ~cross))
    ]
    rows.append(["as many of each", len(held), float(right[cross].mean() + right[~cross].mean()) / 2])
    print(table(["90 % interval holds", "questions", "share"], rows))
    truth = np.concatenate(truths)
    weight = np.concatenate([np.full(len(each), 1 / len(each)) for each in truths])
    scored = []
    for name, values in {"ours": ours, **rivals}.items():
        probability = np.concatenate(values)
        error, bins = calibration(probability, truth, weight)
        scored.append([name, float(np.average((probability - truth) ** 2, weights=weight)), error])
        if name == "ours":
            diagram = bins
    print(table(["overtaken by n", "Brier", "calibration error"], scored))
    print(table(["forecast", "happened", "share"], diagram))
    if chosen.svg:
        chosen.svg.write_text(reliability(diagram))


if __name__ == "__main__":
    main()
