"""Error (or accuracy) against the amount of data: lines with their bands, seeds, references, the budget as a mark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from dashboard import theme
from engines.core import Floats

HEIGHT = 460  # px
PLOT = HEIGHT - 112  # px of the plot itself, at least: on a narrow screen the ticks are turned and take more room
LABEL_WIDTH = 118  # px, kept free at the right for the names at the lines' ends
LABEL_HEIGHT = 16  # px of a line of a name


@dataclass(frozen=True)
class Line:
    """One engine in one reading. Arrays have shape (budgets,): amounts of data, mean scores and the bounds of their
    95 % intervals, growing in `sizes`; `seed_sizes` and `seed_scores`, shape (runs,), are the runs behind the means.

    `shape` decides colour and marker, `dash` is Plotly's ("solid", "dash", "dot"); `hover` is one text a budget.
    """

    name: str
    shape: str
    sizes: Floats
    means: Floats
    lows: Floats
    highs: Floats
    seed_sizes: Floats
    seed_scores: Floats
    hover: tuple[str, ...] = ()
    dash: str = "solid"


@dataclass(frozen=True)
class Dot:
    """A reference: a score and its interval, at no budget of this task."""

    name: str
    shape: str
    mean: float
    low: float
    high: float
    hover: str = ""


def learning_curves(
    lines: Sequence[Line],
    dots: Sequence[Dot] = (),
    mark: float | None = None,
    mark_text: str = "",
    ticks: Sequence[float] = (),
    tick_texts: Sequence[str] = (),
    x_title: str = "",
    y_title: str = "",
    dark: bool = False,
) -> go.Figure:
    """The learning curves on a logarithmic axis of data. Bands and seeds are drawn for the solid lines only.

    Args:
        mark: the budget to mark, in the unit of `sizes`.
        ticks: where the axis is labelled, with `tick_texts`.
    """
    sizes = np.concatenate([line.sizes for line in lines] or [np.ones(0)])
    left, right = (float(sizes.min()), float(sizes.max())) if len(sizes) else (1.0, 10.0)
    figure = go.Figure(layout={"template": theme.template(dark), "height": HEIGHT, "hovermode": "closest"})
    main = [line for line in lines if line.dash == "solid"]
    for line in main:
        _band(figure, line)
    for line in main:
        _seeds(figure, line)
    for line in lines:
        _line(figure, line)
    ticks, tick_texts = list(ticks), list(tick_texts)
    nowhere = left / (right / left) ** 0.2 if right > left else left / 2
    if dots:
        for dot in dots:
            _dot(figure, dot, nowhere)
        ticks, tick_texts = [nowhere, *ticks], ["none", *tick_texts]
        figure.add_vline(x=math.sqrt(nowhere * left), line={"color": theme.GRID, "width": 1, "dash": "dot"})
    first = math.log10(nowhere if dots else left)
    margin = 0.03 * (math.log10(right) - first) or 0.3
    top = (
        max([0.0, *(float(line.highs.max()) for line in lines if len(line.highs)), *(dot.high for dot in dots)]) or 1.0
    )
    figure.update_xaxes(
        type="log",
        range=[first - margin * (2 if dots else 1), math.log10(right) + margin],
        tickmode="array",
        tickvals=ticks,
        ticktext=tick_texts,
        showgrid=False,
        fixedrange=True,
        ticks="outside",
        tickcolor=theme.GRID,
    )
    if x_title:
        figure.update_xaxes(title={"text": x_title})
    figure.update_yaxes(range=[0, 1.06 * top], fixedrange=True, nticks=8)
    figure.update_layout(margin={"l": 8, "r": LABEL_WIDTH, "t": 44, "b": 8}, dragmode=False)
    if y_title:
        figure.add_annotation(
            text=y_title, x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom", yshift=22,
            showarrow=False, font={"size": theme.SMALL},
        )  # fmt: skip
    if mark is not None:
        figure.add_vline(x=mark, line={"color": theme.GREY, "width": 2}, layer="below")
        figure.add_annotation(
            text=f"<b>{mark_text}</b>", x=math.log10(mark), y=1, yref="paper", yanchor="bottom", showarrow=False,
            font={"size": theme.SMALL},
        )  # fmt: skip
    _names(figure, lines, top)
    return figure


def _band(figure: go.Figure, line: Line) -> None:
    figure.add_scatter(
        x=np.concatenate([line.sizes, line.sizes[::-1]]),
        y=np.concatenate([np.maximum(line.lows, 0), np.maximum(line.highs, 0)[::-1]]),
        fill="toself",
        fillcolor=theme.faded(theme.COLOURS[line.shape], 0.16),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )


def _seeds(figure: go.Figure, line: Line) -> None:
    figure.add_scatter(
        x=line.seed_sizes,
        y=line.seed_scores,
        mode="markers",
        marker={"size": 4, "symbol": theme.SYMBOLS[line.shape], "color": theme.faded(theme.COLOURS[line.shape], 0.5)},
        hoverinfo="skip",
    )


def _line(figure: go.Figure, line: Line) -> None:
    main = line.dash == "solid"
    colour = theme.COLOURS[line.shape]
    marker = {
        "size": 9 if main else 7,
        "symbol": theme.SYMBOLS[line.shape] + ("" if main else "-open"),
        "color": colour,
    }
    figure.add_scatter(
        x=line.sizes,
        y=line.means,
        name=line.name,
        mode="lines+markers",
        line={"color": colour, "width": 2.5 if main else 1.5, "dash": line.dash},
        marker=marker,
        # A point that was clicked picks the budget; it must not dim the others.
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        text=list(line.hover),
        hovertemplate="%{text}<extra></extra>" if line.hover else None,
    )


def _dot(figure: go.Figure, dot: Dot, x: float) -> None:
    colour = theme.COLOURS[dot.shape]
    figure.add_scatter(
        x=[x],
        y=[dot.mean],
        error_y={
            "type": "data",
            "array": [dot.high - dot.mean],
            "arrayminus": [dot.mean - dot.low],
            "color": colour,
            "thickness": 1.5,
            "width": 4,
        },
        mode="markers+text",
        marker={"size": 11, "symbol": theme.SYMBOLS[dot.shape] + "-dot", "color": colour, "line": {"width": 1}},
        text=[dot.name],
        textposition="bottom right",
        cliponaxis=False,
        hovertext=[dot.hover],
        hovertemplate="%{hovertext}<extra></extra>" if dot.hover else None,
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )


def _names(figure: go.Figure, lines: Sequence[Line], top: float) -> None:
    """Names at the lines' ends, pushed apart so that none covers another."""
    ends = [(float(line.means[-1]), line) for line in lines if len(line.means)]
    ends.sort(key=lambda end: end[0])
    heights = np.array([LABEL_HEIGHT * (1 + line.name.count("<br>")) for _, line in ends], dtype=np.float64)
    pixels = np.array([end for end, _ in ends]) / (1.06 * top) * PLOT
    for place, (_, line) in zip(spread(pixels, heights, PLOT), ends, strict=True):
        figure.add_annotation(
            text=f'<span style="color:{theme.COLOURS[line.shape]}">{theme.SIGNS[line.shape]}</span> {line.name}',
            x=1, y=float(place / PLOT), xref="paper", yref="paper", xanchor="left", yanchor="middle", xshift=6,
            showarrow=False, align="left", font={"size": theme.SMALL},
        )  # fmt: skip


def spread(places: Floats, heights: Floats, room: float) -> Floats:
    """Centres near `places` (growing, shape (n,)) for labels of these `heights`, so that none overlaps another and, if
    all fit, none leaves [0, room]: groups that touch are moved as one, to where their members would be on average (the
    pool-adjacent-violators algorithm of Barlow et al. 1972, applied to what is left of each place after the labels
    below it)."""
    if not len(places):
        return places
    below = np.concatenate([[0.0], np.cumsum((heights[:-1] + heights[1:]) / 2)])[: len(places)]
    groups: list[tuple[float, int]] = []
    for wanted in places - below:
        mean, count = float(wanted), 1
        while groups and groups[-1][0] > mean:
            before, members = groups.pop()
            mean, count = (before * members + mean * count) / (members + count), members + count
        groups.append((mean, count))
    means = np.array([mean for mean, count in groups for _ in range(count)], dtype=np.float64)
    placed: Floats = np.clip(means, 0.0, max(0.0, room - float(below[-1]))) + below
    return placed
