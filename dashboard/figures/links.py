"""How much each word (or piece) of a translation has to do with each of its source: a matrix of cells."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard import theme

ROW = 22  # px
ABOVE = 16  # px beside the names of the columns
LETTER = 7  # px a letter of a name takes, about
NAMED, LINE = 24, 60  # letters of a name beside the matrix, and of a line of it where the pointer is


def matrix(
    weights: NDArray[np.float32], across: Sequence[str], down: Sequence[str], colour: str, dark: bool = False
) -> go.Figure:
    """A heat map of `weights` (down, across) from nothing to 1, the first word of `down` on top. Equal words keep
    places of their own; what looks like a tag is a word."""
    names = [[escape(short(word), quote=False) for word in side] for side in (across, down)]
    sources, targets = ([_lines(word) for word in side] for side in (across, down))
    hover = [
        [f"{target} – {source}: {weight:.2f}" for source, weight in zip(sources, row, strict=True)]
        for target, row in zip(targets, weights, strict=True)
    ]
    head = ABOVE + LETTER * max((len(short(word)) for word in across), default=0)
    figure = go.Figure(
        go.Heatmap(
            z=weights,
            zmin=0,
            zmax=1,
            colorscale=[[0.0, theme.faded(colour, 0.06)], [1.0, theme.faded(colour, 1.0)]],
            showscale=False,
            xgap=1,
            ygap=1,
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
        ),
        layout={"template": theme.template(dark), "height": head + ABOVE + ROW * len(down)},
    )
    # Upright names stand above their columns however narrow those are.
    figure.update_xaxes(
        tickvals=list(range(len(across))), ticktext=names[0], side="top", tickangle=-90, showgrid=False, fixedrange=True
    )
    figure.update_yaxes(
        tickvals=list(range(len(down))), ticktext=names[1], autorange="reversed", showgrid=False, fixedrange=True
    )
    figure.update_layout(margin={"l": 8, "r": 8, "t": head, "b": 8}, dragmode=False)
    return figure


def short(word: str) -> str:
    """A word of so many letters at most."""
    return word if len(word) <= NAMED else word[: NAMED - 1] + "…"


def _lines(word: str) -> str:
    """The whole word in lines."""
    return "<br>".join(escape(word[at : at + LINE], quote=False) for at in range(0, len(word), LINE))
