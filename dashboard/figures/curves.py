"""Error (or accuracy) against the amount of data: lines with their bands, seeds, references, the budget as a mark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go

from dashboard import theme
from dashboard.figures import ahead, labels
from dashboard.figures.ahead import Ahead, Overtaking
from engines.core import Floats

HEIGHT = 460  # px
# px around the plot. They are fixed, and the ticks few enough to stand upright on a narrow screen: where Plotly has to
# find out how much room its labels take, every chart is drawn twice.
LEFT, ABOVE, BELOW, TITLE = 48, 44, 30, 20
PLOT = HEIGHT - ABOVE - BELOW - TITLE  # px of the plot itself, at least
LABEL_WIDTH = 118  # px, kept free at the right for the names at the lines' ends
WIDE = 20  # times the smallest score that the largest is, from which scores stand on a logarithmic axis
DECADES = 3  # that such an axis shows at most, unless a measured mean lies lower
MOST_TICKS = 4  # labelled steps of the axis of data
STEPS = (1, 2, 5)  # of each decade that are labelled on it


@dataclass(frozen=True)
class Line:
    """One engine in one reading. Arrays have shape (budgets,): amounts of data, mean scores and the bounds of their
    95 % intervals, growing in `sizes`; `seed_sizes` and `seed_scores`, shape (runs,), are the runs behind the means.

    `shape` decides colour and marker, `dash` is Plotly's ("solid", "dash", "dot"); `hover` is one text a budget;
    `ahead` is the forecast beyond the last budget. A `variant` of another line is drawn thin, without bands and seeds.
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
    ahead: Ahead | None = None
    variant: bool = False


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
    overtaking: Overtaking | None = None,
    layer: Sequence[Line] = (),
    zero: bool = True,
) -> go.Figure:
    """The learning curves on a logarithmic axis of data. Bands and seeds are drawn for the main lines only: solid ones
    that are no variants.

    Args:
        mark: the budget to mark, in the unit of `sizes`.
        ticks: where the axis is labelled, with `tick_texts`; every budget measured has a small tick.
        overtaking: the chance that a challenger has overtaken, drawn in a strip below on the same axis of data.
        layer: lines of others, drawn thin behind ours, without names at their ends.
        zero: the axis of scores begins at 0, or is logarithmic too where scores are far apart (their title says so;
            every mean above 0 is at its place, and 0 lies at the lower end, as does what an interval, a single run or a
            forecast has below it); else it begins where it shows the lines best, if they lie high.
    """
    scale = _scale(lines, dots, layer) if zero else LINEAR
    lines, dots, layer = scale.raised(lines), [scale.lifted(dot) for dot in dots], scale.raised(layer)
    everyone = [*lines, *layer]
    measured = np.concatenate([line.sizes for line in everyone] or [np.ones(0)])
    beyond = [line.ahead.sizes for line in lines if line.ahead]
    reach = np.concatenate([measured, *beyond])
    left, right = (float(reach.min()), float(reach.max())) if len(reach) else (1.0, 10.0)
    below = ahead.STRIP if overtaking else 0
    figure = go.Figure(layout={"template": theme.template(dark), "height": HEIGHT + below, "hovermode": "closest"})
    solid = [line for line in lines if line.dash == "solid"]
    main = [line for line in solid if not line.variant]
    for line in main:
        _band(figure, line)
    for line in solid:
        if line.ahead:
            ahead.draw(figure, line.ahead, theme.colour(line.shape), band=not line.variant)
    for line in layer:
        _thin(figure, line)
    for line in main:
        _seeds(figure, line)
    for line in lines:
        _line(figure, line)
    ticks, tick_texts = list(ticks), list(tick_texts)
    nowhere = left / (right / left) ** (0.2 if not beyond else 0.1) if right > left else left / 2
    if dots:
        for dot in dots:
            _dot(figure, dot, nowhere)
        apart = [place for place, tick in enumerate(ticks) if tick / nowhere >= (right / nowhere) ** (1 / MOST_TICKS)]
        ticks = [nowhere, *(ticks[place] for place in apart)]
        tick_texts = ["none", *(tick_texts[place] for place in apart)]
        figure.add_vline(x=math.sqrt(nowhere * left), line={"color": theme.GRID, "width": 1, "dash": "dot"})
    first = math.log10(nowhere if dots else left)
    margin = 0.03 * (math.log10(right) - first) or 0.3
    highs = [float(line.highs.max()) for line in everyone if len(line.highs)]
    highs += [float(line.ahead.middles.max()) for line in solid if line.ahead]
    top = max([0.0, *highs, *(dot.high for dot in dots)]) or 1.0
    figure.update_xaxes(
        type="log",
        range=[first - margin * (2 if dots else 1), math.log10(right) + margin],
        tickmode="array",
        tickvals=ticks,
        ticktext=tick_texts,
        tickangle=0,
        minor={"tickvals": np.unique(measured), "ticks": "outside", "ticklen": 3, "tickcolor": theme.GRID},
        showgrid=False,
        fixedrange=True,
        ticks="outside",
        tickcolor=theme.GRID,
        automargin=False,
        title={"text": x_title, "standoff": 0} if x_title else None,
    )
    bottom, roof = _axis_of_scores(figure, everyone, top, zero, scale)
    if y_title and scale.floor:
        y_title += ", logarithmic"
    margins = {"l": LEFT, "r": LABEL_WIDTH, "t": ABOVE, "b": BELOW + (TITLE if x_title else 0), "autoexpand": False}
    figure.update_layout(margin=margins, dragmode=False)
    figure.update_yaxes(automargin=False)
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
    if beyond:
        ahead.border(figure, max(float(line.sizes.max()) for line in lines if len(line.sizes)))
    floor = below / (PLOT + below)
    if overtaking:
        ahead.strip(figure, overtaking, floor, below)
    for dot in dots:
        _dot_name(figure, dot, nowhere, (bottom, roof), scale)
    _names(figure, lines, (bottom, roof), floor, scale)
    return figure


@dataclass(frozen=True)
class Scale:
    """How scores lie on their axis: as they are, or, with a `floor` above 0, as logarithms of at least the floor's."""

    floor: float = 0.0

    def of(self, score: float) -> float:
        return math.log10(max(score, self.floor)) if self.floor else score

    def raised(self, lines: Sequence[Line]) -> list[Line]:
        """The lines with nothing below the floor."""
        return [self._raised(line) for line in lines] if self.floor else list(lines)

    def lifted(self, dot: Dot) -> Dot:
        return replace(dot, mean=max(dot.mean, self.floor), low=max(dot.low, self.floor)) if self.floor else dot

    def _raised(self, line: Line) -> Line:
        def up(values: Floats) -> Floats:
            return np.maximum(values, self.floor)

        known = line.ahead
        return replace(
            line,
            means=up(line.means),
            lows=up(line.lows),
            highs=up(line.highs),
            seed_scores=up(line.seed_scores),
            ahead=known and replace(known, middles=up(known.middles), lows=up(known.lows), highs=up(known.highs)),
        )


LINEAR = Scale()


def _axis_of_scores(
    figure: go.Figure, lines: Sequence[Line], top: float, zero: bool, scale: Scale
) -> tuple[float, float]:
    """Lays out the axis of scores up to `top`; its bounds, as they lie on it."""
    if scale.floor:
        bottom, roof = scale.of(scale.floor), scale.of(top * 1.12)
        decades = range(math.floor(bottom), math.ceil(roof) + 1)
        ticks = [step * 10.0**power for power in decades for step in STEPS if scale.floor < step * 10.0**power <= top]
        bottom -= 0.02 * (roof - bottom)  # the marks of what lies on the floor are seen whole
        figure.update_yaxes(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    else:
        lowest = float(min((line.means.min() for line in lines if len(line.means)), default=0.0))
        bottom = 0.0 if zero or lowest < 0.4 * top else max(0.0, lowest - 0.12 * (top - lowest))
        roof = top + 0.06 * (top - bottom)
        figure.update_yaxes(nticks=8)
    figure.update_yaxes(range=[bottom, roof], fixedrange=True)
    return bottom, roof


def _scale(lines: Sequence[Line], dots: Sequence[Dot], layer: Sequence[Line]) -> Scale:
    """A logarithmic one where the scores are far apart. Its floor lies below every mean that is not 0, however low."""
    means = np.concatenate([*(line.means for line in [*lines, *layer]), [dot.mean for dot in dots]])
    positive = means[means > 0]
    if not len(positive) or means.max() < WIDE * positive.min():
        return LINEAR
    forecast = [line.ahead.middles.min() for line in lines if line.ahead]
    lowest = min([positive.min(), *(value for value in forecast if value > 0)])
    return Scale(float(min(max(0.6 * lowest, means.max() / 10**DECADES), 0.6 * positive.min())))


def _band(figure: go.Figure, line: Line) -> None:
    figure.add_scatter(
        x=np.concatenate([line.sizes, line.sizes[::-1]]),
        y=np.concatenate([np.maximum(line.lows, 0), np.maximum(line.highs, 0)[::-1]]),
        fill="toself",
        fillcolor=theme.faded(theme.colour(line.shape), 0.16),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )


def _seeds(figure: go.Figure, line: Line) -> None:
    figure.add_scatter(
        x=line.seed_sizes,
        y=line.seed_scores,
        mode="markers",
        marker={"size": 4, "symbol": theme.symbol(line.shape), "color": theme.faded(theme.colour(line.shape), 0.5)},
        hoverinfo="skip",
    )


def _line(figure: go.Figure, line: Line) -> None:
    main = line.dash == "solid" and not line.variant
    colour = theme.colour(line.shape)
    marker = {
        "size": 9 if main else 7 if line.dash != "solid" else 5,
        "symbol": theme.symbol(line.shape) + ("" if line.dash == "solid" else "-open"),
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


def _thin(figure: go.Figure, line: Line) -> None:
    figure.add_scatter(
        x=line.sizes,
        y=line.means,
        mode="lines+markers",
        line={"color": theme.faded(theme.colour(line.shape), 0.55), "width": 1, "dash": line.dash},
        marker={"size": 6, "symbol": theme.symbol(line.shape) + "-open", "color": theme.colour(line.shape)},
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
        mode="markers",
        marker={"size": 11, "symbol": theme.SYMBOLS[dot.shape] + "-dot", "color": colour, "line": {"width": 1}},
        cliponaxis=False,
        hovertext=[dot.hover],
        hovertemplate="%{hovertext}<extra></extra>" if dot.hover else None,
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )


def _dot_name(figure: go.Figure, dot: Dot, x: float, bounds: tuple[float, float], scale: Scale) -> None:
    """Upright, so that it stays in its column on a phone too: below the interval of the score, above that of a low
    one."""
    high_up = scale.of(dot.mean) > sum(bounds) / 2
    figure.add_annotation(
        text=dot.name, x=math.log10(x), y=scale.of(dot.low if high_up else dot.high), textangle=-90, showarrow=False,
        yanchor="top" if high_up else "bottom", yshift=-3 if high_up else 3, font={"size": theme.SMALL},
    )  # fmt: skip


def _names(figure: go.Figure, lines: Sequence[Line], bounds: tuple[float, float], floor: float, scale: Scale) -> None:
    """Names at the lines' ends; the plot, whose axis of scores has these `bounds`, begins at `floor` of the paper."""
    shown = [(line.ahead.middles if line.ahead else line.means, line) for line in lines if len(line.means)]
    ends = [
        (scale.of(float(values[-1])), labels.named(line.name, theme.colour(line.shape), theme.sign(line.shape)))
        for values, line in shown
    ]
    labels.at_ends(figure, ends, bounds, PLOT, floor)
