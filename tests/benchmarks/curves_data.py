"""What the benchmarks of learning curves share: where their data lie, and how a table is printed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from engines.curves.kernels import Array

Learner = dict[str, tuple[Array, Array, Array]]


def data_file(given: Path | None, name: str) -> Path:
    """The file given on the command line, or `name` in the folder that CROSSOVER_DATA names."""
    path = given or Path(os.environ.get("CROSSOVER_DATA", ".")) / name
    if not path.is_file():
        raise SystemExit(f"{path} is not there: give --data FILE, or name the folder of {name} in CROSSOVER_DATA.")
    return path


def lcdb(path: Path) -> dict[int, Learner]:
    """LCDB curves: data set id -> learner -> growing sizes, mean test errors and their standard errors, (n,) each."""
    columns = ["dataset_id", "learner", "train_size", "test_error", "test_error_stderr"]
    rows = pq.read_table(path, columns=columns).to_pydict()
    groups: dict[tuple[int, str], list[tuple[float, float, float]]] = {}
    for dataset, learner, size, error, spread in zip(*(rows[name] for name in columns), strict=True):
        if np.isfinite(error):
            groups.setdefault((dataset, learner), []).append((size, error, spread if np.isfinite(spread) else 0.0))
    found: dict[int, Learner] = {}
    for (dataset, learner), points in sorted(groups.items()):
        sizes, errors, spreads = np.array(sorted(points), dtype=np.float64).T
        found.setdefault(dataset, {})[learner] = sizes, errors, spreads
    return found


def halves(datasets: Sequence[int]) -> tuple[list[int], list[int]]:
    """Data sets that the discrepancy is learned from, and those it is judged on: every other one, by id."""
    ordered = sorted(datasets)
    return ordered[::2], ordered[1::2]


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns aligned; floats with four decimals."""
    text = [list(header), *([f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in text) for place in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) if not place else cell.rjust(width) for place, (cell, width) in
                  enumerate(zip(row, widths, strict=True)))
        for row in text
    )  # fmt: skip
