"""How a gate trades one error for the other: who is kept out against who is let in, on logarithmic axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from dashboard import theme
from dashboard.figures import labels
from engines.core import Floats

HEIGHT = 340  # px
PLOT = HEIGHT - 60  # px of the plot itself
LABELS = 110  # px, kept free at the right for names
# Below this share nothing is told apart: a thousand strangers, of whom one in a thousand is one.
LEAST = 1e-3
_TICKS = (0.001, 0.01, 0.1, 1.0), (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 1.0)  # across, up
_DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True)
class Trade:
    """One engine: `fnir` at every `fpir`, shares of shape (k,), `fpir` never falling; `shape` decides its colour."""

    name: str
    shape: str
    fpir: Floats
    fnir: Floats


def det(trades: Sequence[Trade], mark: tuple[float, float] | None = None, dark: bool = False) -> go.Figure:
    """A line an engine, its name at its right end, and a ring at `mark` (FPIR, FNIR), where the gate now stands.

    Source: the detection error tradeoff of Martin et al. 1997, with NIST's terms for identification.
    """
    figure = go.Figure(layout={"template": theme.template(dark), "height": HEIGHT})
    used: dict[str, int] = {}
    for trade in trades:
        dash = _DASHES[used.setdefault(trade.shape, 0) % len(_DASHES)]
        used[trade.shape] += 1
        figure.add_scatter(
            x=np.maximum(trade.fpir, LEAST),
            y=np.maximum(trade.fnir, LEAST),
            name=trade.name,
            mode="lines",
            line={"color": theme.colour(trade.shape), "width": 2.5, "dash": dash, "shape": "hv"},
            hovertemplate=f"{trade.name}<br>let in %{{x:.1%}} of strangers,<br>keeps out %{{y:.0%}} of those on file"
            "<extra></extra>",
        )
    if mark is not None:
        figure.add_scatter(
            x=[max(mark[0], LEAST)],
            y=[max(mark[1], LEAST)],
            mode="markers",
            marker={"size": 15, "color": "rgba(0,0,0,0)", "line": {"color": theme.ACCENT, "width": 3}},
            hoverinfo="skip",
        )
        figure.add_annotation(
            text="the gate now", x=np.log10(max(mark[0], LEAST)), y=np.log10(max(mark[1], LEAST)), xanchor="left",
            yanchor="bottom", xshift=8, yshift=6, showarrow=False, font={"size": theme.SMALL},
        )  # fmt: skip
    sideways, up = ({"tickvals": t, "ticktext": [f"{100 * v:g} %" for v in t]} for t in _TICKS)
    low = min((float(np.min(trade.fnir)) for trade in trades), default=LEAST)
    figure.update_xaxes(
        type="log", range=[np.log10(LEAST), 0], title="strangers let in (FPIR)", fixedrange=True, **sideways
    )
    bounds = (float(np.log10(max(LEAST, low * 0.8))), 0.02)
    figure.update_yaxes(
        type="log",
        range=bounds,
        title="people on file kept out (FNIR)",
        fixedrange=True,
        **up,
    )
    ends = [
        (
            float(np.log10(max(trade.fnir[-1], LEAST))),
            labels.named(trade.name.replace(", ", ",<br>"), theme.colour(trade.shape), theme.sign(trade.shape)),
        )
        for trade in trades
    ]
    labels.at_ends(figure, ends, bounds, PLOT)
    figure.update_layout(margin={"l": 8, "r": LABELS, "t": 8, "b": 8}, dragmode=False)
    return figure
