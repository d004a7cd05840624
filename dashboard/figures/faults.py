"""How often one kind of error is made, against the amount of data: a small chart, one line an engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboard import theme
from engines.core import Floats

HEIGHT = 190  # px


@dataclass(frozen=True)
class Rate:
    """One engine: `sizes` (budgets,), growing, and how often the error is made at each, `rates` (budgets,); `hover` is
    one text a budget; `shape` decides colour and marker."""

    shape: str
    sizes: Floats
    rates: Floats
    hover: tuple[str, ...]


def rates(
    lines: Sequence[Rate], ticks: Sequence[float], tick_texts: Sequence[str], top: float, dark: bool = False
) -> go.Figure:
    """Lines on a logarithmic axis of data; the axis of errors goes from 0 to a little above `top`."""
    figure = go.Figure(layout={"template": theme.template(dark), "height": HEIGHT, "hovermode": "closest"})
    for line in lines:
        figure.add_scatter(
            x=line.sizes,
            y=line.rates,
            mode="lines+markers",
            line={"color": theme.colour(line.shape), "width": 2},
            marker={"symbol": theme.symbol(line.shape), "size": 7},
            customdata=line.hover,
            hovertemplate="%{customdata}<extra></extra>",
            cliponaxis=False,
        )
    sizes = [float(size) for line in lines for size in line.sizes] or [1.0, 10.0]
    margin = 0.04 * math.log10(max(sizes) / min(sizes)) or 0.3
    figure.update_xaxes(
        type="log",
        range=[math.log10(min(sizes)) - margin, math.log10(max(sizes)) + margin],
        tickmode="array",
        tickvals=list(ticks),
        ticktext=list(tick_texts),
        showgrid=False,
        fixedrange=True,
    )
    figure.update_yaxes(range=[0.0, 1.05 * top or 1.0], fixedrange=True, nticks=5)
    figure.update_layout(margin={"l": 8, "r": 12, "t": 8, "b": 8}, dragmode=False)
    return figure
