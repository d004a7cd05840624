"""From forecasts to what to do: how much data a target needs, what it costs, how to collect it, what next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engines.core import UserError
from engines.curves.crossover import HORIZON, Crossover, lead_taken, size_text
from engines.curves.curve import NOISE_GUESS, SCATTERED, Curve, flags
from engines.curves.forecast import Forecast
from engines.curves.kernels import Array

FEW_POINTS = 4
FAR = 4.0  # times the data measured, beyond which a forecast is marked as far
STEPS = 160
BINS = 10


@dataclass(frozen=True)
class Prices:
    """Money for one unit of data (a pair, an hour), for one unit of each kind of side data, for an hour of training."""

    data: float = 1.0
    side: Mapping[str, float] = field(default_factory=dict)
    training_hour: float = 0.0

    def __post_init__(self) -> None:
        for name, price in {"data": self.data, "training hours": self.training_hour, **self.side}.items():
            if not (np.isfinite(price) and price >= 0):
                raise UserError(f"The price of {name} must be a number of at least 0, not {price:g}.")


@dataclass(frozen=True)
class Approach:
    """A forecast and what the approach needs besides the data: amounts of side data by kind, and training hours, fixed
    ones and those for each unit of data."""

    forecast: Forecast
    side: Mapping[str, float] = field(default_factory=dict)
    hours: float = 0.0
    hours_per_unit: float = 0.0

    @property
    def name(self) -> str:
        return self.forecast.curve.name

    def cost(self, sizes: Array | float, prices: Prices) -> Array:
        """What `sizes` units of data cost altogether: collecting them, the side data, the training. Infinite stays so.

        Raises:
            UserError: a kind of side data has no price.
        """
        unpriced = sorted(set(self.side) - set(prices.side))
        if unpriced:
            raise UserError(f"{self.name} needs {', '.join(unpriced)}: give a price for it (0 if it is free).")
        fixed = sum(amount * prices.side[kind] for kind, amount in self.side.items())
        per_unit = prices.data + prices.training_hour * self.hours_per_unit
        amounts = np.asarray(sizes, dtype=np.float64)
        variable = np.where(np.isinf(amounts), np.inf, per_unit * np.where(np.isinf(amounts), 0, amounts))
        return np.asarray(fixed + prices.training_hour * self.hours + variable)


def data_needed(forecast: Forecast, target: float, horizon: float | None = None) -> Array:
    """The least data with which each draw reaches the score `target`, (draws,); infinite where that is not within the
    horizon (100 times the data measured, unless told).

    Raises:
        UserError: the target is no score, or as good as perfect.
    """
    curve = forecast.curve
    error = float(curve.error(target))
    if not np.isfinite(error) or error <= 0:
        raise UserError(f"The target must be a score short of the perfect one, {curve.best:g}.")
    low, high = float(curve.sizes[0]), float(curve.sizes[-1] * HORIZON if horizon is None else horizon)
    if high <= low:
        raise UserError(f"The horizon must be a size beyond {low:g}.")
    sizes = np.unique(np.append(np.geomspace(low, high, STEPS), curve.sizes[-1]))
    now = int(np.searchsorted(sizes, min(float(curve.sizes[-1]), high)))
    needed = np.maximum(lead_taken(sizes, forecast.log_draws(sizes) - np.log(error), now), low)
    return np.where(needed > high, np.inf, needed)


def quantiles(values: Array, levels: Sequence[float] = (0.05, 0.5, 0.95)) -> Array:
    """Quantiles of values some of which are infinite, (levels,)."""
    return np.asarray(np.quantile(values, levels, method="inverted_cdf"))


@dataclass(frozen=True)
class TargetRow:
    """What a target asks of an approach: (5 %, 50 %, 95 %) quantiles of data and of cost, infinite where the target is
    not reached, and the probability that it is reached within the horizon. `least` is the smallest amount that was
    measured: where that is the data needed, less may do."""

    name: str
    data: tuple[float, float, float]
    cost: tuple[float, float, float]
    reached: float
    least: float


def for_target(
    approaches: Sequence[Approach], target: float, prices: Prices, horizon: float | None = None
) -> list[TargetRow]:
    """A row an approach, the cheapest median first."""
    rows = []
    for approach in approaches:
        needed = data_needed(approach.forecast, target, horizon)
        low, middle, high = quantiles(needed)
        costs = approach.cost(np.array([low, middle, high]), prices)
        rows.append(
            TargetRow(
                approach.name,
                (float(low), float(middle), float(high)),
                (float(costs[0]), float(costs[1]), float(costs[2])),
                float(np.mean(np.isfinite(needed))),
                float(approach.forecast.curve.sizes[0]),
            )
        )
    return sorted(rows, key=lambda row: (row.cost[1], -row.reached))


@dataclass(frozen=True)
class BudgetRow:
    """What a sum of money buys of an approach: the data, the score's (5 %, 50 %, 95 %) quantiles, and the probability
    that it is the best of all. Without money for as much data as the approach was measured with at least, the scores
    are NaN and it is never the best; without any, `data` is 0."""

    name: str
    data: float
    score: tuple[float, float, float]
    best: float


def for_budget(approaches: Sequence[Approach], money: float, prices: Prices) -> list[BudgetRow]:
    """A row an approach, the most probably best first.

    Raises:
        UserError: the budget is not a positive number, or a unit of data costs nothing.
    """
    if not (np.isfinite(money) and money > 0):
        raise UserError("The budget must be more than 0.")
    amounts, errors = [], []
    for approach in approaches:
        fixed, one = approach.cost(np.array([0.0, 1.0]), prices)
        if one <= fixed:
            raise UserError("Give a price for a unit of data, so that a budget says how much can be had.")
        amount = max(0.0, float((money - fixed) / (one - fixed)))
        amounts.append(amount)
        draws = len(approach.forecast.normal)
        reachable = amount >= approach.forecast.curve.sizes[0] * (1 - 1e-9)
        errors.append(approach.forecast.log_draws(np.array([amount]))[:, 0] if reachable else np.full(draws, np.inf))
    together = np.array(errors)
    winner = together.argmin(axis=0)
    rows = []
    for place, approach in enumerate(approaches):
        score = (float("nan"),) * 3
        if np.isfinite(together[place]).all():
            at = approach.forecast.quantiles(np.array([amounts[place]]))[:, 0]
            score = (float(at[0]), float(at[1]), float(at[2]))
        best = float(np.mean(winner == place)) if np.isfinite(score[1]) else 0.0
        rows.append(BudgetRow(approach.name, amounts[place], score, best))
    return sorted(rows, key=lambda row: -row.best)


@dataclass(frozen=True)
class Round:
    """Collect until there are `size` units; then the target is reached with probability `reached`."""

    size: float
    added: float
    reached: float


@dataclass(frozen=True)
class Plan:
    """Rounds of collecting, stopped as soon as the target is reached; `cost` is what they are expected to cost, and
    `missed` the probability that the target is not reached after the last."""

    rounds: tuple[Round, ...]
    cost: float
    missed: float


def collection_plan(
    needed: Array, start: float, unit_cost: float, penalty: float, rounds: int = 5, round_cost: float = 0.0
) -> Plan:
    """The plan of at most `rounds` rounds that minimises expected cost plus `penalty` times the probability of missing.

    Learn-optimize-collect (Mahmood et al. 2022, Optimizing data collection for machine learning): with F the
    distribution of the data `needed` (draws,), sizes q_1 <= ... <= q_T minimise

        sum_t (unit_cost * (q_t - q_(t-1)) + round_cost) * (1 - F(q_(t-1))) + penalty * (1 - F(q_T)),   q_0 = start,

    here exactly, by dynamic programming over the quantiles of F. `penalty` is what missing the target costs.

    Raises:
        UserError: a price is negative or not a number, or there is to be no round.
    """
    if not (np.isfinite([unit_cost, penalty, round_cost]).all() and min(unit_cost, penalty, round_cost) >= 0):
        raise UserError("Prices and the penalty for missing the target must be numbers of at least 0.")
    if not 1 <= rounds <= 20:
        raise UserError(f"Plan 1 to 20 rounds, not {rounds}.")
    finite = np.sort(needed[np.isfinite(needed) & (needed > start)])
    stops = (
        np.unique(finite[np.linspace(0, len(finite) - 1, min(len(finite), 150)).astype(int)]) if len(finite) else finite
    )
    sizes = np.concatenate([[start], stops])
    open_ = 1 - np.searchsorted(np.sort(needed), sizes, side="right") / len(needed)
    step = (unit_cost * (sizes[None] - sizes[:, None]) + round_cost) * open_[:, None]
    step[np.tril_indices(len(sizes))] = np.inf
    value = penalty * open_  # of stopping here
    choices = []
    for _ in range(rounds):
        onward = step + value[None]
        best = onward.argmin(axis=1)
        reached = onward[np.arange(len(sizes)), best]
        stop = penalty * open_ <= reached
        choices.append(np.where(stop, -1, best))
        value = np.where(stop, penalty * open_, reached)
    made, at = [], 0
    cost = 0.0
    for choice in reversed(choices):
        onto = int(choice[at])
        if onto < 0:
            break
        cost += float(step[at, onto])
        made.append(Round(float(sizes[onto]), float(sizes[onto] - sizes[at]), float(1 - open_[onto])))
        at = onto
    return Plan(tuple(made), cost, float(open_[at]))


@dataclass(frozen=True)
class Measurement:
    """The approach and size whose measurement would narrow the decision most: `share` of the variance of the (log)
    crossover would go, on average."""

    name: str
    size: float
    share: float

    def sentence(self, unit: str = "") -> str:
        unit = f" {unit}" if unit else ""
        return (
            f"Measure {self.name} at {size_text(self.size)}{unit} next: of what the data at hand allow, this narrows "
            f"the crossover most (its variance by about {self.share:.0%})."
        )


def next_measurement(
    found: Crossover, forecasts: Sequence[Forecast], available: float | None = None
) -> Measurement | None:
    """Which approach to measure at which size with the data at hand, or None where nothing would help.

    `available` is the data at hand, at least the largest size any approach was measured at. Candidates are the sizes
    of all approaches and the available amount itself. A candidate's worth is the share of the variance of the
    crossover (its log; never counts as four horizons) that knowing its score, up to the curve's own noise, explains:
    draws are grouped by that score, and the variance within the groups is what would remain.
    """
    cap = 4 * found.horizon
    decision = np.log(np.clip(np.where(np.isfinite(found.points), found.points, cap), found.sizes[0], cap))
    total = float(np.var(decision))
    if total < 1e-6:
        return None
    largest = max(float(each.curve.sizes[-1]) for each in forecasts)
    most = largest if available is None else max(float(available), largest)
    sizes = np.unique(np.concatenate([each.curve.sizes for each in forecasts] + [np.array([most])]))
    sizes = sizes[(sizes >= found.sizes[0]) & (sizes <= most)][-12:]
    rng = np.random.default_rng(0)
    best: Measurement | None = None
    for each in forecasts:
        noise = float(np.median(each.curve.noise()))
        scores = each.log_draws(sizes) + noise * rng.standard_normal((len(decision), len(sizes)))
        for place, size in enumerate(sizes):
            group = np.argsort(np.argsort(scores[:, place])) * BINS // len(decision)
            within = np.mean([np.var(decision[group == one]) for one in range(BINS) if (group == one).any()])
            share = 1 - float(within) / total - BINS / len(decision)
            if share > (best.share if best else 0.02):
                best = Measurement(each.curve.name, float(size), share)
    return best


def warnings(curves: Sequence[Curve], looked_at: float | None = None, shared_test: bool = True) -> list[str]:
    """What a reader of the answer must know, in sentences. `looked_at` is the largest size that the answer names."""
    found = []
    for curve in curves:
        points = len(curve.sizes)
        if points < FEW_POINTS:
            known = "1 point" if points == 1 else f"{points} points"
            found.append(f"{curve.name} has only {known}: four or more are needed to tell how it bends.")
        if (np.nanmin(curve.errors, axis=1) <= 0).any():
            found.append(
                f"{curve.name} has perfect scores: the test set is too easy or too small to tell what comes beyond."
            )
        if not curve.lower_is_better and (np.nanmax(curve.scores, axis=1) <= 0).any():
            found.append(
                f"{curve.name} has scores of 0: on the floor a curve does not show how fast it learns: measure more "
                "sizes above it before trusting the forecast."
            )
        if looked_at is not None and np.isfinite(looked_at) and looked_at > FAR * curve.sizes[-1]:
            found.append(
                f"{curve.name} was measured up to {size_text(curve.sizes[-1])}, and the answer looks "
                f"{looked_at / curve.sizes[-1]:.0f} times as far: measure more before much money depends on it."
            )
        if curve.lacking:
            found.append(
                f"{curve.name} lacks {curve.lacking} of its standard errors: the largest that it has was taken."
            )
        for flag in flags(curve):
            found.append(f"{curve.name} {_ILL[flag]}")
    if len(curves) > 1 and not shared_test:
        found.append(
            "The approaches were not tested on the same test set: a difference between them may be one of tests."
        )
    seeds = [float(np.median(curve.seeds)) for curve in curves]
    if len(curves) > 1 and len(set(seeds)) > 1:
        fewest = [curve.name for curve, count in zip(curves, seeds, strict=True) if count == min(seeds)]
        who = fewest[0] if len(fewest) == 1 else f"{len(fewest)} of {len(curves)}"
        told = f"{who} with {min(seeds):.0f}, up to {max(seeds):.0f} elsewhere"
        found.append(f"The approaches have unequal numbers of seeds ({told}): those with fewer are known less well.")
    elif all(count < 2 for count in seeds) and all(curve.standard_errors is None for curve in curves):
        guess = "noise is guessed from how far the points lie from a smooth curve"
        if any(len(curve.sizes) < SCATTERED for curve in curves):
            guess += f", and taken to be {NOISE_GUESS:.0%} of the error where there are fewer than {SCATTERED} sizes"
        found.append(f"Every size has one run only: {guess}.")
    return found


_ILL = {
    "peak": "gets worse with more data somewhere and then better again (a peak): its forecast is less sure.",
    "dip": "has a size that is better than larger ones (a dip): its forecast is less sure.",
    "plateau": "hardly gains from more data (a plateau): whether it will fall again cannot be seen from here.",
    "rising": "is worse at its largest size than before: check that run before trusting a forecast.",
}
