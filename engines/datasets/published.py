"""Results that others published, to lay over our own curves: `published.csv`, a row a point, each with its source.

Columns: case (slug of the case it belongs to), series, shape (pipeline, hybrid, end_to_end), data_size and data_unit
(empty where the source does not say), metric, metric_unit, lower_is_better (yes, no), value, test_set, source, locator
(where in the source), note, checked (what of the row was held against the source).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engines.core import Metric, Shape, UserError

FILE = Path(__file__).parent / "published.csv"


@dataclass(frozen=True)
class PublishedPoint:
    """`size` in the group's unit, None where the source does not say."""

    size: float | None
    value: float
    source: str
    locator: str = ""
    note: str = ""
    checked: str = ""

    @property
    def citation(self) -> str:
        """Source and place in it, in one line."""
        return f"{self.source}, {self.locator}" if self.locator else self.source


@dataclass(frozen=True)
class PublishedSeries:
    """One system; points by growing size, those of unknown size last."""

    name: str
    shape: Shape
    points: tuple[PublishedPoint, ...]


@dataclass(frozen=True)
class PublishedGroup:
    """Series that can be compared: one test set, one metric, one unit of data ("" where no point has a size)."""

    case: str
    test_set: str
    metric: str
    metric_unit: str
    lower_is_better: bool
    unit: str
    series: tuple[PublishedSeries, ...]

    @property
    def title(self) -> str:
        return f"{self.test_set}: {self.metric}" + (f" ({self.metric_unit})" if self.metric_unit else "")

    def shares_axes(self, metric: Metric, unit: str) -> bool:
        """Whether the points can be drawn on the axes of a task with this metric and unit of data."""
        return (self.metric.lower(), self.metric_unit, self.unit) == (metric.name.lower(), metric.unit, unit)

    @property
    def sized(self) -> tuple[PublishedSeries, ...]:
        """The series that have points of known size, with those alone."""
        kept = [(s, tuple(point for point in s.points if point.size is not None)) for s in self.series]
        return tuple(PublishedSeries(s.name, s.shape, points) for s, points in kept if points)


def published(case: str | None = None) -> tuple[PublishedGroup, ...]:
    """The groups of a case, or all, in the file's order.

    Raises:
        UserError: a row of the file is damaged.
    """
    return tuple(group for group in _read(FILE) if case is None or group.case == case)


@cache
def _read(path: Path) -> tuple[PublishedGroup, ...]:
    groups: dict[tuple[str, ...], dict[tuple[str, Shape], list[PublishedPoint]]] = {}
    sized: dict[tuple[str, ...], str] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            try:
                shape = _SHAPES[row["shape"]]
                size = float(row["data_size"]) if row["data_size"] else None
                point = PublishedPoint(
                    size, float(row["value"]), row["source"], row["locator"], row["note"], row["checked"]
                )
                lower = {"yes": "lower", "no": ""}[row["lower_is_better"]]
            except (KeyError, ValueError, TypeError) as error:
                raise UserError(f"{path.name}, line {number}: {error} cannot be read; mend that row.") from error
            # A point without a size belongs to those of its test set that have one.
            key = (row["case"], row["test_set"], row["metric"], row["metric_unit"], lower)
            sized[key] = sized.get(key) or row["data_unit"]
            groups.setdefault(key, {}).setdefault((row["series"], shape), []).append(point)
    return tuple(
        PublishedGroup(
            *key[:4],
            lower_is_better=bool(key[4]),
            unit=sized[key],
            series=tuple(
                PublishedSeries(
                    name, shape, tuple(sorted(points, key=lambda p: float("inf") if p.size is None else p.size))
                )
                for (name, shape), points in series.items()
            ),
        )
        for key, series in groups.items()
    )


_SHAPES: dict[str, Shape] = {"pipeline": "pipeline", "hybrid": "hybrid", "end_to_end": "end_to_end"}
