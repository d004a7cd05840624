"""From measures to an age: what pipeline and hybrid share once a hand has been measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.cases.bone_age.anatomy import LONG
from engines.cases.bone_age.growth import GrowthTable
from engines.core.radiograph import Age, Measures

Array = NDArray[np.float64]
OLDEST = 240.0
MARGIN = 12.0  # months that a table reaches beyond the children it was made from
GIVEN = Path(__file__).parent / "growth_table.json"


def boys(measured: Sequence[Measures]) -> Array:
    """(n,): 1 for a boy, 0 for a girl, 1/2 where it is not known."""
    return np.array([{"F": 0.0, "M": 1.0}.get(one.sex, 0.5) for one in measured])


def span_of(ages: Array) -> tuple[float, float]:
    """The ages that a table made from these children covers, in months."""
    return max(6.0, float(ages.min()) - MARGIN), min(OLDEST, float(ages.max()) + MARGIN)


def table_of(measured: Sequence[Measures], ages: Array) -> GrowthTable:
    """The table of averages that these children give, in the precision that is kept."""
    logs = np.stack([one.lengths(LONG) for one in measured]).astype(float)
    return GrowthTable.fit(LONG, logs, ages, boys(measured), span_of(ages)).rounded()


@cache
def given_table() -> GrowthTable:
    """The table that comes with the case; growth_table.json says what it was made from."""
    kept = json.loads(GIVEN.read_text())
    return GrowthTable.of(tuple(kept["names"]), {name: np.array(a, np.float32) for name, a in kept["arrays"].items()})


def features(measured: Measures) -> Array:
    """(k + 1,): log lengths, other measures as they are, and the sex; NaN where one could not be taken."""
    values = measured.values.astype(float)
    lengths = np.array([unit == "mm" for unit in measured.units])
    values[lengths] = np.log(np.maximum(values[lengths], 0.1))
    return np.append(values, float(boys([measured])[0]) - 0.5)


def age(months: float, error: float | None = None) -> Age:
    """An age kept within what there is; `error` is one standard deviation, the interval holds 90 %. There is none where
    the error is not known (None or NaN)."""
    best = float(np.clip(months, 0.0, OLDEST))
    if error is None or not np.isfinite(error):
        return Age(best)
    return Age(best, float(max(0.0, best - 1.645 * error)), float(best + 1.645 * error))
