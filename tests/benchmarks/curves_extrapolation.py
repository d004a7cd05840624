"""Extrapolation on LCDB: the first 10, 20 and 40 % of the sizes are fitted, the error at the last size is predicted.

    python -m tests.benchmarks.curves_extrapolation [--data lcdb11.parquet] [--curves 0]

The absolute error of the predicted test error, by method: mean rank among all (1 is best; ties share), 90th
percentile, mean and median. Ours is the forecast's median; the families are fitted alone by least squares in ln,
weighted by the reported standard errors, from several starts. Curves come from the half of the data sets that nothing
was learned from, at random, --curves many; 0 takes them all.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from engines.curves import Curve, forecast
from engines.curves.families import FAMILIES, fit
from engines.curves.kernels import Array
from tests.benchmarks.curves_data import data_file, halves, lcdb, table

LEAST = 4
SHARES = (0.1, 0.2, 0.4)


def errors(sizes: Array, scores: Array, spreads: Array, share: float) -> Array | None:
    """Absolute errors at the last size: ours, then the families in their order; None for a curve too short."""
    known = max(LEAST, int(np.ceil(share * len(sizes))))
    if known >= len(sizes) or not (scores[:known] > 0).any():
        return None
    curve = Curve(sizes[:known], scores[:known], standard_errors=spreads[:known])
    logs, last = np.log(curve.mean), sizes[-1:]
    ours = forecast(curve, np.random.default_rng(0), draws=2).median(last)
    alone = np.exp(fit(curve.sizes, logs, curve.noise(), FAMILIES, priors=False, steps=200).log(last))[:, 0]
    alone[0] = curve.mean[-1]
    return np.abs(np.concatenate([ours, alone]) - scores[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--curves", type=int, default=0)
    parser.add_argument("--all-data-sets", action="store_true", help="for a file that nothing was learned from")
    parser.add_argument("--learning-half", action="store_true")
    chosen = parser.parse_args()
    data = lcdb(data_file(chosen.data, "lcdb11.parquet"))
    datasets = sorted(data) if chosen.all_data_sets else halves(list(data))[0 if chosen.learning_half else 1]
    curves = [points for dataset in datasets for points in data[dataset].values()]
    picked = np.random.default_rng(0).permutation(len(curves))[: chosen.curves or None]
    names = ("ours", *(family.name for family in FAMILIES))
    everything = []
    for share in (*SHARES, None):
        if share is not None:
            found = [errors(*curves[place], share) for place in picked]
            missed = np.array([each for each in found if each is not None])
            everything.append(missed)
        else:
            missed = np.concatenate(everything)
        ranks = rankdata(missed, axis=1).mean(axis=0)
        rows = [
            [
                name,
                float(ranks[place]),
                float(np.quantile(missed[:, place], 0.9)),
                float(missed[:, place].mean()),
                float(np.median(missed[:, place])),
            ]
            for place, name in enumerate(names)
        ]
        print(f"\n{'all' if share is None else f'first {share:.0%} of the sizes'}: {len(missed)} questions")
        print(table(["method", "mean rank", "90th percentile", "mean", "median"], rows))


if __name__ == "__main__":
    main()
