"""Points to start from: runs of our own cases, and series that others published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from dashboard import findings, measured
from dashboard.advising.question import Question
from engines import registry
from engines.core import CaseStudy, Task
from engines.datasets.published import PublishedGroup, published


@dataclass(frozen=True)
class Start:
    """A title to choose by and what makes the question; `source` says where the points come from."""

    title: str
    source: str
    make: Callable[[], Question]


def starts() -> dict[str, Start]:
    """By a key that stays the same from run to run: tasks with runs of two budgets or more, published groups with
    series of two sizes or more."""
    found = {}
    for case in registry.cases().values():
        for task in case.tasks:
            if len(measured.load(case, task).budgets()) >= 2:
                simulated = " (synthetic data)" if task.simulated else ""
                title = f"Our runs: {case.title}, {task.title}{'' if 'synthetic' in task.title.lower() else simulated}"
                source = f"Runs of this project, task “{task.title}”{simulated}."
                found[f"{case.slug}/{task.slug}"] = Start(title, source, partial(of_task, case, task))
    for group in published():
        if any(len({point.size for point in series.points}) >= 2 for series in group.sized):
            sources = sorted({point.source for series in group.sized for point in series.points})
            found[f"published/{group.case}/{group.test_set}"] = Start(
                f"Published: {group.title}", f"Published by {'; '.join(sources)}.", partial(of_group, group)
            )
    return found


def of_task(case: CaseStudy, task: Task) -> Question:
    """A task's runs, a row a seed with the standard error of its test examples."""
    points = [p for p in findings.main_points(measured.load(case, task).points) if not (p.reference or p.reading)]
    rows = []
    for point in points:
        spread = float(np.std(point.draws, ddof=1)) if len(point.draws) > 1 else point.standard_error
        spread = spread or point.standard_error
        title = case.engine(point.engine).title
        rows += [(title, f"{point.budget:.6g}", f"{score:.5g}", f"{spread:.3g}") for score in point.scores]
    return replace(
        Question(),
        rows=tuple(rows),
        metric=task.metric.name,
        score_unit=task.metric.unit,
        higher=not task.metric.lower_is_better,
        unit=task.unit,
    )


def of_group(group: PublishedGroup) -> Question:
    """Published series, those of one size left out."""
    series = [each for each in group.sized if len({point.size for point in each.points}) >= 2]
    return replace(
        Question(),
        rows=tuple((s.name, f"{point.size:.10g}", f"{point.value:g}", "") for s in series for point in s.points),
        metric=group.metric,
        score_unit=group.metric_unit,
        higher=not group.lower_is_better,
        unit=group.unit,
    )
