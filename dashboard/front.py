"""What the front door and the tour say of a case: the task that tells most, and who leads with how much data."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard import findings, words
from dashboard.measured import load
from engines.core import CaseStudy, Task
from engines.runs import Point

NOBODY = "nobody clearly"


def telling(case: CaseStudy) -> tuple[Task, list[Point]]:
    """The task that tells most: one where somebody leads, then real data before simulated, then the most runs; and its
    main points.

    Raises:
        UserError: a file of the store cannot be read.
    """
    every = []
    for task in case.tasks:
        here = main(case, task)
        told = set(leaders(case, task, here).values())
        runs = sum(not point.reading for point in here)
        every.append((bool(told), bool(told - {NOBODY}), not task.simulated, runs, task, here))
    *_, task, here = max(every, key=lambda each: each[:4])
    return task, here


def main(case: CaseStudy, task: Task) -> list[Point]:
    """The points of the engines on the main test set, further readings included."""
    return [point for point in findings.main_points(load(case, task).points) if not point.reference]


def drawn(points: Sequence[Point]) -> list[Point]:
    """Those of the main readings alone: a small chart has no room for more curves."""
    return [point for point in points if not point.reading]


def shared(points: Sequence[Point]) -> list[float]:
    """The budgets that every approach was measured with, growing; none where fewer than two were measured."""
    shapes = {point.shape for point in points}
    each = [{point.budget for point in points if point.shape == shape} for shape in shapes]
    return sorted(set.intersection(*each)) if len(each) > 1 else []


def leaders(case: CaseStudy, task: Task, points: Sequence[Point]) -> dict[float, str]:
    """The least and the most data that all approaches were measured with -> who clearly leads the others there."""
    budgets = shared(points)
    ends = dict.fromkeys(budgets[:1] + budgets[-1:])
    return {budget: findings.leader(case, task, points, budget) or NOBODY for budget in ends}


def winners(case: CaseStudy, task: Task, points: Sequence[Point]) -> str:
    """Who leads with the least and with the most data that all were measured with, in one sentence."""
    found = leaders(case, task, points)
    if not found:
        return "Not enough runs yet to say who wins."
    if len(found) == 2 and len(set(found.values())) == 1:
        return f"Who leads: with {words.span(*found, task.unit, 'and')} {next(iter(found.values()))}."
    ends = ", ".join(f"with {words.amount(budget, task.unit)} {leader}" for budget, leader in found.items())
    return f"Who leads: {ends}."
