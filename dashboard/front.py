"""What the front door and the tour say of a case: the task that tells most, and who leads with how much data."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard import findings, words
from dashboard.measured import load
from engines.core import CaseStudy, Task
from engines.runs import Point


def telling(case: CaseStudy) -> tuple[Task, list[Point]]:
    """The task that tells most: one where engines can be compared, then real data before simulated, then the most
    runs; and its main points.

    Raises:
        UserError: a file of the store cannot be read.
    """
    every = []
    for task in case.tasks:
        here = main(case, task)
        every.append((bool(shared(here)), bool(here) and not task.simulated, len(here), task, here))
    *_, task, here = max(every, key=lambda each: each[:3])
    return task, here


def main(case: CaseStudy, task: Task) -> list[Point]:
    """The points of the engines' main readings on the main test set."""
    return [p for p in findings.main_points(load(case, task).points) if not (p.reference or p.reading)]


def shared(points: Sequence[Point]) -> list[float]:
    """The budgets that all engines were measured with, growing; none where fewer than two engines were measured."""
    names = {point.engine for point in points}
    each = [{point.budget for point in points if point.engine == name} for name in names]
    return sorted(set.intersection(*each)) if len(each) > 1 else []


def winners(case: CaseStudy, task: Task, points: Sequence[Point]) -> str:
    """Who leads with the least and with the most data that all were measured with, in one sentence."""
    budgets = shared(points)
    if not budgets:
        return "Not enough runs yet to say who wins."
    leaders = {}
    for budget in (budgets[0], budgets[-1]):
        here = sorted((point for point in points if point.budget == budget), key=lambda point: point.mean)
        here = here if task.metric.lower_is_better else here[::-1]
        first, second = here[:2]
        _, clear = findings.difference(first, second, task.metric)
        leaders[budget] = findings.spoken(case, first.engine) if clear else "nobody clearly"
    if len(leaders) == 2 and len(set(leaders.values())) == 1:
        return f"Who leads: with {words.span(budgets[0], budgets[-1], task.unit, 'and')} {leaders[budgets[0]]}."
    ends = ", ".join(f"with {words.amount(budget, task.unit)} {leader}" for budget, leader in leaders.items())
    return f"Who leads: {ends}."
