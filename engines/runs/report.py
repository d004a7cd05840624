"""From runs to the numbers that pages and reports show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engines.core import CaseStudy, Floats, Metric, Task
from engines.runs.store import RunStore

DRAWS = 200


@dataclass(frozen=True)
class Point:
    """What the seeds of one engine (in one reading, on one test set) came to at one budget.

    `engine` is "name", or "name+reading" for a further reading. `standard_error` adds the variance of the mean over
    seeds (training data and initialisation) to the variance over test examples (bootstrap of the examples, all seeds
    answering the same resample); the second does not shrink with more seeds. `low` and `high` bound the 95 % interval.
    """

    case: str
    task: str
    engine: str
    shape: str
    reading: str
    test: str
    oracle: str
    reference: bool
    budget: float
    mean: float
    standard_error: float
    low: float
    high: float
    scores: tuple[float, ...]
    seeds: tuple[int, ...]
    train_seconds: float
    answer_seconds: float
    parameters: int
    runs: tuple[str, ...]


def points(case: CaseStudy, task: Task, store: RunStore) -> list[Point]:
    """Every measured point of a task: engines as the case lists them, budgets growing. Failed runs are left out.

    Only runs of the engine's present version count.
    """
    table = store.frame("task = ? and error = ''", [task.slug], case=case.slug).to_pylist()
    groups: dict[tuple[str, str, str, str, float], list[dict[str, Any]]] = defaultdict(list)
    versions = {info.name: info.version for info in case.engines}
    for row in table:
        if versions.get(row["engine"]) == row["version"]:
            groups[row["engine"], row["reading"], row["test"], row["oracle"], row["pairs"]].append(row)
    order = {info.name: place for place, info in enumerate(case.engines)}
    keys = sorted(groups, key=lambda key: (order[key[0]], *key[1:]))
    return [_point(case, task, key, groups[key]) for key in keys]


def _point(case: CaseStudy, task: Task, key: tuple[str, str, str, str, float], rows: list[dict[str, Any]]) -> Point:
    engine, reading, test, oracle, budget = key
    info = case.engine(engine)
    rows = sorted(rows, key=lambda row: row["seed"])
    scores = np.array([row["score"] for row in rows])
    statistics = [np.array(row["statistics"], dtype=np.float64) for row in rows]
    error = standard_error(task.metric, scores, statistics)
    mean = float(scores.mean())
    return Point(
        case=case.slug,
        task=task.slug,
        engine=f"{engine}+{reading}" if reading else engine,
        shape=info.shape,
        reading=reading,
        test=test,
        oracle=oracle,
        reference=info.reference,
        budget=budget,
        mean=mean,
        standard_error=error,
        low=mean - 1.96 * error,
        high=mean + 1.96 * error,
        scores=tuple(scores.tolist()),
        seeds=tuple(row["seed"] for row in rows),
        train_seconds=float(np.mean([row["train_seconds"] for row in rows])),
        answer_seconds=float(np.mean([row["answer_seconds"] for row in rows])),
        parameters=int(np.mean([row["parameters"] for row in rows])),
        runs=tuple(row["id"] for row in rows),
    )


def standard_error(metric: Metric, scores: Floats, statistics: Sequence[Floats]) -> float:
    """The standard error of the mean of `scores` (seeds,), given each seed's statistics (examples, k)."""
    seeds = len(scores)
    over_seeds = float(np.var(scores, ddof=1)) / seeds if seeds > 1 else 0.0
    rng = np.random.default_rng(0)
    n = min(len(each) for each in statistics)
    if n < 2:
        return float(np.sqrt(over_seeds))
    resamples = rng.integers(0, n, (DRAWS, n))
    draws = [np.mean([metric.score(each[index]) for each in statistics]) for index in resamples]
    return float(np.sqrt(over_seeds + np.var(draws, ddof=1)))


REPORT_KEYS: dict[str, Callable[[Point, Task], Any]] = {
    "case": lambda point, task: point.case,
    "task": lambda point, task: point.task,
    "engine": lambda point, task: point.engine,
    "budget": lambda point, task: point.budget,
    "unit": lambda point, task: task.unit,
    "metric": lambda point, task: task.metric.name,
    "mean": lambda point, task: point.mean,
    "standard_error": lambda point, task: point.standard_error,
    "seeds": lambda point, task: len(point.seeds),
    "train_seconds": lambda point, task: point.train_seconds,
    "answer_seconds": lambda point, task: point.answer_seconds,
    "parameters": lambda point, task: point.parameters,
}


def report(case: CaseStudy, store: RunStore) -> list[dict[str, Any]]:
    """A flat record a point of the main test set, without oracles: what `python -m engines report --json` prints."""
    return [
        {key: value(point, task) for key, value in REPORT_KEYS.items()}
        for task in case.tasks
        for point in points(case, task, store)
        if point.test == "test" and not point.oracle
    ]
