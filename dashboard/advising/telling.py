"""The numbers of an answer put into words and tables, each with its 90 % interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard import outlook, words
from dashboard.advising.asked import Asked
from dashboard.advising.question import Question
from engines.core import Metric

if TYPE_CHECKING:  # it takes a second to import, and the page is drawn first
    from engines import curves

MISSING = 10.0  # what missing the target costs unless told, as times what the data for it cost


@dataclass(frozen=True)
class Fact:
    """A number with its 90 % interval, as the CSV gives it; infinite where it may never be."""

    section: str
    approach: str
    what: str
    low: float
    middle: float
    high: float
    unit: str


class Telling:
    """Numbers of one question put into words."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.metric = Metric(
            question.metric.strip() or "score", question.score_unit.strip(), not question.higher, "", ""
        )
        self.unit = question.unit.strip()

    def size(self, size: float) -> str:
        """An amount of data: "37 min", "1.5 million pairs", "never"."""
        return words.about(size, self.unit or "units") if math.isfinite(size) else "never"

    def sizes(self, low: float, high: float) -> str:
        return words.joined(self.size(low), self.size(high))

    def cash(self, value: float) -> str:
        return words.money(value, self.question.currency.strip()) if math.isfinite(value) else "no limit"

    def cashes(self, low: float, high: float) -> str:
        return f"{self.cash(low).removesuffix(self.question.currency.strip()).strip()} to {self.cash(high)}"

    def spanned(self, data: Sequence[float]) -> str:
        """An amount with its 90 % interval; both bounds never is said once."""
        low, middle, high = data
        if math.isinf(low):
            return "never, as far as the curve tells"
        return f"{self.size(middle) if math.isfinite(middle) else 'perhaps never'} (90 %: {self.sizes(low, high)})"

    def costs(self, cost: Sequence[float]) -> str:
        """A cost with its 90 % interval."""
        low, middle, high = cost
        if math.isinf(low):
            return "–"
        return f"{self.cash(middle)} (90 %: {self.cashes(low, high)})"

    def named(self, value: float) -> str:
        """A score in a sentence: one without a unit is told by the metric's name."""
        return self.score(value) if self.metric.unit else f"{self.score(value)} {self.metric.name}"

    def graded(self, low: float, middle: float, high: float) -> str:
        return f"{self.score(middle)} (90 %: {self.scores(low, high)})"

    def scores(self, low: float, high: float) -> str:
        unit = self.metric.unit
        return f"{self.score(low).removesuffix(unit).strip()} to {self.score(high)}"

    def score(self, value: float) -> str:
        return words.graded(value, self.metric)

    def crossing(self, found: curves.Crossover, facts: list[Fact]) -> str:
        within = found.interval()
        facts.append(Fact("crossover", found.challenger, f"amount of data at which it overtakes "
                          f"{rivals_of(found.incumbents)}", within.low, found.median, within.high,
                          self.unit))  # fmt: skip
        facts.append(Fact("crossover", found.challenger, f"chance that it has overtaken by {found.horizon:g}",
                          math.nan, 1 - found.never, math.nan, ""))  # fmt: skip
        return outlook.when(found, found.challenger, rivals_of(found.incumbents), self.size)

    def alone(self, made: curves.Forecast) -> str:
        size = 4 * float(made.curve.sizes[-1])
        low, middle, high = self.quantiles(made, size)
        return (
            f"With {self.size(size)}, four times its data, {made.curve.name} is forecast to score {self.named(middle)} "
            f"(90 %: {self.scores(low, high)}); a second approach is needed to compare."
        )

    def best(self, made: Sequence[curves.Forecast], reach: float) -> str:
        from engines.curves import best_of

        size = 4 * reach
        if len(made) < 2:
            return "Give a target or the money you have, and read what it takes."
        share = best_of(made, np.array([size]))[:, 0]
        place = int(share.argmax())
        low, middle, high = self.quantiles(made[place], size)
        return (
            f"With {self.size(size)}, four times the data measured, {made[place].curve.name} is the best with a chance "
            f"of {words.chance(float(share[place]))}, at {self.named(middle)} (90 %: "
            f"{self.scores(low, high)})."
        )

    def target(self, rows: Sequence[curves.advice.TargetRow], target: float, horizon: float) -> str:
        first = rows[0]
        aim = f"{self.score(target)} {self.metric.name}"
        if not math.isfinite(first.data[1]):
            likely = max(rows, key=lambda row: row.reached)
            return (
                f"No approach is likely to reach {aim} within {self.size(horizon)}; {likely.name} comes nearest, with "
                f"a chance of {words.chance(likely.reached)}."
            )
        low, middle, high = first.data
        cost = first.cost
        return (
            f"{first.name} is the cheapest way to {aim}: {'at most' if middle <= first.least else 'about'} "
            f"{self.size(middle)} (90 %: {self.sizes(low, high)}), at a cost of {self.cash(cost[1])} "
            f"({self.cashes(cost[0], cost[2])})."
        )

    def money(self, rows: Sequence[curves.advice.BudgetRow], money: float) -> str:
        first = rows[0]
        if not any(row.data for row in rows):
            return f"{self.cash(money)} buy no data for any approach: what they need besides costs more."
        if math.isnan(first.score[1]):
            return f"{self.cash(money)} buy less data than any approach was measured with, so nothing is known of it."
        low, middle, high = sorted(first.score)
        return (
            f"For {self.cash(money)} build {first.name}: {self.size(first.data)} give {self.named(middle)} "
            f"(90 %: {self.scores(low, high)}), the best with a chance of {words.chance(first.best)}."
        )

    def target_table(
        self, rows: Sequence[curves.advice.TargetRow], horizon: float, facts: list[Fact]
    ) -> tuple[dict[str, str], ...]:
        made = []
        for row in rows:
            facts.append(Fact("target", row.name, "amount of data needed", *row.data, self.unit))
            facts.append(Fact("target", row.name, "cost", *row.cost, self.question.currency.strip()))
            facts.append(Fact("target", row.name, f"chance that it is reached within {horizon:g}", math.nan,
                              row.reached, math.nan, ""))  # fmt: skip
            made.append(
                {
                    "Approach": row.name,
                    "Data needed": self.spanned(row.data),
                    "Cost": self.costs(row.cost),
                    f"Reached within {self.size(horizon)}": words.chance(row.reached),
                }
            )
        return tuple(made)

    def money_table(self, rows: Sequence[curves.advice.BudgetRow], facts: list[Fact]) -> tuple[dict[str, str], ...]:
        made = []
        for row in rows:
            low, middle, high = sorted(row.score)
            facts.append(Fact("money", row.name, "amount of data bought", row.data, row.data, row.data, self.unit))
            facts.append(Fact("money", row.name, self.metric.name, low, middle, high, self.metric.unit))
            facts.append(Fact("money", row.name, "chance to be the best", math.nan, row.best, math.nan, ""))
            none = math.isnan(row.score[1])
            bought = self.size(row.data) if row.data else "none"
            made.append(
                {
                    "Approach": row.name,
                    "Data it buys": f"{bought}, less than was measured" if none and row.data else bought,
                    words.title(self.metric.name): "–" if none else self.graded(low, middle, high),
                    "Best with a chance of": words.chance(row.best),
                }
            )
        return tuple(made)

    def plan(
        self,
        first: curves.advice.TargetRow,
        approaches: Sequence[curves.Approach],
        numbers: Asked,
        prices: curves.Prices,
        horizon: float,
        facts: list[Fact],
    ) -> tuple[str, ...]:
        from engines.curves import collection_plan, data_needed

        best = next(each for each in approaches if each.name == first.name)
        needed = data_needed(best.forecast, float(numbers.target or 0.0), horizon)
        start = float(best.forecast.curve.sizes[-1])
        fixed, one = best.cost(np.array([0.0, 1.0]), prices)
        unit_cost = float(one - fixed)
        if not unit_cost:
            return ("Data and training cost nothing at these prices, so there is nothing to plan.",)
        told = []
        penalty = numbers.penalty
        if penalty is None:
            reachable = needed[np.isfinite(needed)]
            if not len(reachable):
                return ()
            penalty = MISSING * unit_cost * float(np.median(reachable))
            told.append(
                f"Missing the target is taken to cost {self.cash(penalty)}, {MISSING:g} times what its data cost: "
                "say under “More” if it costs you more or less."
            )
        plan = collection_plan(needed, start, unit_cost, penalty)
        steps = [
            f"Round {place}: collect {self.size(each.added)} more, up to {self.size(each.size)}; the target is then "
            f"reached with a chance of {words.chance(each.reached)}."
            for place, each in enumerate(plan.rounds, 1)
        ]
        facts += [Fact("plan", first.name, f"collect up to, round {place}", math.nan, each.size, math.nan, self.unit)
                  for place, each in enumerate(plan.rounds, 1)]  # fmt: skip
        there = float(np.mean(needed <= start))
        if there > 0.9:
            chance = words.chance(there)
            return (
                f"{first.name} is there with the {self.size(start)} it was measured at, with a chance of {chance}.",
            )
        if not steps:
            return (*told, "Collect nothing: more data would cost more than the target is worth.")
        return (
            f"For {first.name}, starting from the {self.size(start)} it has; stop as soon as the target is reached.",
            *steps,
            f"Expected cost {self.cash(plan.cost)}; the target is missed with a chance of {words.chance(plan.missed)}.",
            *told,
        )

    def following(self, found: curves.advice.Measurement) -> str:
        return (
            f"Measure {found.name} at {self.size(found.size)} next: of what the data at hand allow, this narrows the "
            f"crossover most (its variance by about {words.share(found.share)})."
        )

    def expected(
        self,
        made: Sequence[curves.Forecast],
        approaches: Sequence[curves.Approach],
        prices: curves.Prices,
        sizes: Sequence[float],
        facts: list[Fact],
    ) -> tuple[dict[str, str], ...]:
        from engines.curves import best_of

        share = best_of(made, np.array(sizes))
        rows = []
        for number, (each, approach) in enumerate(zip(made, approaches, strict=True)):
            row = {"Approach": each.curve.name}
            for size in sizes:
                low, middle, high = self.quantiles(each, size)
                what = f"{self.metric.name} with {size:g} {self.unit}".strip()
                facts.append(Fact("forecast", each.curve.name, what, low, middle, high, self.metric.unit))
                row[f"With {self.size(size)}"] = self.graded(low, middle, high)
            at = min(1, len(sizes) - 1)
            row[f"Best with {self.size(sizes[at])}"] = words.chance(float(share[number, at]))
            row[f"{self.size(sizes[at])} cost"] = self.cash(float(approach.cost(sizes[at], prices)))
            rows.append(row)
        return tuple(rows)

    def quantiles(self, made: curves.Forecast, size: float) -> tuple[float, float, float]:
        low, _, high = made.quantiles(np.array([size]))[:, 0]
        middle = float(made.median(np.array([size]))[0])
        return min(low, high, middle), middle, max(low, high, middle)


def rivals_of(names: Sequence[str]) -> str:
    """Those that are overtaken: by name where they are few."""
    return words.listing(list(names)) if len(names) < 3 else "all others"
