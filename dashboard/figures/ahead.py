"""What lies beyond the data: forecast lines and bands, and the chance that one approach has overtaken another."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go

from dashboard import theme
from engines.core import Floats

STRIP = 146  # px added to a figure for the strip of the chances
GAP = 54  # px of it between the curves and the strip, for its title


@dataclass(frozen=True)
class Ahead:
    """A forecast at growing `sizes` (m,): the middle and the bounds of its 90 % interval, (m,) each; `hover` is one
    text a size."""

    sizes: Floats
    middles: Floats
    lows: Floats
    highs: Floats
    hover: tuple[str, ...] = ()


@dataclass(frozen=True)
class Overtaking:
    """The chance (m,), in [0, 1], that a challenger of this `shape` has overtaken by `sizes` (m,), and the interval of
    the crossover on the axis of data: `low`, `median`, `high`, infinite where it may never come. `title` stands above
    the strip, `hover` is one text a size. `others` (m,), if there, is the chance that it has overtaken all the rest."""

    shape: str
    sizes: Floats
    chances: Floats
    low: float
    median: float
    high: float
    title: str
    hover: tuple[str, ...] = ()
    others: Floats | None = None


def cut(forecast: Ahead, right: float) -> Ahead | None:
    """A forecast up to the size `right`; None where that is not beyond its data."""
    kept = forecast.sizes <= right * (1 + 1e-9)
    if kept.sum() < 2:
        return None
    hover = tuple(text for text, keep in zip(forecast.hover, kept, strict=True) if keep) if forecast.hover else ()
    return Ahead(forecast.sizes[kept], forecast.middles[kept], forecast.lows[kept], forecast.highs[kept], hover)


def until(chance: Overtaking, right: float) -> Overtaking:
    """The strip up to the size `right`."""
    kept = chance.sizes <= right * (1 + 1e-9)
    return replace(
        chance,
        sizes=chance.sizes[kept],
        chances=chance.chances[kept],
        hover=tuple(text for text, keep in zip(chance.hover, kept, strict=True) if keep) if chance.hover else (),
        others=None if chance.others is None else chance.others[kept],
    )


def draw(figure: go.Figure, forecast: Ahead, colour: str, band: bool = True) -> None:
    """A dashed line with its band; a thin one without."""
    if band:
        figure.add_scatter(
            x=np.concatenate([forecast.sizes, forecast.sizes[::-1]]),
            y=np.concatenate([forecast.lows, forecast.highs[::-1]]),
            fill="toself",
            fillcolor=theme.faded(colour, 0.1),
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=forecast.sizes,
        y=forecast.middles,
        mode="lines",
        line={"color": colour, "width": 2 if band else 1.2, "dash": "dash"},
        text=list(forecast.hover),
        hovertemplate="%{text}<extra></extra>" if forecast.hover else None,
    )


def border(figure: go.Figure, size: float) -> None:
    """Where the data end and the forecast begins."""
    figure.add_vline(x=size, line={"color": theme.GREY, "width": 1, "dash": "dot"}, layer="below")
    figure.add_annotation(
        text="forecast →", x=math.log10(size), y=1, yref="paper", xanchor="left", yanchor="top", xshift=4,
        showarrow=False, font={"size": theme.SMALL, "color": theme.GREY},
    )  # fmt: skip


def strip(figure: go.Figure, chance: Overtaking, floor: float, height: float) -> None:
    """Draw the chance below the curves, which are moved up to begin at `floor` of the paper; the strip has `height` px
    with its title. On the axis of data lies the interval of the crossover, a diamond at its median."""
    roof = floor * (height - GAP) / height
    colour = theme.colour(chance.shape)
    figure.update_layout(
        yaxis={"domain": [floor, 1]},
        yaxis2={
            "domain": [0, roof], "range": [-0.04, 1.04], "tickvals": [0, 0.5, 1], "ticktext": ["0", "50 %", "100 %"],
            "fixedrange": True, "anchor": "x", "gridcolor": theme.GRID, "zeroline": False,
        },
        xaxis={"anchor": "y2"},
    )  # fmt: skip
    figure.add_annotation(
        text=chance.title, x=0, y=roof, xref="paper", yref="paper", xanchor="left", yanchor="bottom", yshift=4,
        showarrow=False, align="left", font={"size": theme.SMALL},
    )  # fmt: skip
    if chance.others is not None:
        figure.add_scatter(
            x=chance.sizes, y=chance.others, yaxis="y2", mode="lines", hoverinfo="skip",
            line={"color": colour, "width": 1.2, "dash": "dot"},
        )  # fmt: skip
    figure.add_scatter(
        x=chance.sizes, y=chance.chances, yaxis="y2", mode="lines", line={"color": colour, "width": 2},
        text=list(chance.hover), hovertemplate="%{text}<extra></extra>" if chance.hover else None,
    )  # fmt: skip
    if not len(chance.sizes):
        return
    first, last = float(chance.sizes[0]), float(chance.sizes[-1])
    if not chance.low < last:
        return
    low, high = max(chance.low, first), min(chance.high, last)
    figure.add_scatter(
        x=[low, high], y=[0, 0], yaxis="y2", mode="lines+markers", hoverinfo="skip", cliponaxis=False,
        line={"color": theme.faded(colour, 0.6), "width": 6},
        # An interval that goes on beyond what is shown ends in an arrow.
        marker={"symbol": ["line-ns", "triangle-right" if chance.high > last else "line-ns"], "color": colour,
                "size": [10, 12 if chance.high > last else 10], "opacity": 1,
                "line": {"width": 2, "color": colour}},
    )  # fmt: skip
    if first <= chance.median <= last:
        figure.add_scatter(
            x=[chance.median], y=[0], yaxis="y2", mode="markers", hoverinfo="skip", cliponaxis=False,
            marker={"symbol": "diamond", "size": 12, "color": colour, "line": {"width": 1.5, "color": "white"}},
        )  # fmt: skip
