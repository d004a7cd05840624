"""From runs to the numbers that pages and reports show."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.core import CaseStudy, Floats, Metric, Task
from engines.runs.store import RunStore

DRAWS = 200
Z = 1.96  # standard errors on either side of a 95 % interval


@dataclass(frozen=True)
class Point:
    """What the seeds of one engine (in one reading, on one test set) came to at one budget.

    `engine` is "name", or "name+reading" for a further reading. `standard_error` adds the variance of the mean over
    seeds (training data and initialisation) to the variance over test examples (bootstrap of the examples, those of one
    speaker or person together, all seeds answering the same resample); the second does not shrink with more seeds.
    `low` and `high` bound the 95 % interval, which does not collapse where no example was answered wrongly
    (`interval`). `draws` are the bootstrap's scores: engines that answered the same `examples` share the resamples, so
    that they can be compared pair by pair.
    `train_seconds` and `answer_seconds` are medians over the runs that were trained on a processor; where there are
    none, over those of a GPU, and `device` is "cuda"; `devices` is where the run of each seed was trained.
    `beside` are, of the main test set without an oracle, the mean scores over seeds in the task's further metrics.
    `as_is` is, of a point with an oracle, the score of the same runs on the same examples without it.
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
    examples: int = 0
    draws: tuple[float, ...] = ()
    as_is: float | None = None
    device: str = "cpu"
    devices: tuple[str, ...] = ()
    beside: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def test_error(self) -> float:
        """The standard error that is due to the test examples alone, which further seeds do not make smaller."""
        return float(np.std(self.draws, ddof=1)) if len(self.draws) > 1 and np.ptp(self.draws) else self.standard_error


def points(case: CaseStudy, task: Task, store: RunStore) -> list[Point]:
    """Every measured point of a task: engines as the case lists them, budgets growing. Failed runs are left out.

    Only runs of the engine's present version count.
    """
    groups: dict[tuple[str, str, str, str, float], list[dict[str, Any]]] = defaultdict(list)
    for row in store.present(case, task):
        groups[row["engine"], row["reading"], row["test"], row["oracle"], row["pairs"]].append(row)
    order = {info.name: place for place, info in enumerate(case.engines)}
    keys = sorted(groups, key=lambda key: (order[key[0]], *key[1:]))
    found = []
    for key in keys:
        engine, reading, test, _, budget = key
        found.append(_point(case, task, key, groups[key], groups.get((engine, reading, test, "", budget), [])))
    return found


def _point(
    case: CaseStudy,
    task: Task,
    key: tuple[str, str, str, str, float],
    rows: list[dict[str, Any]],
    without: list[dict[str, Any]],
) -> Point:
    """`rows` of one point; `without` are those of the same engine without an oracle."""
    engine, reading, test, oracle, budget = key
    info = case.engine(engine)
    rows = sorted(rows, key=lambda row: row["seed"])
    scores = np.array([row["score"] for row in rows])
    statistics = [np.array(row["statistics"], dtype=np.float64) for row in rows]
    draws = bootstrap(task.metric, statistics, task.alike)
    error = standard_error(scores, draws)
    mean = float(scores.mean())
    low, high = interval(task.metric, mean, error, statistics)
    if not error:
        error = max(high - mean, mean - low) / Z
    devices = [trained_on(row) for row in rows]
    timed = [row for row, device in zip(rows, devices, strict=True) if device == "cpu"] or rows
    return Point(
        case=case.slug,
        task=task.slug,
        engine=info.read(reading),
        shape=info.shape,
        reading=reading,
        test=test,
        oracle=oracle,
        reference=info.reference,
        budget=budget,
        mean=mean,
        standard_error=error,
        low=low,
        high=high,
        scores=tuple(scores.tolist()),
        seeds=tuple(row["seed"] for row in rows),
        train_seconds=float(np.median([row["train_seconds"] for row in timed])),
        answer_seconds=float(np.median([row["answer_seconds"] for row in timed])),
        parameters=int(np.mean([row["parameters"] for row in rows])),
        runs=tuple(row["id"] for row in rows),
        examples=min(len(each) for each in statistics),
        draws=tuple(draws.tolist()),
        as_is=_as_is(task.metric, rows, without) if oracle else None,
        device="cpu" if "cpu" in devices else devices[0],
        devices=tuple(devices),
        beside={} if oracle or test != "test" else _beside(task, statistics),
    )


def _beside(task: Task, statistics: Sequence[Floats]) -> dict[str, float]:
    """The mean over seeds of each further score of a task, by its name."""
    return {metric.name: float(np.mean([metric.score(each) for each in statistics])) for metric in task.beside}


def trained_on(row: Mapping[str, Any]) -> str:
    """Where the run of a row was trained: "cpu" or "cuda"."""
    return str(json.loads(row["environment"] or "{}").get("device", "cpu"))


def _as_is(metric: Metric, rows: Sequence[dict[str, Any]], without: Sequence[dict[str, Any]]) -> float | None:
    """The mean score of the runs of `rows` on the examples of `rows`, out of the rows `without` an oracle: an oracle
    answers the first examples of a test alone."""
    whole = {row["id"]: np.array(row["statistics"], dtype=np.float64) for row in without}
    pairs = [(whole[row["id"]], len(row["statistics"])) for row in rows if row["id"] in whole]
    return float(np.mean([metric.score(all_of[:count]) for all_of, count in pairs])) if pairs else None


def bootstrap(metric: Metric, statistics: Sequence[Floats], alike: Sequence[int] = ()) -> Floats:
    """Mean scores over seeds of resampled test examples (Efron 1979), (DRAWS,), given each seed's statistics (examples,
    k). Examples that are `alike`, as `Task` says, are drawn together, since a further one of the same speaker tells
    less than one of another (Davison & Hinkley 1997, section 3.8; of speakers, Bisani & Ney 2004). The resamples depend
    on these and on the number of examples alone: engines that answered the same ones share them. Empty where there is
    but one to draw.
    """
    n = min(len(each) for each in statistics)
    each_alone = np.arange(sum(alike), n) + 1
    ends = np.unique(np.minimum(np.concatenate([np.cumsum(np.array(alike, np.int64)), each_alone]), n))
    counts = np.diff(ends, prepend=0)
    if len(counts) < 2:
        return np.zeros(0)
    drawn = np.random.default_rng(0).integers(0, len(counts), (DRAWS, len(counts)))
    resamples = [_places(ends[each], counts[each]) for each in drawn]
    return np.array([np.mean([metric.score(each[index]) for each in statistics]) for index in resamples])


def _places(ends: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of all examples of the groups that hold `counts` and end before `ends`."""
    return np.repeat(ends - np.cumsum(counts), counts) + np.arange(counts.sum())


def standard_error(scores: Floats, draws: Floats) -> float:
    """The standard error of the mean of `scores` (seeds,), given the bootstrap's `draws`."""
    seeds = len(scores)
    over_seeds = float(np.var(scores, ddof=1)) / seeds if seeds > 1 else 0.0
    over_examples = float(np.var(draws, ddof=1)) if len(draws) > 1 else 0.0
    return float(np.sqrt(over_seeds + over_examples))


def interval(metric: Metric, mean: float, error: float, statistics: Sequence[Floats]) -> tuple[float, float]:
    """The 95 % interval of a mean score with the standard error `error`.

    A rate in per cent gets Wilson's interval (1927) with as many trials as the standard error is worth (Korn & Graubard
    1998), at most those there were: without a single error it reaches from 0 to about 4 in the number of trials, where
    the bootstrap would say plus or minus nothing. Other scores get the normal one.
    """
    p = mean / 100
    if metric.unit != "%" or not 0 <= p <= 1:
        return mean - Z * error, mean + Z * error
    most = _trials(metric, statistics)
    variance = (error / 100) ** 2
    # A mean of exactly 0 or 1 may vary when resampled: what its error is worth in trials cannot be told from that.
    n = min(p * (1 - p) / variance, most * len(statistics)) if variance and 0 < p < 1 else most
    centre = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return 100 * max(centre - half, 0.0), 100 * min(centre + half, 1.0)


def _trials(metric: Metric, statistics: Sequence[Floats]) -> float:
    """How often something could go wrong in a test: the second column of statistics that are (errors, out of), or else
    the examples. Further seeds are no further trials where none goes wrong: they answer the same examples."""
    each = min(statistics, key=len)
    out_of = float(each[:, 1].sum()) if each.ndim == 2 and each.shape[1] == 2 else 0.0
    counted = out_of > 0 and math.isclose(100 * each[:, 0].sum() / out_of, metric.score(each), abs_tol=1e-3)
    return max(out_of if counted else float(len(each)), 1.0)


def difference(first: Point, second: Point) -> tuple[float, float]:
    """(mean of `first` less that of `second`, its standard error).

    Where both answered the same test examples the bootstrap is paired: one resample for both, so what makes an example
    hard for both cancels out (Efron & Tibshirani 1993, section 8.3; Koehn 2004). Seeds are paired where both have the
    same ones, since those share their training data. A score without a single error keeps its own uncertainty.
    """
    gap = first.mean - second.mean
    same = (first.test, first.oracle, first.examples) == (second.test, second.oracle, second.examples)
    if not (same and first.draws and second.draws):
        return gap, math.hypot(first.standard_error, second.standard_error)
    variance = float(np.var(np.array(first.draws) - np.array(second.draws), ddof=1))
    for point in (first, second):
        if not np.ptp(point.draws):
            variance += point.standard_error**2
    one, other = np.array(first.scores), np.array(second.scores)
    if first.seeds == second.seeds and len(one) > 1:
        variance += float(np.var(one - other, ddof=1)) / len(one)
    else:
        variance += sum(float(np.var(each, ddof=1)) / len(each) for each in (one, other) if len(each) > 1)
    return gap, math.sqrt(variance)


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
    return [{key: value(point, task) for key, value in REPORT_KEYS.items()} for task, point in _main(case, store)]


def lines(case: CaseStudy, store: RunStore) -> list[str]:
    """The same as text, a line a point, with the task's further scores: what `python -m engines report` prints."""
    return [_line(task, point) for task, point in _main(case, store)]


def _main(case: CaseStudy, store: RunStore) -> list[tuple[Task, Point]]:
    return [
        (task, point)
        for task in case.tasks
        for point in points(case, task, store)
        if point.test == "test" and not point.oracle
    ]


def _line(task: Task, point: Point) -> str:
    beside = "".join(f"  {name} {mean:.1f}" for name, mean in point.beside.items())
    return (
        f"{point.case:10} {point.task:10} {point.engine:28} {point.budget:>9,.6g} {task.unit:6} "
        f"{task.metric.name} {point.mean:6.1f} ± {point.standard_error:4.1f}{beside}  seeds {len(point.seeds)}  "
        f"train {point.train_seconds:6.0f} s  answer {point.answer_seconds * 1000:6.1f} ms  "
        f"parameters {point.parameters}"
    )
