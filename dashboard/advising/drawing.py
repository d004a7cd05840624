"""An answer as the lines and the strip of the chart. Names are escaped: Plotly reads some HTML in its texts."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from dashboard import charts, theme, words
from dashboard.advising.reading import Series
from dashboard.advising.telling import Telling, rivals_of
from dashboard.figures import ahead
from dashboard.figures.ahead import Ahead, Overtaking, cut
from dashboard.figures.curves import Line, learning_curves

if TYPE_CHECKING:  # it takes a second to import, and the page is drawn first
    from engines import curves

NAME_LENGTH = 17  # letters in a row of a name at a line's end
ROWS = 3  # of a name
LOOKS = (1.0, 10.0, 100.0)  # how far a visitor may look, as times the data measured
MOST_SEEDS = 400  # single measurements drawn for a line
Z = 1.96  # standard errors on either side of a 95 % interval


def shapes(names: Sequence[str]) -> list[str]:
    """The colour and marker of each approach: those of a shape for names that say which they are, else further ones."""
    found, others = [], iter([*theme.OTHERS] * len(names))
    for name in names:
        plain = name.lower().replace("-", " ")
        said = (
            theme.HYBRID
            if "hybrid" in plain
            else theme.END_TO_END
            if "end to end" in plain or "e2e" in plain
            else theme.PIPELINE
            if "pipeline" in plain
            else ""
        )
        found.append(said if said and said not in found else next(others))
    return found


class Drawing:
    """Approaches keep their colours by `names`, in the order of the table; `reach` is the largest size measured."""

    def __init__(self, telling: Telling, names: Sequence[str], reach: float) -> None:
        self.telling, self.reach = telling, reach
        self.shapes = dict(zip(names, shapes(names), strict=True))

    def lines(self, made: Sequence[curves.Forecast], few: Sequence[Series], horizon: float) -> tuple[Line, ...]:
        """A line an approach; those with too `few` sizes for a forecast are drawn without one."""
        lines = []
        for each in made:
            curve = each.curve
            ends = curve.score(np.exp(np.log(curve.mean) + np.outer([-Z, Z], curve.noise())))
            means = curve.score(np.nanmean(curve.errors, axis=1))
            seeds = np.stack([np.repeat(curve.sizes, curve.scores.shape[1]), curve.scores.ravel()])
            seeds = seeds[:, np.isfinite(seeds[1])]
            seeds = seeds[:, :: seeds.shape[1] // MOST_SEEDS + 1]
            lines.append(
                Line(
                    _label(curve.name),
                    self.shapes[curve.name],
                    curve.sizes,
                    means,
                    np.minimum(ends.min(axis=0), means),
                    np.maximum(ends.max(axis=0), means),
                    seeds[0],
                    seeds[1],
                    tuple(
                        self._hover(curve.name, *point, "measured") for point in zip(curve.sizes, means, strict=True)
                    ),
                    ahead=self._ahead(each, horizon),
                )
            )
        for series in few:
            size, middle = float(series.sizes[0]), float(series.scores.mean())
            line = np.array([middle])
            hover = (self._hover(series.name, size, middle, "measured"),)
            at = series.sizes[:MOST_SEEDS], series.scores[:MOST_SEEDS]
            shape = self.shapes[series.name]
            lines.append(Line(_label(series.name), shape, np.array([size]), line, line, line, *at, hover))
        return tuple(lines)

    def strip(self, found: curves.Crossover) -> Overtaking:
        sizes = np.unique(np.append(found.sizes, self._stops(float(found.sizes[0]), found.horizon)))
        chances = found.probability_by(sizes)
        within = found.interval()
        rivals = rivals_of(found.incumbents)
        return Overtaking(
            self.shapes[found.challenger],
            sizes,
            chances,
            within.low,
            found.median,
            within.high,
            f"Chance that {escape(found.challenger)} has overtaken {escape(rivals)}",
            tuple(
                f"With {escape(self.telling.size(size))}: {words.chance(chance)}"
                for size, chance in zip(sizes, chances, strict=True)
            ),
        )

    def _ahead(self, made: curves.Forecast, horizon: float) -> Ahead:
        last = float(made.curve.sizes[-1])
        sizes = np.unique(np.append(np.geomspace(last, max(horizon, last * 1.001), 60), self._stops(last, horizon)))
        low, _, high = made.quantiles(sizes)
        middle = made.median(sizes)
        low, high = np.minimum(np.minimum(low, high), middle), np.maximum(np.maximum(low, high), middle)
        hover = tuple(
            f"{self._hover(made.curve.name, size, m, 'forecast')}<br>"
            f"90 %: {escape(self.telling.score(a))} to {escape(self.telling.score(b))}"
            for size, m, a, b in zip(sizes, middle, low, high, strict=True)
        )
        return Ahead(sizes, middle, low, high, hover)

    def _stops(self, low: float, high: float) -> list[float]:
        """Where a visitor's look may end, so that what is cut there goes to the very edge."""
        return [look * self.reach for look in LOOKS if low < look * self.reach < high]

    def _hover(self, name: str, size: float, score: float, how: str) -> str:
        amount, value = escape(self.telling.size(size)), escape(self.telling.score(score))
        return f"<b>{escape(name)}</b> with {amount}<br>{value}, {how}"


def figure(
    lines: Sequence[Line],
    strip: Overtaking | None,
    telling: Telling,
    reach: float,
    look: float,
    dark: bool = False,
) -> go.Figure:
    """The chart up to `look` times the data, whose largest size is `reach`."""
    right = look * reach
    shown = [replace(line, ahead=cut(line.ahead, right) if line.ahead and look > 1 else None) for line in lines]
    sizes = {float(size) for line in shown for size in line.sizes}
    ticks = charts.thinned([*sizes, *charts.decades(reach, right)], [reach])
    texts = [words.amount(size, telling.unit or "units") for size in ticks]
    shared = len({text.partition(" ")[2].removesuffix("s") for text in texts}) == 1
    better = "lower" if telling.metric.lower_is_better else "higher"
    unit = f", {telling.metric.unit}" if telling.metric.unit else ""
    return learning_curves(
        shown,
        ticks=ticks,
        tick_texts=[escape(text.partition(" ")[0] if shared else text) for text in texts],
        x_title=escape(texts[-1].partition(" ")[2]) if shared and texts else "",
        y_title=escape(f"{words.title(telling.metric.name)}{unit} ({better} is better)"),
        dark=dark,
        overtaking=ahead.until(strip, right) if strip and look > 1 else None,
        zero=telling.metric.lower_is_better,
    )


def _label(name: str) -> str:
    return "<br>".join(escape(row) for row in textwrap.wrap(name, NAME_LENGTH)[:ROWS])
