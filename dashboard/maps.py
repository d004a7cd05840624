"""The map of the two budgets: what a stage's own data are worth at each amount of pairs, from measured points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dashboard import findings, words
from dashboard.figures.map_of_budgets import Grid, two_budgets
from dashboard.view import is_dark
from engines.core import CaseStudy, SideBudget, Task
from engines.runs import Point

READING = (
    "{metric}; a column an amount of training data, a row an amount of {unit}. The lowest row takes none. Each cell "
    "has the colour of the approach that is better there, the fuller the further where that is clear, else pale; a "
    "sign marks where it is clear."
)


@dataclass(frozen=True)
class Map:
    """`title` and `sentence` say what the `figure` shows."""

    title: str
    sentence: str
    figure: go.Figure


def offer(case: CaseStudy, task: Task, points: Sequence[Point]) -> None:
    """Draw the maps of the task, where it declares second budgets and enough of them was run."""
    for place, side in enumerate(task.sides):
        found = drawn(case, task, points, side)
        if found is None:
            continue
        st.subheader(found.title, anchor="map" if place == 0 else None)
        st.markdown(found.sentence)
        st.plotly_chart(found.figure, key=f"explore_map_{place}", config={"displayModeBar": False}, alt=found.sentence)
        unit = f", {task.metric.unit}" if task.metric.unit else ""
        st.caption(READING.format(metric=f"{words.title(task.metric.name)}{unit}", unit=side.unit))


def drawn(case: CaseStudy, task: Task, points: Sequence[Point], side: SideBudget) -> Map | None:
    """The map of one second budget; None where fewer than two amounts of it, or no rival, were run."""
    here = {(point.engine, point.budget): point for point in findings.main_points(points)}
    names = sorted((name for name in side.points if any(n == name for n, _ in here)), key=side.points.__getitem__)
    rival = {budget: point for (name, budget), point in here.items() if name == side.against}
    budgets = sorted({budget for name, budget in here if name in names})
    if len(names) < 2 or not set(rival) & set(budgets):
        return None
    shape = (len(names), len(budgets))
    scores, gaps, clear = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, bool)
    for row, name in enumerate(names):
        for column, budget in enumerate(budgets):
            point = here.get((name, budget))
            if point is None:
                continue
            scores[row, column] = point.mean
            if budget in rival:
                gaps[row, column], clear[row, column] = findings.difference(point, rival[budget], task.metric)
    theirs = np.array([rival[b].mean if b in rival else np.nan for b in budgets])
    amounts = [words.amount(budget, task.unit) for budget in budgets]
    rows = [_amount(side.points[name], side.unit) for name in names]
    grid = Grid(scores, gaps, clear, theirs)
    figure = two_budgets(
        grid,
        [amount.partition(" ")[0] for amount in amounts] if _alike(amounts) else amounts,
        ["<br>".join(_folded(row)) for row in rows],
        (case.engine(names[0].partition("+")[0]).shape, case.engine(side.against).shape),
        case.engine(side.against).title,
        [[_score(value) for value in line] for line in scores],
        [_score(value) for value in theirs],
        [
            [_hover(case, task, here.get((name, budget)), rival.get(budget), row) for budget in budgets]
            for name, row in zip(names, rows, strict=True)
        ],
        amounts[-1].partition(" ")[2] if _alike(amounts) else "",
        dark=is_dark(),
    )
    return Map(title(case, side, names, grid), sentence(case, task, side, names, budgets, grid), figure)


def called(case: CaseStudy, side: SideBudget) -> str:
    """What the points are called together: as the task says, else as the one with the most side data."""
    return side.called or findings.spoken(case, max(side.points, key=side.points.__getitem__))


def title(case: CaseStudy, side: SideBudget, names: Sequence[str], grid: Grid) -> str:
    """The finding, where it is a plain one: with more side data the lead lasts to more pairs."""
    ends = [
        max(np.flatnonzero(clear & (gaps > 0)), default=-1) for clear, gaps in zip(grid.clear, grid.gaps, strict=True)
    ]
    if ends == sorted(ends) and ends[-1] > ends[0]:
        return f"The more {side.unit}, the longer {called(case, side)} leads {findings.spoken(case, side.against)}"
    return f"Two budgets: training data and {side.unit}"


def sentence(
    case: CaseStudy, task: Task, side: SideBudget, names: Sequence[str], budgets: Sequence[float], grid: Grid
) -> str:
    """What the map says: what the side data are worth, then for each amount of it who leads where."""
    parts = []
    both = np.flatnonzero(np.isfinite(grid.scores[0]) & np.isfinite(grid.scores[-1]))
    subject = called(case, side)
    if len(both):
        column = int(both[-1])
        first, last = (words.score(float(grid.scores[row, column]), task.metric) for row in (0, -1))
        span = f"{_amount(side.points[names[0]], '')} to {_amount(side.points[names[-1]], side.unit)}"
        amount = words.amount(budgets[column], task.unit)
        parts.append(f"With {amount}, going from {span} takes {subject} from {first} to {last}.")
    rival = findings.spoken(case, side.against)
    told = []
    for row, name in enumerate(names):
        where = _where(grid.gaps[row], grid.clear[row], budgets, task.unit)
        if where:
            told.append(f"with {_amount(side.points[name], side.unit)} it {where}")
    if told:
        parts.append(f"Against {rival}: {'; '.join(told)}.")
    return " ".join(parts)


def _where(gaps: np.ndarray, clear: np.ndarray, budgets: Sequence[float], unit: str) -> str:
    """Where a row is clearly ahead of its rival and where behind."""
    common = [place for place in range(len(budgets)) if np.isfinite(gaps[place])]
    if not common:
        return ""
    ahead = [place for place in common if clear[place] and gaps[place] > 0]
    behind = [place for place in common if clear[place] and gaps[place] < 0]
    if not ahead and not behind:
        return "is nowhere clearly ahead or behind"
    parts = []
    for verb, won in (("leads", ahead), ("trails", behind)):
        if not won:
            continue
        if len(won) == 1:
            parts.append(f"{verb} at {words.amount(budgets[won[0]], unit)}")
            continue
        if won == common:
            return f"{verb} throughout"
        inside = won == [place for place in common if won[0] <= place <= won[-1]]
        if inside and won[0] == common[0]:
            parts.append(f"{verb} up to {words.amount(budgets[won[-1]], unit)}")
        elif inside and won[-1] == common[-1]:
            parts.append(f"{verb} from {words.amount(budgets[won[0]], unit)} on")
        else:
            parts.append(f"{verb} at {len(won)} of {len(common)} amounts")
    return " and ".join(parts)


def _amount(value: float, unit: str) -> str:
    """An amount of side data, which was counted and is told in full: "4,529 photos"."""
    return f"{value:,g} {unit}".strip()


def _alike(amounts: Sequence[str]) -> bool:
    """Whether all amounts are of one unit, which is then said once below the axis."""
    return len({amount.partition(" ")[2].removesuffix("s") for amount in amounts}) == 1


def _folded(row: str) -> list[str]:
    """An amount on a line, its unit on the next where it is long."""
    number, _, unit = row.partition(" ")
    return [row] if len(row) <= 16 else [number, unit]


def _score(value: float) -> str:
    return words.score(float(value)) if np.isfinite(value) else ""


def _hover(case: CaseStudy, task: Task, point: Point | None, rival: Point | None, row: str) -> str:
    if point is None:
        return ""
    told = f"<b>{case.label(point.engine)}</b><br>{words.amount(point.budget, task.unit)}, {row}: "
    told += words.score(point.mean, task.metric)
    if rival is not None:
        told += f"<br>{case.label(rival.engine)}: {words.score(rival.mean, task.metric)}"
    return told
