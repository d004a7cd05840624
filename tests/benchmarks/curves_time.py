"""How long a forecast of two curves of ten points and their crossover takes on one core, by the number of draws.

    python -m tests.benchmarks.curves_time

The goal is 200 ms with 1,000 draws; the median and the best of seven runs are printed. The first call, timed apart,
compiles the fit (once a machine) or loads it.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from engines.curves import Curve, crossover, forecasts
from tests.benchmarks.curves_data import table


def seconds(draws: int) -> float:
    rng = np.random.default_rng(0)
    sizes = np.geomspace(1, 512, 10)
    curves = [
        Curve(sizes, (a + b * sizes**-c)[:, None] * np.exp(0.02 * rng.normal(size=(10, 3))))
        for a, b, c in ((10, 60, 0.4), (1, 150, 0.36))
    ]
    begin = time.perf_counter()
    incumbent, challenger = forecasts(curves, rng, draws)
    crossover(challenger, incumbent).interval()
    return time.perf_counter() - begin


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(f"first call: {seconds(100):.1f} s")
    rows = []
    for draws in (250, 500, 1000, 2000, 4000):
        runs = sorted(seconds(draws) for _ in range(7))
        rows.append([draws, f"{1000 * runs[3]:.0f}", f"{1000 * runs[0]:.0f}"])
    print(table(["draws", "median ms", "best ms"], rows))


if __name__ == "__main__":
    main()
