"""The answer to a question: sentences, tables, a plan and the arrays of the chart. Computed off the page's thread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dashboard.advising.asked import Asked
from dashboard.advising.drawing import Drawing
from dashboard.advising.question import Question
from dashboard.advising.reading import Read, Series
from dashboard.advising.telling import Fact, Telling
from dashboard.figures.ahead import Overtaking
from dashboard.figures.curves import Line
from engines.core import UserError

if TYPE_CHECKING:  # it takes a second to import, and the page is drawn first
    from engines import curves

DRAWS = 1000
ENOUGH = 2  # sizes without which an approach has no forecast
NOTHING_TO_MEASURE = "No single measurement with the data at hand would change the answer much."
FAR = 4.0  # times the data beyond which an answer says that it looks far
MULTIPLES = (1.0, 4.0, 16.0)


@dataclass(frozen=True)
class Answer:
    """`sentences` answer in words; the tables are rows of text by column; `facts` hold the numbers behind them. Lines
    and strip go on to `horizon`, where forecasts end; `reach` is the largest size measured."""

    sentences: tuple[str, ...]
    lines: tuple[Line, ...]
    overtaking: Overtaking | None
    expected: tuple[dict[str, str], ...]
    target: tuple[dict[str, str], ...]
    money: tuple[dict[str, str], ...]
    plan: tuple[str, ...]
    measurement: str
    warnings: tuple[str, ...]
    facts: tuple[Fact, ...]
    reach: float
    horizon: float


def answer(question: Question, read: Read, numbers: Asked) -> Answer:
    """The answer, from a generator of its own: the same question has the same answer.

    Raises:
        UserError: no approach has enough points, or a number contradicts them; its sentence says what to do.
    """
    from engines import curves

    usable = [each for each in read.series if len(np.unique(each.sizes)) >= ENOUGH]
    few = [each for each in read.series if each not in usable]
    if not usable:
        raise UserError("Give at least two amounts of data for an approach, better four: each with its score.")
    telling = Telling(question)
    made = curves.forecasts([_curve(each, question, read.best) for each in usable], np.random.default_rng(0), DRAWS)
    reach = max(float(each.sizes.max()) for each in read.series)
    drawing = Drawing(telling, [each.name for each in read.series], reach)
    horizon = numbers.horizon or curves.HORIZON * reach
    if horizon <= reach:
        raise UserError(f"Forecast further than the data reach, {telling.size(reach)}, or leave that field empty.")
    approaches, prices = _priced(made, numbers)
    names = [each.curve.name for each in made]
    challenger = question.challenger.strip() if question.challenger.strip() in names else None
    found = curves.overtaking(made, challenger, horizon)
    facts: list[Fact] = []
    sentences = [telling.crossing(found, facts)] if found else [telling.alone(made[0])]
    aims = _aims(approaches, prices, numbers, telling, horizon, facts)
    sentences += aims.sentences
    if len(sentences) == 1:
        sentences.append(telling.best(made, reach))
    following = curves.next_measurement(found, made, numbers.available) if found else None
    looked_at = [size for size in [*aims.sizes, *([found.median] if found else [])] if math.isfinite(size)]
    return Answer(
        tuple(sentences),
        drawing.lines(made, few, horizon),
        drawing.strip(found) if found else None,
        telling.expected(made, approaches, prices, [m * reach for m in MULTIPLES if m * reach <= horizon], facts),
        aims.target,
        aims.money,
        aims.plan,
        telling.following(following) if following else NOTHING_TO_MEASURE if found else "",
        (*aims.problems, *_warnings(question, telling, made, few, max(looked_at, default=0.0), reach)),
        tuple(facts),
        reach,
        horizon,
    )


@dataclass
class _Aims:
    """What a target and a sum of money come to; `sizes` are the amounts of data that it names."""

    sentences: list[str] = field(default_factory=list)
    target: tuple[dict[str, str], ...] = ()
    money: tuple[dict[str, str], ...] = ()
    plan: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)


def _aims(
    approaches: Sequence[curves.Approach],
    prices: curves.Prices,
    numbers: Asked,
    telling: Telling,
    horizon: float,
    facts: list[Fact],
) -> _Aims:
    from engines import curves

    aims = _Aims()
    try:
        if numbers.target is not None:
            rows = curves.for_target(approaches, numbers.target, prices, horizon)
            aims.sentences.append(telling.target(rows, numbers.target, horizon))
            aims.target = telling.target_table(rows, horizon, facts)
            aims.sizes += [row.data[1] for row in rows[:1]]
            aims.plan = telling.plan(rows[0], approaches, numbers, prices, horizon, facts)
    except UserError as error:
        aims.problems.append(str(error))
    try:
        if numbers.money is not None:
            bought = curves.for_budget(approaches, numbers.money, prices)
            aims.sentences.append(telling.money(bought, numbers.money))
            aims.money = telling.money_table(bought, facts)
            aims.sizes += [row.data for row in bought[:1]]
    except UserError as error:
        aims.problems.append(str(error))
    return aims


def _warnings(
    question: Question,
    telling: Telling,
    made: Sequence[curves.Forecast],
    few: Sequence[Series],
    looked_at: float,
    reach: float,
) -> list[str]:
    from engines import curves

    told = [
        f"{each.name} has one amount of data only: nothing can be forecast for it without a second." for each in few
    ]
    if looked_at > FAR * reach:
        far = f"The answer looks {looked_at / reach:.0f} times as far as the data, {telling.size(reach)}"
        told.append(f"{far}: measure more before much money depends on it.")
    unknown = [row[0] for row in question.needs if row[0].strip() and any(cell.strip() for cell in row[1:])]
    named = [each.curve.name for each in made]
    told += [f"“{name}” needs side data or training, but has no points above: write its name as there."
             for name in unknown if " ".join(name.split()) not in named]  # fmt: skip
    if question.challenger.strip() and question.challenger.strip() not in named:
        told.append(f"There is no approach “{question.challenger.strip()}”: the one that may overtake was taken.")
    return [*told, *curves.warnings([each.curve for each in made], shared_test=question.same_test)]


def _curve(series: Series, question: Question, best: float) -> curves.Curve:
    from engines.curves import Curve

    return Curve(
        series.sizes,
        series.scores,
        lower_is_better=not question.higher,
        name=series.name,
        best=best,
        standard_errors=series.errors,
    )


def _priced(made: Sequence[curves.Forecast], numbers: Asked) -> tuple[list[curves.Approach], curves.Prices]:
    """Approaches with what they need; side data is priced by approach, since two may pay differently for one kind."""
    from engines.curves import Approach, Prices

    side, approaches = {}, []
    for each in made:
        name = each.curve.name
        what, much, price, hours, per_unit = numbers.needs.get(name, ("", 0.0, 0.0, 0.0, 0.0))
        kind = f"{what} ({name})"
        side[kind] = price
        approaches.append(Approach(each, {kind: much} if much else {}, hours, per_unit))
    return approaches, Prices(numbers.price, side, numbers.training_price)
