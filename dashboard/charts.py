"""From measured points to the arrays that the figures of Explore take."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard import findings, outlook, words
from dashboard.figures.ahead import Ahead, cut
from dashboard.figures.blame import Bars, blame_bars
from dashboard.figures.curves import MOST_TICKS, Dot, Line, learning_curves
from dashboard.outlook import Outlook
from engines.core import CaseStudy, EngineInfo, Task
from engines.datasets.published import PublishedGroup, PublishedPoint, PublishedSeries
from engines.runs import Point

NAME_LENGTH = 17  # letters in a row of a name at a line's end
DASHES = ("dash", "dot", "dashdot")
READING = (
    "Line: mean over seeds. Band: 95 % interval, from seeds and test examples. Small dots: single runs. Broken lines "
    "with markers: the same models read in another way. Thin lines: variants of an approach. Click a point to pick its "
    "budget."
)
BEYOND = (
    "Dashes without markers: the forecast, an average over eleven families of learning curves; its band holds nine "
    "times in ten."
)
BELOW = (
    "Below: the chance that the crossover lies behind at each amount of data. The bar on the axis is its 90 % "
    "interval, the diamond its median; an arrow says that it may come later, or never."
)


def curves(
    case: CaseStudy,
    task: Task,
    points: Sequence[Point],
    budget: float,
    found: Outlook | None = None,
    look: float = 1.0,
    group: PublishedGroup | None = None,
    reach: float | None = None,
) -> go.Figure:
    """The learning curves of a task's main points, with `budget` marked. With an outlook, forecasts up to `look` times
    the data; `group` are published points that share the axes; `reach` is the most data measured, where that is not the
    most of these points."""
    here = findings.main_points(points)
    if reach is None:
        reach = max((point.budget for point in here if not point.reference), default=0.0)
    right = look * reach
    firsts = findings.standing(case, here).values()
    lines, dots = [], []
    for info in case.engines:
        if info.reference:
            dots += [_dot(info, task, point) for point in here if point.engine == info.name]
            continue
        for place, (name, reading) in enumerate(zip(info.curves, ("", *info.readings), strict=True)):
            own = sorted((point for point in here if point.engine == name), key=lambda point: point.budget)
            if own:
                ahead = cut(found.ahead[name], right) if found and name in found.ahead else None
                dash = DASHES[(place - 1) % 3] if reading else "solid"
                line = _line(info, task, own, reading, dash, ahead if right > reach else None)
                lines.append(replace(line, variant=not reading and name not in firsts))
    strip = found is not None and right > reach and meet(found, here)
    layer = published_lines(group) if group else []
    ticks = sorted({float(size) for line in lines for size in line.sizes})
    farthest = max([right, *(float(line.sizes.max()) for line in layer)])
    ticks = thinned(ticks + decades(reach, farthest), [reach])
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
        y_title=f"{words.title(task.metric.name)}{unit} ({better} is better)",
        overtaking=outlook.overtaking(case, task, found, right) if found and strip else None,
        layer=layer,
        zero=task.metric.lower_is_better,
    )


def meet(found: Outlook, points: Sequence[Point]) -> bool:
    """Whether a crossover is known of two engines that both are among the points: its chance is drawn below them."""
    there = {point.engine for point in findings.main_points(points)}
    return found.crossover is not None and {found.challenger, found.incumbent} <= there


def reading(found: Outlook | None, points: Sequence[Point], look: float) -> str:
    """How to read the chart of these points."""
    told = [READING]
    if found and look > 1:
        told += [BEYOND, BELOW] if meet(found, points) else [BEYOND]
    return " ".join(told)


def decades(above: float, right: float) -> list[float]:
    """Powers of ten above one size, up to another, and that other."""
    if not 0 < above < right:
        return []
    powers = range(math.ceil(math.log10(above) + 0.2), math.floor(math.log10(right) - 0.2) + 1)
    return [*(10.0**power for power in powers), float(f"{right:.2g}")]


def thinned(ticks: Sequence[float], kept: Sequence[float]) -> list[float]:
    """As many of the `ticks` as are apart enough to be read on a logarithmic axis, those in `kept` first."""
    every = sorted(set(ticks))
    if len(every) < 2:
        return every
    least = math.log(every[-1] / every[0]) / MOST_TICKS
    chosen: list[float] = []
    for tick in [*(tick for tick in kept if tick in every), every[0], every[-1], *every]:
        if all(abs(math.log(tick / other)) >= least * 0.999 for other in chosen):
            chosen.append(tick)
    return sorted(chosen)


def published_curves(group: PublishedGroup) -> go.Figure:
    """Published points whose units are not the task's, on axes of their own."""
    lines = [replace(line, name="<br>".join(textwrap.wrap(line.name, NAME_LENGTH))) for line in published_lines(group)]
    sizes = sorted({float(size) for line in lines for size in line.sizes})
    ticks = thinned(sizes, [])
    better = "lower" if group.lower_is_better else "higher"
    unit = f", {group.metric_unit}" if group.metric_unit else ""
    return learning_curves(
        lines,
        ticks=ticks,
        tick_texts=[words.count(size) for size in ticks],
        x_title=group.unit,
        y_title=f"{words.title(group.metric)}{unit} ({better} is better)",
        zero=group.lower_is_better,
    )


def published_lines(group: PublishedGroup) -> list[Line]:
    """A line a published series; several of one shape differ in their dashes."""
    seen: Counter[str] = Counter()
    lines = []
    for series in group.sized:
        dash = ("solid", *DASHES)[seen[series.shape] % 4]
        seen[series.shape] += 1
        values = np.array([point.value for point in series.points])
        lines.append(
            Line(
                series.name,
                series.shape,
                np.array([point.size for point in series.points], dtype=np.float64),
                values,
                values,
                values,
                np.zeros(0),
                np.zeros(0),
                tuple(_source(group, series, point) for point in series.points),
                dash,
            )
        )
    return lines


def published_table(group: PublishedGroup) -> list[dict[str, Any]]:
    """Every point of a group with its source, those without a stated amount of data too."""
    unit = f" ({group.metric_unit})" if group.metric_unit else ""
    return [
        {
            "System": series.name,
            "Kind": series.shape.replace("_", "-"),
            f"Data ({group.unit})" if group.unit else "Data": point.size,
            f"{words.title(group.metric)}{unit}": point.value,
            "Source": point.citation,
            "Note": point.note,
            "Checked": point.checked,
        }
        for series in group.series
        for point in series.points
    ]


def _source(group: PublishedGroup, series: PublishedSeries, point: PublishedPoint) -> str:
    amount = f" with {words.count(point.size)} {group.unit}" if point.size is not None else ""
    value = f"{point.value:g} {group.metric_unit}".strip()
    rows = textwrap.wrap(f"Source: {point.citation}" + (f" ({point.note})" if point.note else ""), 60)
    checked = "" if point.checked == "value and size" else f"<br>Checked: {point.checked}"
    return (
        f"<b>{series.name}</b>{amount}<br>{value}, {group.metric} on {group.test_set}<br>" + "<br>".join(rows) + checked
    )


def table(case: CaseStudy, task: Task, points: Sequence[Point]) -> list[dict[str, Any]]:
    """The points as rows with columns that a person can read; numbers stay numbers. The task's further scores are those
    of points of the main test set without an oracle."""
    unit = f" ({task.metric.unit})" if task.metric.unit else ""
    further = [each.name for each in task.beside if any(each.name in point.beside for point in points)]
    return [
        {
            "Engine": case.label(point.engine),
            f"Data ({task.unit})": point.budget,
            "Test": point.test.replace("_", " "),
            "True stage": point.oracle,
            f"{words.title(task.metric.name)}{unit}": round(point.mean, 2),
            "Low": round(max(0.0, point.low), 2),
            "High": round(max(0.0, point.high), 2),
            **{name: round(point.beside.get(name, math.nan), 2) for name in further},
            "Seeds": len(point.seeds),
            "Training (s)": round(point.train_seconds, 2),
            "Trained on": words.trained_on(point),
            "Answer (ms)": round(1000 * point.answer_seconds, 2),
            "Parameters": point.parameters,
        }
        for point in points
    ]


def blame(case: CaseStudy, task: Task, points: Sequence[Point], budget: float) -> go.Figure | None:
    """The score as it is and with a stage replaced by the truth, on the same examples; None where no run says so."""
    groups = []
    every = findings.oracles(points, budget)
    for info in case.engines:
        oracles = sorted((point for point in every if point.engine == info.name), key=lambda point: -point.mean)
        as_is = next((point.as_is for point in oracles if point.as_is is not None), None)
        if as_is is not None:
            values = [as_is, *(point.mean for point in oracles)]
            groups.append(
                Bars(
                    name=info.title,
                    shape=info.shape,
                    labels=("as it is", *(case.truth(point.oracle) for point in oracles)),
                    values=np.array(values),
                    texts=tuple(words.score(value, task.metric) for value in values),
                )
            )
    return blame_bars(groups) if groups else None


def blamed(case: CaseStudy, task: Task, points: Sequence[Point], budget: float) -> str:
    """What the bars say: of the first engine of each shape the stage whose truth helps most, and to which score."""
    every = [point for point in findings.oracles(points, budget) if point.as_is is not None]
    told = []
    for engine in findings.standing(case, every).values():
        own = [point for point in every if point.engine == engine]
        best = (min if task.metric.lower_is_better else max)(own, key=lambda point: point.mean)
        as_is = best.as_is or 0.0
        name, truth = findings.spoken(case, engine), case.truth(best.oracle)
        helps = best.mean < as_is if task.metric.lower_is_better else best.mean > as_is
        if helps:
            span = f"from {words.score(as_is, task.metric)} to {words.score(best.mean, task.metric)}"
            told.append(f"in {name} the {truth}, {span}")
        else:
            told.append(f"in {name} none")
    return f"The truth of which stage helps most: {'; '.join(told)}." if told else ""


def _line(
    info: EngineInfo, task: Task, points: list[Point], reading: str, dash: str, ahead: Ahead | None = None
) -> Line:
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
        ahead=ahead,
    )


def _dot(info: EngineInfo, task: Task, point: Point) -> Dot:
    return Dot(info.title, info.shape, point.mean, point.low, point.high, _hover(info, task, point))


def _hover(info: EngineInfo, task: Task, point: Point) -> str:
    reading = f"<br>{info.readings.get(point.reading, point.reading)}" if point.reading else ""
    amount = f" with {words.amount(point.budget, task.unit)}" if point.budget else ""
    bounds = words.interval(point.low, point.high, task.metric)
    return f"<b>{info.title}</b>{amount}{reading}<br>{words.score(point.mean, task.metric)} ({bounds})"
