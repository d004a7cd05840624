"""Two budgets at once: pairs along one axis, a stage's own data along the other, and in every cell who leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from dashboard import theme
from engines.core import Floats

ROW = 46  # px
# Cells are filled palely, so that dark text is read on the light page and light text on the dark one: the text has the
# page's own colour, which may change while it is shown.
FULL = 0.55
FAINT = 0.12


@dataclass(frozen=True)
class Grid:
    """`scores` (rows, columns) of the approach that takes side data, NaN where nothing was measured; `gaps` (rows,
    columns) by how much it is better than its rival at the same pairs, above 0, or worse, NaN where the rival was not
    measured; `clear` (rows, columns) whether that is more than chance. `rival` (columns,) are the rival's scores."""

    scores: Floats
    gaps: Floats
    clear: np.ndarray
    rival: Floats


def two_budgets(
    grid: Grid,
    columns: Sequence[str],
    rows: Sequence[str],
    shapes: tuple[str, str],
    rival: str,
    texts: Sequence[Sequence[str]],
    rival_texts: Sequence[str],
    hover: Sequence[Sequence[str]],
    x_title: str = "",
    dark: bool = False,
) -> go.Figure:
    """A cell for each pair of budgets: its score in words, filled in the colour of the approach that leads, the fuller
    the further, and marked with its sign where the lead is clear. The lowest row is the rival, which has no side data.

    Args:
        shapes: of the approach with side data and of its rival, which decide colours and signs.
        rows: amounts of side data, growing; the largest is drawn on top.
        texts: scores in words, (rows, columns), "" where there is none.
    """
    mine, theirs = shapes
    names = [rival, *rows]
    figure = go.Figure(layout={"template": theme.template(dark), "height": ROW * len(names) + 64})
    far = float(np.nanmax(np.abs(grid.gaps), initial=0.0)) if np.isfinite(grid.gaps).any() else 0.0
    for row in range(len(rows)):
        for column in range(len(columns)):
            gap = float(grid.gaps[row, column])
            fill = theme.faded(theme.GREY, FAINT)
            if np.isfinite(gap) and far:
                shape = mine if gap >= 0 else theirs
                strength = FAINT + (FULL - FAINT) * abs(gap) / far
                fill = theme.faded(theme.colour(shape), strength if grid.clear[row, column] else FAINT)
            if texts[row][column]:
                _cell(figure, column, row + 1, fill)
    for column, text in enumerate(rival_texts):
        if text:
            _cell(figure, column, 0, theme.faded(theme.GREY, FAINT))
    places = [(column, row) for row in range(len(names)) for column in range(len(columns))]
    said = [rival_texts[c] if r == 0 else _said(grid, texts, r - 1, c, (mine, theirs)) for c, r in places]
    figure.add_scatter(
        x=[column for column, _ in places],
        y=[row for _, row in places],
        mode="text",
        text=said,
        customdata=[rival_texts[c] and f"{rival}: {rival_texts[c]}" if r == 0 else hover[r - 1][c] for c, r in places],
        hovertemplate="%{customdata}<extra></extra>",
        textfont={"size": theme.SMALL},
        cliponaxis=False,
    )
    figure.update_xaxes(
        tickvals=list(range(len(columns))),
        ticktext=list(columns),
        range=[-0.5, len(columns) - 0.5],
        showgrid=False,
        fixedrange=True,
        title={"text": x_title},
    )
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=names,
        range=[-0.5, len(names) - 0.5],
        showgrid=False,
        fixedrange=True,
        ticks="",
        automargin=True,
    )
    figure.update_layout(margin={"l": 8, "r": 8, "t": 4, "b": 48}, dragmode=False)
    return figure


def _said(grid: Grid, texts: Sequence[Sequence[str]], row: int, column: int, shapes: tuple[str, str]) -> str:
    text = texts[row][column]
    if not text or not grid.clear[row, column]:
        return text
    # One below the other: nine columns fit a telephone so.
    return f"{theme.sign(shapes[0] if grid.gaps[row, column] >= 0 else shapes[1])}<br>{text}"


def _cell(figure: go.Figure, column: int, row: int, fill: str) -> None:
    figure.add_shape(
        type="rect",
        x0=column - 0.48,
        x1=column + 0.48,
        y0=row - 0.46,
        y1=row + 0.46,
        fillcolor=fill,
        line={"width": 0},
        layer="below",
    )
