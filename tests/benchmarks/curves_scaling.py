"""Extrapolation on the neural-scaling-law benchmark (Alabdulmohsin, Neyshabur & Zhai 2022), by domain.

    python -m tests.benchmarks.curves_scaling [--data scaling_benchmark.csv]

The file has the columns domain, task, model, seen_examples, loss, training. Points with training = 1 are fitted (of
points with the same size the last one counts); the error of a curve is the root mean square of ln(prediction / loss)
over its other points, and a domain's the mean over its curves. Ours (the forecast's median, its family, recency and
weights chosen inside the fitted points) stands beside the last value, M1 to M4 and the broken power law, each fitted
by least squares in ln from several starts.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np

from engines.curves import Curve, forecast
from engines.curves.families import BY_NAME, fit
from tests.benchmarks.curves_data import data_file, table

RIVALS = ("last", "M1", "M2", "M3", "M4", "broken")
Points = list[tuple[float, float]]


def read(path: Path) -> dict[tuple[str, str, str], tuple[Points, Points]]:
    """Points to fit (growing, one a size) and to predict, by domain, task and model."""
    fitted: dict[tuple[str, str, str], dict[float, float]] = defaultdict(dict)
    rest: dict[tuple[str, str, str], Points] = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            key = row["domain"], row["task"], row["model"]
            size, loss = float(row["seen_examples"]), float(row["loss"])
            if int(row["training"]):
                fitted[key][size] = loss
            else:
                rest[key].append((size, loss))
    return {key: (sorted(points.items()), rest[key]) for key, points in fitted.items() if rest[key]}


def errors(fitted: Points, rest: Points) -> dict[str, float]:
    """Root mean square error of ln(prediction) by method."""
    sizes, losses = np.array(fitted).T
    at, truth = np.array(rest).T
    logs = np.log(losses)
    middle = forecast(Curve(sizes, losses), np.random.default_rng(0), draws=2).median(at)
    found = {"ours": np.log(middle)}
    families = [BY_NAME[name] for name in RIVALS]
    fits = fit(sizes, logs, np.full(len(sizes), 0.01), families, priors=False, steps=200)
    found |= dict(zip(RIVALS, fits.log(at), strict=True))
    found["last"] = np.full(len(at), logs[-1])
    return {name: float(np.sqrt(np.mean((value - np.log(truth)) ** 2))) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    path = data_file(parser.parse_args().data, "scaling_benchmark.csv")
    domains: dict[str, list[dict[str, float]]] = defaultdict(list)
    for (domain, _, _), points in read(path).items():
        domains[domain].append(errors(*points))
    everything = [each for found in domains.values() for each in found]
    rows = [
        [domain, len(found), *(float(np.mean([each[name] for each in found])) for name in ("ours", *RIVALS))]
        for domain, found in [*sorted(domains.items()), ("all", everything)]
    ]
    print(table(["domain", "curves", "ours", *RIVALS], rows))


if __name__ == "__main__":
    main()
