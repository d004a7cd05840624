"""Where the errors of a chain come from: what is left of them when a stage is replaced by the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboard import theme
from engines.core import Floats

ROW = 30  # px


@dataclass(frozen=True)
class Bars:
    """One engine: a bar for the score as it is and one for each stage replaced; `values` has shape (rows,)."""

    name: str
    shape: str
    labels: tuple[str, ...]
    values: Floats
    texts: tuple[str, ...]


def blame_bars(groups: Sequence[Bars], dark: bool = False) -> go.Figure:
    """Horizontal bars, a group an engine, the score as it is in full colour and the others paler."""
    rows = sum(len(group.labels) for group in groups)
    figure = go.Figure(layout={"template": theme.template(dark), "height": ROW * (rows + len(groups)) + 16})
    for group in groups:
        colour = theme.COLOURS[group.shape]
        figure.add_bar(
            y=[[group.name] * len(group.labels), list(group.labels)],
            x=group.values,
            text=list(group.texts),
            textposition="outside",
            cliponaxis=False,
            orientation="h",
            marker={"color": [colour] + [theme.faded(colour, 0.45)] * (len(group.labels) - 1)},
            hoverinfo="skip",
        )
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False, ticks="")
    figure.update_xaxes(visible=False, fixedrange=True, rangemode="tozero")
    figure.update_layout(margin={"l": 8, "r": 60, "t": 4, "b": 4}, bargap=0.25, dragmode=False)
    return figure
