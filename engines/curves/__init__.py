"""From measured points to "when does end-to-end win, how sure is that, and what will it cost". NumPy, SciPy, Numba."""

from engines.curves.advice import (
    Approach,
    Plan,
    Prices,
    collection_plan,
    data_needed,
    for_budget,
    for_target,
    next_measurement,
    warnings,
)
from engines.curves.cli import HIGHER, Row, parse_points, read_points, read_rows
from engines.curves.crossover import HORIZON, Crossover, Interval, best_of, crossover, overtaking
from engines.curves.curve import Curve, flags
from engines.curves.forecast import Forecast, forecast, forecasts

__all__ = [
    "HIGHER",
    "HORIZON",
    "Approach",
    "Crossover",
    "Curve",
    "Forecast",
    "Interval",
    "Plan",
    "Prices",
    "Row",
    "best_of",
    "collection_plan",
    "crossover",
    "data_needed",
    "flags",
    "for_budget",
    "for_target",
    "forecast",
    "forecasts",
    "next_measurement",
    "overtaking",
    "parse_points",
    "read_points",
    "read_rows",
    "warnings",
]
