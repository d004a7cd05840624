"""From measured points to the arrays that the figures of Explore take."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard import findings, words
from dashboard.figures.blame import Bars, blame_bars
from dashboard.figures.curves import Dot, Line, learning_curves
from engines.core import CaseStudy, EngineInfo, Task
from engines.runs import Point

NAME_LENGTH = 17  # letters in a row of a name at a line's end
DASHES = ("dash", "dot", "dashdot")
READING = (
    "Line: mean over seeds. Band: 95 % interval, from seeds and test examples. Small dots: single runs. Broken lines: "
    "the same models read in another way. Click a point to pick its budget."
)


def curves(case: CaseStudy, task: Task, points: Sequence[Point], budget: float) -> go.Figure:
    """The learning curves of a task's main points, with `budget` marked."""
    here = findings.main_points(points)
    lines, dots = [], []
    for info in case.engines:
        if info.reference:
            dots += [_dot(info, task, point) for point in here if point.engine == info.name]
            continue
        for place, reading in enumerate(["", *info.readings]):
            name = f"{info.name}+{reading}" if reading else info.name
            own = sorted((point for point in here if point.engine == name), key=lambda point: point.budget)
            if own:
                lines.append(_line(info, task, own, reading, DASHES[(place - 1) % 3] if reading else "solid"))
    ticks = sorted({float(size) for line in lines for size in line.sizes})
    texts = [words.amount(size, task.unit) for size in ticks]
    # A unit that all ticks share is said once, below the axis.
    shared = len({text.partition(" ")[2].removesuffix("s") for text in texts}) == 1
    better = "lower" if task.metric.lower_is_better else "higher"
    unit = f", {task.metric.unit}" if task.metric.unit else ""
    return learning_curves(
        lines,
        dots,
        mark=budget,
        mark_text=words.amount(budget, task.unit),
        ticks=ticks,
        tick_texts=[text.partition(" ")[0] for text in texts] if shared else texts,
        x_title=texts[-1].partition(" ")[2] if shared else "",
        y_title=f"{task.metric.name.capitalize()}{unit} ({better} is better)",
    )


def table(case: CaseStudy, task: Task, points: Sequence[Point]) -> list[dict[str, Any]]:
    """The points as rows with columns that a person can read; numbers stay numbers."""
    unit = f" ({task.metric.unit})" if task.metric.unit else ""
    return [
        {
            "Engine": findings.label(case, point.engine),
            f"Data ({task.unit})": point.budget,
            "Test": point.test.replace("_", " "),
            "True stage": point.oracle,
            f"{task.metric.name.capitalize()}{unit}": round(point.mean, 2),
            "Low": round(max(0.0, point.low), 2),
            "High": round(max(0.0, point.high), 2),
            "Seeds": len(point.seeds),
            "Training (s)": round(point.train_seconds, 2),
            "Answer (ms)": round(1000 * point.answer_seconds, 2),
            "Parameters": point.parameters,
        }
        for point in points
    ]


def blame(case: CaseStudy, task: Task, points: Sequence[Point], budget: float) -> go.Figure | None:
    """What is left of the errors when a stage is replaced by the truth; None where no run says so."""
    groups = []
    for info in case.engines:
        here = [p for p in points if p.engine == info.name and p.test == "test" and p.budget in (budget, 0.0)]
        oracles = sorted((p for p in here if p.oracle), key=lambda p: -p.mean)
        if oracles:
            main = [point for point in here if not point.oracle]
            rows = [*main, *oracles]
            groups.append(
                Bars(
                    name=info.title,
                    shape=info.shape,
                    labels=tuple(f"true {point.oracle}" if point.oracle else "as it is" for point in rows),
                    values=np.array([point.mean for point in rows]),
                    texts=tuple(words.score(point.mean, task.metric) for point in rows),
                )
            )
    return blame_bars(groups) if groups else None


def _line(info: EngineInfo, task: Task, points: list[Point], reading: str, dash: str) -> Line:
    parts = [info.title, f"+ {reading.replace('_', ' ')}"] if reading else [info.title]
    return Line(
        name="<br>".join(row for part in parts for row in textwrap.wrap(part, NAME_LENGTH)),
        shape=info.shape,
        sizes=np.array([point.budget for point in points]),
        means=np.array([point.mean for point in points]),
        lows=np.array([point.low for point in points]),
        highs=np.array([point.high for point in points]),
        seed_sizes=np.array([point.budget for point in points for _ in point.scores]),
        seed_scores=np.array([score for point in points for score in point.scores]),
        hover=tuple(_hover(info, task, point) for point in points),
        dash=dash,
    )


def _dot(info: EngineInfo, task: Task, point: Point) -> Dot:
    return Dot(info.title, info.shape, point.mean, point.low, point.high, _hover(info, task, point))


def _hover(info: EngineInfo, task: Task, point: Point) -> str:
    reading = f"<br>{info.readings.get(point.reading, point.reading)}" if point.reading else ""
    amount = f" with {words.amount(point.budget, task.unit)}" if point.budget else ""
    bounds = words.interval(point.low, point.high, task.metric)
    return f"<b>{info.title}</b>{amount}{reading}<br>{words.score(point.mean, task.metric)} ({bounds})"
