"""What the measured points of a task foretell: each engine's curve beyond its data, and when end-to-end overtakes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dashboard import background, findings, words
from dashboard.figures.ahead import Ahead, Overtaking
from engines.claims import measured
from engines.core import CaseStudy, EngineInfo, Metric, Task, UserError
from engines.runs import Point

if TYPE_CHECKING:  # it takes a second to import, which the first chart does not wait for
    from engines import curves

NEEDED = 4  # budgets that a curve must have been measured at before it is forecast
REACH = 100.0  # times the data measured: how far a forecast goes at most
LOOKS = (1.0, 10.0, 100.0)  # how far a visitor may look, as times the data measured
STEPS = 40
DRAWS = 1000


@dataclass(frozen=True)
class Outlook:
    """`ahead` by engine, from its last budget to `horizon`; `crossover` of end-to-end over the pipeline, `others` over
    all other engines that are forecast (None where there is none, or they are the same); `notes` say, a sentence each,
    what a reader must know. Where nothing can be forecast, the notes alone say why."""

    ahead: dict[str, Ahead]
    crossover: curves.Crossover | None
    others: curves.Crossover | None
    challenger: str
    incumbent: str
    horizon: float
    notes: tuple[str, ...]


def outlook(case: CaseStudy, task: Task, points: Sequence[Point], patience: float | None = None) -> Outlook | None:
    """The outlook of a task's main points; None while it is being worked out, after `patience` seconds."""
    here = [point for point in findings.main_points(points) if not point.reference and not point.reading]
    made_of = [(p.engine, p.budget, p.scores, p.standard_error) for p in here]
    key = hashlib.sha256(json.dumps([case.slug, task.slug, made_of]).encode()).hexdigest()
    return background.ask(key, lambda: _outlook(case, task, here), patience)


def _outlook(case: CaseStudy, task: Task, here: Sequence[Point]) -> Outlook:
    from engines import curves

    engines = [info for info in case.engines if not info.reference]
    by_engine = {info.name: sorted((p for p in here if p.engine == info.name), key=lambda p: p.budget)
                 for info in engines}  # fmt: skip
    notes = _lacking(case, task, engines, by_engine)
    known = {name: own for name, own in by_engine.items() if len(own) >= NEEDED}
    first = next((info.name for info in engines if info.shape == "pipeline"), engines[0].name)
    last = next((info.name for info in engines if info.shape == "end_to_end"), engines[-1].name)
    horizon = REACH * max((p.budget for own in known.values() for p in own), default=1.0)
    nothing = Outlook({}, None, None, last, first, horizon, tuple(notes))
    if not known:
        return nothing
    try:
        given = [curve(case, task.metric, name, own) for name, own in known.items()]
        made = dict(zip(known, curves.forecasts(given, np.random.default_rng(0), DRAWS), strict=True))
    except UserError as error:
        return replace(nothing, notes=(*notes, f"There is no forecast: {error}"))
    found = others = None
    if first in made and last in made and first != last:
        found = curves.crossover(made[last], made[first], horizon=horizon)
        rest = [each for name, each in made.items() if name != last]
        if len(rest) > 1:
            others = curves.crossover(made[last], *rest, horizon=horizon)
    if {len(p.seeds) for own in known.values() for p in own} == {1}:
        notes.append(
            "Every run has one seed: how much a training repeated with other data would differ is not in the bands."
        )
    notes += [words.title(note) for note in curves.warnings(given)]
    ahead = {name: _ahead(case, task, name, each, horizon) for name, each in made.items()}
    return Outlook(ahead, found, others, last, first, horizon, tuple(notes))


def curve(case: CaseStudy, metric: Metric, name: str, points: Sequence[Point]) -> curves.Curve:
    """An engine's points as a learning curve under the name that sentences call it."""
    return measured.learning_curve(points, metric, findings.spoken(case, name))


def sentence(case: CaseStudy, task: Task, found: Outlook) -> str:
    """When end-to-end overtakes, in one sentence; "" where nothing can be said."""
    if found.crossover is None:
        return ""
    last, first = findings.spoken(case, found.challenger), findings.spoken(case, found.incumbent)
    told = when(found.crossover, last, first, lambda size: words.about(size, task.unit))
    return told[:1].upper() + told[1:]


def when(crossing: curves.Crossover, last: str, first: str, amount: Callable[[float], str]) -> str:
    """When the challenger, called `last`, overtakes those called `first`, in one sentence; `amount` words a size."""
    within, horizon = crossing.interval(), amount(crossing.horizon)
    chance = f"the chance that it has by {horizon} is {words.chance(1 - crossing.never)}"
    if crossing.median <= 0:
        told = f"{last} leads {first} with every amount of data that was measured"
        stays = float(crossing.ahead(crossing.horizon)[0])
        lost = f"; the chance that it does with {horizon} is {words.chance(stays)}" if stays < 0.5 else ""
        return f"{told}{lost}."
    if within.never:
        return f"{last} does not overtake {first} within {horizon}, as far as the curves tell ({chance})."
    if np.isinf(crossing.median):
        if within.low > crossing.known:
            return f"{last} does not overtake {first} before {amount(within.low)}, if ever: {chance}."
        return f"{last} probably does not overtake {first}: {chance}."
    low = amount(max(within.low, float(crossing.sizes[0])))
    span = (
        f"90 % interval: {words.joined(low, amount(within.high))}"
        if not within.open
        else f"90 %: not before {low}, or never"
    )
    how = "as measured" if crossing.observed else "by the forecast"
    return f"{last} overtakes {first} at about {amount(crossing.median)} {how} ({span})."


def overtaking(case: CaseStudy, task: Task, found: Outlook, right: float) -> Overtaking | None:
    """The strip below the chart, up to the size `right`."""
    if found.crossover is None:
        return None
    crossing = found.crossover
    sizes = np.unique(np.append(crossing.sizes[crossing.sizes < right], right))
    chances = crossing.probability_by(sizes)
    within = crossing.interval()
    last, first = findings.spoken(case, found.challenger), findings.spoken(case, found.incumbent)
    hover = tuple(
        f"With {words.about(size, task.unit)} {last} has overtaken<br>{first} with a chance of {words.chance(chance)}"
        for size, chance in zip(sizes, chances, strict=True)
    )
    return Overtaking(
        case.engine(found.challenger).shape,
        sizes,
        chances,
        within.low,
        crossing.median,
        within.high,
        f"Chance that {last} has overtaken {first}" + ("<br>(dotted: all others)" if found.others else ""),
        hover,
        found.others.probability_by(sizes) if found.others else None,
    )


def _ahead(case: CaseStudy, task: Task, name: str, made: curves.Forecast, horizon: float) -> Ahead:
    last = float(made.curve.sizes[-1])
    # The looks end at sizes of their own, so that a line that is cut ends where the axis does.
    stops = [look * horizon / REACH for look in LOOKS if look * horizon / REACH > last]
    sizes = np.unique(np.concatenate([np.geomspace(last, horizon, STEPS), stops]))
    low, _, high = made.quantiles(sizes)
    middle = made.median(sizes)
    low, high = np.minimum(np.minimum(low, high), middle), np.maximum(np.maximum(low, high), middle)
    hover = tuple(
        f"<b>{case.engine(name).title}</b>, forecast with {words.about(size, task.unit)}<br>"
        f"{words.score(m, task.metric)} (90 %: {words.interval(a, b, task.metric)})"
        for size, m, a, b in zip(sizes, middle, low, high, strict=True)
    )
    return Ahead(sizes, middle, low, high, hover)


def _lacking(
    case: CaseStudy, task: Task, engines: Sequence[EngineInfo], by_engine: dict[str, list[Point]]
) -> list[str]:
    """Which engines cannot be forecast yet, and why: a sentence a reason."""
    by_count: dict[int, list[str]] = {}
    for info in engines:
        count = len(by_engine[info.name])
        if count < NEEDED:
            by_count.setdefault(count, []).append(findings.spoken(case, info.name))
    return [
        f"No forecast for {words.listing(names)}: "
        + ("no run yet." if not count else f"{count} of the {NEEDED} budgets that it needs.")
        for count, names in sorted(by_count.items(), reverse=True)
    ]
