"""Figures of what the stages of an engine give, all on one time axis in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard import theme
from dashboard.figures.reduce import Run, Values, envelope, pooled

# Left of the plot there is as much room in every figure, so that times stand one above the other.
LEFT, RIGHT, TOP, BOTTOM = 62, 8, 6, 26


def waveform(samples: Values, rate: float, seconds: float, colour: str = theme.GREY, dark: bool = False) -> go.Figure:
    """Pressure against time; `samples` (n,) in [-1, 1]."""
    low, high = envelope(samples)
    times = (np.arange(len(low), dtype=np.float32) + 0.5) * (len(samples) / rate / len(low))
    figure = go.Figure(
        go.Scatter(
            x=np.concatenate([times, times[::-1]]),
            y=np.concatenate([high, low[::-1]]).astype(np.float32),
            fill="toself",
            mode="lines",
            line={"width": 0.7, "color": colour},
            fillcolor=colour,
            hoverinfo="skip",
        )
    )
    reach = max(0.05, float(max(high.max(), -low.min())))
    return _timed(figure, seconds, 110, dark, yaxis={"range": [-reach, reach], "nticks": 3})


def spectrogram(
    values: Values, rate: float, seconds: float, labels: Sequence[str] = (), unit: str = "", dark: bool = False
) -> go.Figure:
    """A heat map of (frames, bins), bin 0 at the bottom; colours span the middle 98 % of the values."""
    small = pooled(values)
    low, high = np.quantile(small, (0.01, 0.99)) if small.size else (0.0, 1.0)
    bins = list(labels) if labels else None
    figure = go.Figure(
        go.Heatmap(
            z=np.ascontiguousarray(small.T, dtype=np.float32),
            y=bins,
            **_times(values, small, rate),
            zmin=float(low),
            zmax=float(max(high, low + 1e-6)),
            colorscale=theme.SCALE,
            showscale=False,
            hovertemplate=f"%{{x:.2f}} s, %{{y}}: %{{z:.2f}} {unit}<extra></extra>",
        )
    )
    return _timed(figure, seconds, 170, dark, yaxis={"nticks": 5, "title": {"text": "" if labels else "bin"}})


def posteriors(
    probabilities: Values,
    labels: Sequence[str],
    rate: float,
    path: Sequence[Run],
    seconds: float,
    colour: str,
    dark: bool = False,
) -> go.Figure:
    """Probability (frames, labels) of each label over time, with the path through them drawn on top.

    Low probabilities are lifted in the colours: 0.1 can be seen. The first label stands at the top.
    """
    small = pooled(probabilities, peaks=True)
    figure = go.Figure(
        go.Heatmap(
            z=np.ascontiguousarray(small.T, dtype=np.float32),
            y=list(range(len(labels))),
            **_times(probabilities, small, rate),
            zmin=0,
            zmax=1,
            colorscale=[
                [0, theme.faded(colour, 0)],
                [0.1, theme.faded(colour, 0.3)],
                [0.5, theme.faded(colour, 0.65)],
                [1, theme.faded(colour, 0.95)],
            ],
            showscale=False,
            hovertemplate="%{x:.2f} s: %{z:.2f}<extra></extra>",
        )
    )
    row = {label: place for place, label in enumerate(labels)}
    drawn = [run for run in path if run[2] in row]
    figure.add_trace(_line(_stairs(drawn, row), width=0.8, colour=theme.TEXT[dark], opacity=0.4))
    figure.add_trace(_line(_treads(drawn, row), width=2, colour=theme.TEXT[dark], opacity=0.9))
    height = TOP + BOTTOM + 13 * max(len(labels), 6)
    ticks: dict[str, Any] = {"tickvals": list(range(len(labels))), "ticktext": list(labels)}
    ticks |= {"range": [len(labels) - 0.5, -0.5], "tickfont": {"size": 10}}
    return _timed(figure, seconds, height, dark, yaxis=ticks)


def segments(
    tiers: Sequence[str],
    runs: Sequence[Sequence[Run]],
    confidences: Sequence[Sequence[float | None]],
    seconds: float,
    colour: str,
    dark: bool = False,
    width: int = 300,
) -> go.Figure:
    """Labelled bars on the time axis, a row a tier (`runs[i]` and `confidences[i]` belong to `tiers[i]`); the fainter
    the less sure. Of a plot `width` pixels wide at least, a label that would not fit its bar is left to the hover."""
    figure = go.Figure()
    for tier, row, sure in zip(tiers, runs, confidences, strict=True):
        opacities = [0.5 if c is None else 0.2 + 0.6 * c for c in sure]
        figure.add_trace(
            go.Bar(
                orientation="h",
                y=[tier] * len(row),
                base=[start for start, _, _ in row],
                x=[end - start for start, end, _ in row],
                customdata=[
                    f"{label}: {start:.2f} to {end:.2f} s" + ("" if c is None else f", confidence {c:.2f}")
                    for (start, end, label), c in zip(row, sure, strict=True)
                ],
                hovertemplate="%{customdata}<extra></extra>",
                marker={
                    "color": [theme.faded(colour, opacity) for opacity in opacities],
                    "line": {"width": 1, "color": colour},
                },
                width=0.8,
            )
        )
        # Text in bars keeps 3 pixels away from their sides, which is more than a phoneme has.
        fit = [run for run in row if (run[1] - run[0]) / max(seconds, 0.01) * width > 5.2 * len(run[2])]
        figure.add_trace(
            go.Scatter(
                x=[(start + end) / 2 for start, end, _ in fit],
                y=[tier] * len(fit),
                text=[label for _, _, label in fit],
                mode="text",
                textfont={"size": 9 if len(row) > 15 else 11},
                hoverinfo="skip",
            )
        )
    figure.update_layout(barmode="overlay")
    axis = {"autorange": "reversed", "tickfont": {"size": 10}}
    return _timed(figure, seconds, TOP + BOTTOM + 34 * max(len(tiers), 1), dark, yaxis=axis)


Line = tuple[list[float | None], list[float | None], list[str]]


def _treads(path: Sequence[Run], row: dict[str, int]) -> Line:
    """The runs of a path, each a line of its own: times, rows, labels."""
    times: list[float | None] = []
    rows: list[float | None] = []
    labels: list[str] = []
    for start, end, label in path:
        times += [start, end, None]
        rows += [row[label], row[label], None]
        labels += [label, label, ""]
    return times, rows, labels


def _stairs(path: Sequence[Run], row: dict[str, int]) -> Line:
    """The steps from a run to the next where one follows on the other."""
    times: list[float | None] = []
    rows: list[float | None] = []
    for (_, end, before), (start, _, after) in pairwise(path):
        if start - end < 0.02:
            times += [end, start, None]
            rows += [row[before], row[after], None]
    return times, rows, []


def _line(line: Line, width: float, colour: str, opacity: float) -> go.Scatter:
    times, rows, labels = line
    return go.Scatter(
        x=times,
        y=rows,
        text=labels or None,
        mode="lines",
        line={"width": width, "color": colour},
        opacity=opacity,
        hoverinfo=None if labels else "skip",
        hovertemplate="%{x:.2f} s: <b>%{text}</b>, best path<extra></extra>" if labels else None,
    )


def _times(values: Values, small: Values, rate: float) -> dict[str, float]:
    """Where the pooled frames stand: frame i of `values` covers i/rate to (i+1)/rate."""
    step = len(values) / rate / max(len(small), 1)
    return {"x0": step / 2, "dx": step}


def _timed(figure: go.Figure, seconds: float, height: int, dark: bool, yaxis: dict[str, Any]) -> go.Figure:
    return figure.update_layout(
        template=theme.template(dark),
        height=height,
        margin={"l": LEFT, "r": RIGHT, "t": TOP, "b": BOTTOM, "autoexpand": False},
        xaxis={
            "range": [0, max(seconds, 0.01)],
            "ticksuffix": " s",
            "nticks": 6,
            "fixedrange": True,
            "ticks": "",
            "showgrid": False,
        },
        yaxis={"fixedrange": True, "automargin": False, "zeroline": False, "ticks": "", "showgrid": False, **yaxis},
        showlegend=False,
    )
