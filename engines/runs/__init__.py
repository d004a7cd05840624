"""Runs and the store that keeps them."""

from engines.runs.markdown import renew, tables
from engines.runs.models import kept_models, load_model
from engines.runs.report import Point, difference, lines, points, report
from engines.runs.run import Run, RunSpec, Score
from engines.runs.store import RunStore, opened

__all__ = [
    "Point",
    "Run",
    "RunSpec",
    "RunStore",
    "Score",
    "difference",
    "kept_models",
    "lines",
    "load_model",
    "opened",
    "points",
    "renew",
    "report",
    "tables",
]
