"""Labels that do not cover one another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dashboard import theme
from engines.core import Floats

HEIGHT = 16  # px of a line of a name


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


def at_ends(
    figure: go.Figure, ends: Sequence[tuple[float, str]], bounds: tuple[float, float], room: float, floor: float = 0.0
) -> None:
    """Names at the right ends of lines, (where it ends, what it is called) each, pushed apart so that none covers
    another; the plot is `room` px high, its axis has these `bounds` and begins at `floor` of the paper."""
    bottom, roof = bounds
    ranked = sorted((float(np.clip(end, bottom, roof)), name) for end, name in ends)
    heights = np.array([HEIGHT * (1 + name.count("<br>")) for _, name in ranked], dtype=np.float64)
    pixels = np.array([end - bottom for end, _ in ranked]) / (roof - bottom) * room
    for place, (_, name) in zip(spread(pixels, heights, room), ranked, strict=True):
        figure.add_annotation(
            text=name, x=1, y=floor + (1 - floor) * float(place / room), xref="paper", yref="paper", xanchor="left",
            yanchor="middle", xshift=6, showarrow=False, align="left", font={"size": theme.SMALL},
        )  # fmt: skip


def named(name: str, colour: str, sign: str) -> str:
    """A name behind the sign of its line."""
    return f'<span style="color:{colour}">{sign}</span> {name}'
