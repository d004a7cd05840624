"""How a gate fares as more people come on file: measured, then a forecast that is drawn as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import plotly.graph_objects as go

from dashboard import theme
from dashboard.figures import labels
from dashboard.figures.ahead import border
from engines.core import Floats

HEIGHT = 320  # px
PLOT = HEIGHT - 60  # px of the plot itself
LABELS = 120  # px, kept free at the right for names
LINE = 16  # letters in a row of a name


@dataclass(frozen=True)
class Growing:
    """One rate: shares `values` at `people` on file, both of shape (k,), growing in `people`; `ahead` are (people,
    share) beyond those that there are, in order."""

    name: str
    colour: str
    dash: str
    people: Floats
    values: Floats
    ahead: tuple[tuple[float, float], ...] = ()


def filing(rates: Sequence[Growing], dark: bool = False) -> go.Figure:
    """A line a rate over the people on file, on a logarithmic axis; forecasts are dotted and have open markers."""
    figure = go.Figure(layout={"template": theme.template(dark), "height": HEIGHT})
    for rate in rates:
        figure.add_scatter(
            x=rate.people,
            y=rate.values,
            name=rate.name,
            mode="lines+markers",
            line={"color": rate.colour, "width": 2.5, "dash": rate.dash},
            hovertemplate=f"{rate.name}: %{{y:.0%}}<br>with %{{x:,}} on file<extra></extra>",
        )
        if rate.ahead:
            figure.add_scatter(
                x=[rate.people[-1], *(people for people, _ in rate.ahead)],
                y=[rate.values[-1], *(share for _, share in rate.ahead)],
                mode="lines+markers",
                line={"color": rate.colour, "width": 2, "dash": "dot"},
                marker={"symbol": "circle-open", "size": [0, *[9] * len(rate.ahead)]},
                name=f"{rate.name}, forecast",
                hovertemplate=f"{rate.name}: about %{{y:.0%}}<br>with %{{x:,}} on file, a forecast<extra></extra>",
            )
    figure.update_xaxes(type="log", title="people on file", fixedrange=True, tickformat=",", dtick=1)
    shares = [step / 5 for step in range(6)]
    figure.update_yaxes(range=[0, 1], tickvals=shares, ticktext=[f"{100 * v:.0f} %" for v in shares], fixedrange=True)
    ends = [
        (
            rate.ahead[-1][1] if rate.ahead else float(rate.values[-1]),
            labels.named("<br>".join(wrap(rate.name, LINE)), rate.colour, "●"),
        )
        for rate in rates
    ]
    labels.at_ends(figure, ends, (0, 1), PLOT)
    if any(rate.ahead for rate in rates):
        border(figure, max(float(rate.people[-1]) for rate in rates))
    figure.update_layout(margin={"l": 8, "r": LABELS, "t": 8, "b": 8}, dragmode=False)
    return figure
