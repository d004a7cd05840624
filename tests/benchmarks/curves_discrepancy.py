"""Learn the constants of engines/curves/discrepancy.json from one half of LCDB's data sets.

    python -m tests.benchmarks.curves_discrepancy [--data lcdb11.parquet] [--curves 8] [--write]

From each data set of the learning half some learners' curves are cut at a random share of their sizes, thinned at
random (so that sparse curves are learned from as well), and forecast; the residuals of ln error at every doubling
beyond the cut and at the last size are described by maximum likelihood as `engines.curves.discrepancy` says. The
correlation is that of the residuals (as normal scores) between learners on one data set at one cut.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm, t

from engines.curves import Curve, forecast
from engines.curves.discrepancy import MOST_JUMPS
from engines.curves.kernels import Array
from tests.benchmarks.curves_data import data_file, halves, lcdb, table

TARGET = Path(__file__).parents[2] / "engines/curves/discrepancy.json"
TRAITS = ("noise", "span", "slope", "missed", "disagreement", "ill")
DOUBTS = ("noise", "missed", "disagreement", "ill")
SHARES, THINNINGS = (0.1, 0.2, 0.3, 0.4, 0.6), (1, 1, 4, 8)


def collect(path: Path, curves: int, rng: np.random.Generator) -> dict[str, Array]:
    """One row a target: group (data set and cut), curve, distance, residual, spread of the fits, the truth's own
    noise, weight, and the traits."""
    data = lcdb(path)
    rows: list[list[float]] = []
    group = curve = 0
    for dataset in halves(list(data))[0]:
        for _ in range(2):
            group += 1
            share, thin, offset = rng.choice(SHARES), int(rng.choice(THINNINGS)), rng.random()
            for name in rng.permutation(sorted(data[dataset]))[:curves]:
                sizes, errors, spreads = (each[int(offset * thin) :: thin] for each in data[dataset][str(name)])
                known = max(4, int(np.ceil(share * len(sizes))))
                if len(sizes) < 8 or known >= len(sizes) or (errors > 0).sum() < 4 or not (errors[:known] > 0).any():
                    continue
                curve += 1
                made = forecast(Curve(sizes[:known], errors[:known], standard_errors=spreads[:known]), rng, draws=100)
                doublings = np.searchsorted(sizes, sizes[known - 1] * 2.0 ** np.arange(1, 15))
                at = np.unique(np.minimum(np.append(doublings, len(sizes) - 1), len(sizes) - 1))
                at = at[at >= known]
                truth = np.maximum(errors[at], errors[errors > 0].min() / 2)
                middle, spread = made.central_log(sizes[at]), made.fits.log(sizes[at]).std(axis=0)
                for place, j in enumerate(at):
                    rows.append([
                        group, curve, np.log(sizes[j] / sizes[known - 1]), np.log(truth[place]) - middle[place],
                        spread[place], spreads[j] / truth[place], 1 / len(at), *made.traits.logs().values(),
                    ])  # fmt: skip
    names = ("group", "curve", "distance", "residual", "spread", "noise_there", "weight", *TRAITS)
    return dict(zip(names, np.array(rows).T, strict=True))


@dataclass(frozen=True)
class Mixture:
    """The residuals' distribution for one vector of parameters b: as a rule Student's t, and after a jump exponential.

    b: intercept, ln power, ln(freedom - 1), ln spread, weights of the traits; rate, weights of the traits (of traits
    with mean 0 and standard deviation 1); ln fall, ln rise, logit of the share of falls.
    """

    total: Array
    freedom: float
    jumped: Array
    fall: float
    rise: float
    share: float

    @classmethod
    def of(cls, b: Array, data: dict[str, Array]) -> Mixture:
        k = len(TRAITS)
        traits = np.stack([data[name] for name in TRAITS], axis=1)
        s = np.exp(np.clip(b[0] + traits @ b[4 : 4 + k], -12, 3)) * data["distance"] ** np.exp(np.clip(b[1], -3, 1))
        spread = np.exp(np.clip(b[3], -4, 2)) * data["spread"]
        total = np.sqrt(s**2 + spread**2 + data["noise_there"] ** 2 + 0.003**2)
        level = b[4 + k] + (traits - traits.mean(axis=0)) / traits.std(axis=0) @ b[5 + k : 5 + 2 * k]
        jumped = 1 - np.exp(-np.exp(np.clip(level, -12, MOST_JUMPS)) * data["distance"])
        fall, rise, share = np.exp(b[-3]), np.exp(b[-2]), 1 / (1 + np.exp(-b[-1]))
        return cls(total, float(1 + np.exp(np.clip(b[2], -3, 3))), jumped, float(fall), float(rise), float(share))

    def density(self, r: Array) -> Array:
        usual = t.pdf(r / self.total, self.freedom) / self.total
        fall = self.share * np.exp(np.minimum(r, 0) / self.fall) / self.fall
        rise = (1 - self.share) * np.exp(-np.maximum(r, 0) / self.rise) / self.rise
        return np.asarray((1 - self.jumped) * usual + self.jumped * np.where(r < 0, fall, rise))

    def below(self, r: Array) -> Array:
        """The probability of less than `r`."""
        usual = t.cdf(r / self.total, self.freedom)
        fall = self.share * np.exp(np.minimum(r, 0) / self.fall)
        rise = (1 - self.share) * (1 - np.exp(-np.maximum(r, 0) / self.rise))
        return np.asarray((1 - self.jumped) * usual + self.jumped * (fall + rise))


def loss(b: Array, data: dict[str, Array]) -> float:
    logs = np.log(Mixture.of(b, data).density(data["residual"]) + 1e-12)
    jumps = b[5 + len(TRAITS) : 5 + 2 * len(TRAITS)]
    return float(-np.average(logs, weights=data["weight"]) + 1e-4 * np.sum(b**2) + 1e-3 * np.sum(jumps**2))


def learn(data: dict[str, Array]) -> tuple[dict[str, Any], Array]:
    """The constants, and of each target whether it lies within its central 90 %."""
    k = len(TRAITS)
    start = np.r_[-2.5, -0.3, 0.5, -1.0, np.zeros(k), -3.0, np.zeros(k), 0.0, 0.0, 1.0]
    # What makes a forecast doubtful cannot make jumps rarer: left free, the calmest curves would jump the oftenest.
    bounds: list[tuple[float | None, float | None]] = [(None, None)] * len(start)
    for place, name in enumerate(TRAITS):
        if name in DOUBTS:
            bounds[5 + k + place] = (0.0, None)
    options = {"maxiter": 400, "maxfun": 100_000}
    b = minimize(loss, start, args=(data,), method="L-BFGS-B", bounds=bounds, options=options).x
    made = Mixture.of(b, data)
    place = made.below(data["residual"])
    last = np.append(np.diff(data["curve"]) != 0, True)
    scores = norm.ppf(np.clip(place, 1e-3, 1 - 1e-3))[last]
    group = data["group"][last]
    pairs = [
        (scores[i], scores[j])
        for one in np.unique(group)
        for i in np.flatnonzero(group == one)
        for j in np.flatnonzero(group == one)
        if i != j
    ]
    traits = np.stack([data[name] for name in TRAITS], axis=1)
    rates = b[5 + k : 5 + 2 * k] / traits.std(axis=0)
    constants = {
        "freedom": made.freedom,
        "spread": float(np.exp(b[3])),
        "correlation": float(np.clip(np.corrcoef(np.array(pairs).T)[0, 1], 0, 0.95)),
        "intercept": float(b[0]),
        "power": float(np.exp(b[1])),
        "weights": dict(zip(TRAITS, b[4 : 4 + k].tolist(), strict=True)),
        "jump": {
            "rate": float(b[4 + k] - traits.mean(axis=0) @ rates),
            "weights": dict(zip(TRAITS, rates.tolist(), strict=True)),
            "fall": made.fall,
            "rise": made.rise,
            "share": made.share,
        },
    }
    return constants, (place > 0.05) & (place < 0.95)


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return round(value, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--curves", type=int, default=12, help="learners of a data set at a cut")
    parser.add_argument(
        "--caution", type=float, default=2.0, help="how many times as often as learned jumps are taken to come"
    )
    parser.add_argument("--write", action="store_true", help="write engines/curves/discrepancy.json")
    chosen = parser.parse_args()
    data = collect(data_file(chosen.data, "lcdb11.parquet"), chosen.curves, np.random.default_rng(0))
    constants, held = learn(data)
    made = {
        "command": f"python -m tests.benchmarks.curves_discrepancy --curves {chosen.curves} "
        f"--caution {chosen.caution} --write",
        "data": "LCDB 1.1 (CC BY 4.0), every other data set by id",
        "curves": int(data["curve"][-1]),
        "caution": chosen.caution,
        **rounded(constants),
    }
    print(json.dumps(made, indent=1))
    edges = (0, 0.8, 1.5, 2.5, 4, 20)
    rows = []
    for low, high in pairwise(edges):
        here = (data["distance"] >= low) & (data["distance"] < high)
        absolute = np.abs(data["residual"][here])
        rows.append([
            f"{low} to {high}", int(here.sum()), float(np.median(data["residual"][here])), float(np.median(absolute)),
            float(np.average(held[here], weights=data["weight"][here])),
        ])  # fmt: skip
    print(table(["ln distance", "targets", "median residual", "median |residual|", "within 90 %"], rows))
    if chosen.write:
        TARGET.write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
